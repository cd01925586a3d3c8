#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gives the vSubnets of a controller's cache what services.at needs.

usage: services-cache.py CACHE [ADDRESS]

"demo" gets DHCP and SLAAC, "six" DHCPv6 and guests that may be servers; some
guests' MACs are bound, that of g1 to ADDRESS.
"""
import json
import os
import sys

path, address = sys.argv[1], (sys.argv[2:] or ['10.77.0.20'])[0]
cache = json.load(open(path))
snapshot = cache['snapshot']
REVISION = snapshot['revision']


def net(name, vni, **settings):
    return {'name': name, 'vni': vni, 'algorithm': 'aes128gcm', 'group': None,
            'revision': REVISION, **settings}


def bind(name, low, port, *addresses):
    return {'net': name, 'mac': '0a:00:00:00:00:%02d' % low, 'node': 7,
            'addresses': addresses, 'port': port, 'iface_id': None,
            'origin': 'static', 'revision': REVISION}


DHCP = {'lease': 3600, 'gateway': '10.77.0.1', 'domain': 'demo.example',
        'dns': ['10.77.0.53', 'fd77::53'],
        'routes': [{'to': '192.168.0.0/17', 'via': '10.77.0.2'}]}

snapshot['nets'] = [
    net('demo', 5001, subnets=['10.77.0.0/24', 'fd77::/64'], dhcp=DHCP,
        ipv6='slaac'),
    net('six', 5002, subnets=['fd66::/64'], ipv6='dhcpv6', guest_dhcp=True,
        dhcp={**DHCP, 'gateway': None, 'routes': []}),
]
snapshot['members'] = [m for m in snapshot['members'] if m['net'] == 'demo']
snapshot['members'] += [{**m, 'net': 'six', 'host_port': False}
                        for m in snapshot['members']]
snapshot['bindings'] = [b for b in snapshot['bindings']
                        if b['origin'] == 'host'] + [
    bind('demo', 1, 'g1', address),
    bind('demo', 2, 'gw', '10.77.0.1'),
    bind('six', 4, 'g4', 'fd66::20', 'fd66::21'),
]
with open(path + '.new', 'w') as new:
    os.chmod(path + '.new', 0o600)
    json.dump(cache, new)
os.rename(path + '.new', path)
