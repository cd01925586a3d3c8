# SPDX-License-Identifier: Apache-2.0
"""Tries the mapping service's API against what openapi.yaml says.

usage: api.py COMMAND OPENAPI-YAML ...

Runs where tests/mapper.sh has started a mapper in ./m."""

import hashlib
import http.client
import json
import os
import re
import ssl
import sys
import uuid

import yaml

METHODS = ('get', 'post', 'put', 'patch', 'delete')


class Service:
    """The mapper of this test, asked over one connection for each client
    certificate (or none)."""

    def __init__(self):
        self.port = int(open('m/port').read())
        self.operator = open('m/operator').read().strip()
        self.connections = {}

    def connect(self, certificate=None):
        context = ssl.create_default_context(cafile='m/state/ca.pem')
        if certificate:
            context.load_cert_chain(certificate + '.pem', certificate + '.key')
        context.check_hostname = False
        return http.client.HTTPSConnection('127.0.0.1', self.port, timeout=60,
                                           context=context)

    def ask(self, method, path, credential=None, body=None, certificate=None,
            headers=(), raw=None):
        """Returns the status, the answer's JSON (or None), its headers.  Of
        an answer without a length, an event stream, no more than that."""
        connection = self.connections.get(certificate)
        if not connection:
            connection = self.connect(certificate)
            self.connections[certificate] = connection
        sent = dict(headers)
        if credential:
            sent['Authorization'] = 'Bearer ' + credential
        if body is not None:
            sent.setdefault('Content-Type', 'application/json')
            raw = json.dumps(body)
        connection.request(method.upper(), path, body=raw, headers=sent)
        response = connection.getresponse()
        if response.length is None and response.chunked:
            del self.connections[certificate]
            connection.close()
            return response.status, None, response.headers
        text = response.read()
        is_json = 'json' in response.headers.get('Content-Type', '')
        return (response.status, json.loads(text) if is_json else None,
                response.headers)

    def op(self, method, path, body=None, **more):
        return self.ask(method, path, self.operator, body, **more)


def operations(document):
    for path, item in document['paths'].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def fill(path, values):
    return re.sub(r'{(\w+)}', lambda m: str(values[m[1]]), path)


def register(service, token, name):
    node_id, secret = str(uuid.uuid4()), os.urandom(32).hex()
    status, node, _ = service.ask('post', '/v1/register', token, {
        'id': node_id, 'name': name, 'fingerprint': name,
        'credential_hash': hashlib.sha256(secret.encode()).hexdigest()})
    assert status == 201, node
    return 'vsn1.%s.%s' % (node_id, secret)


def forge(credential):
    """The same but for the secret."""
    fields = credential.split('.')
    fields[2] = os.urandom(32).hex()
    return '.'.join(fields)


# Who is tried with every operation: name, what it shows, the roles it has,
# the answer where it has none that is good.

def make_principals(service):
    def user(name, **more):
        status, answer, _ = service.op('post', '/v1/users',
                                       dict(name=name, **more))
        assert status == 201, answer
        return answer.get('token')

    def pem(name):
        return open(name + '.pem').read()

    join = service.op('post', '/v1/tokens', {'uses': 9, 'approve': True})
    join = join[1]['token']
    node, revoked_node = (register(service, join, n) for n in ('n1', 'n2'))
    service.op('patch', '/v1/nodes/n2', {'state': 'revoked'})
    viewer = user('v', role='viewer')
    user('vc', role='viewer', certificate=pem('viewer'))
    user('oc', role='operator', certificate=pem('operator'))
    user('xc', role='operator', certificate=pem('removed'))
    expired = user('expired', role='operator', ttl=1)
    user('ec', role='operator', ttl=1, certificate=pem('expired'))
    removed = user('removed', role='operator')
    for name in ('removed', 'xc'):
        assert service.op('delete', '/v1/users/' + name)[0] == 204
    while service.ask('get', '/v1/nets', expired)[0] != 401:
        pass
    while service.ask('get', '/v1/nets', certificate='expired')[0] != 401:
        pass

    bad = 401, 'bad-credential'
    old = 401, 'credential-expired'
    return [
        ('nobody', None, None, 'anyone', (401, 'no-credential')),
        ('forged operator', forge(service.operator), None, None, bad),
        ('forged viewer', forge(viewer), None, None, bad),
        ('forged node', forge(node), None, None, bad),
        ('forged join token', forge(join), None, None, bad),
        ('unknown operator', 'vso1.0.' + os.urandom(32).hex(), None, None,
         bad),
        ('nonsense', 'x', None, None, bad),
        ('expired token', expired, None, None, old),
        ('expired certificate', None, 'expired', None, old),
        ('removed token', removed, None, None, bad),
        ('removed certificate', None, 'removed', None, bad),
        ('unknown certificate', None, 'unknown', None, bad),
        ('good certificate, forged token', forge(viewer), 'operator', None,
         bad),
        ('revoked node', revoked_node, None, None, (403, 'node-revoked')),
        ('join token', join, None, 'token', None),
        ('node', node, None, 'node', None),
        ('viewer', viewer, None, 'viewer', None),
        ('viewer by certificate', None, 'viewer', 'viewer', None),
        ('operator by certificate', None, 'operator', 'operator', None),
        ('operator', service.operator, None, 'operator', None),
    ]


REFUSED = {(401, 'no-credential'), (401, 'bad-credential'),
           (401, 'credential-expired'), (403, 'wrong-role')}

# What no path names, so that nothing is really removed on the way.
NOTHING = {'net': 'none', 'node': 'none', 'mac': '02:00:00:00:00:01',
           'token': 'none', 'user': 'none', 'spi': 1, 'address': '192.0.2.1'}


def secret_in(answer):
    text = json.dumps(answer)
    return [s for s in ('"key":', '"secret', '_hash"', '"token":')
            if s in text]


def roles(document):
    """Tries every operation with every principal; says what is not as
    x-roles has it."""
    service = Service()
    principals = make_principals(service)
    n = wrong = 0
    for method, path, operation in operations(document):
        allowed = operation['x-roles']
        for name, credential, certificate, role, refusal in principals:
            body = {} if method not in ('get', 'delete') else None
            status, answer, _ = service.ask(
                method, fill(path, NOTHING), credential, body, certificate)
            got = status, (answer or {}).get('code')
            if 'anyone' in allowed or role in allowed:
                ok = got not in REFUSED and status < 500
            elif role is None:
                ok = got == refusal
            else:
                ok = got == (refusal or (403, 'wrong-role'))
            if role == 'viewer' and secret_in(answer):
                ok = False
            n += 1
            if not ok:
                wrong += 1
                print('%s %s, %s: %s' % (method, path, name, got))
    print('%d wrong' % wrong if n > 400 else 'only %d tries' % n)


if __name__ == '__main__':
    with open(sys.argv[2]) as file:
        document_ = yaml.load(file, yaml.CSafeLoader)
    globals()[sys.argv[1].replace('-', '_')](document_, *sys.argv[3:])
