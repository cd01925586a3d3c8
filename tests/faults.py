#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writers for tests/faults, and whether what they wrote is there.

    faults.py write OPERATOR.JSON DIRECTORY LABEL
    faults.py check OPERATOR.JSON DIRECTORY LABEL

A writer makes a vSubnet, and then a join token for it.  What is not answered
it sends again, to another mapper.  Names are unique, so that a vSubnet that
is there already is then its own; a token is not, and each request may have
made one, never two.  DIRECTORY/sent.N has a line for each request that was
sent, DIRECTORY/acked.N one for each that was answered: milliseconds, kind,
name (or the token's ID).  Writers end when DIRECTORY/run is gone.
"""
import http.client
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

WRITERS = 4
TIMEOUT = 4

verb, config, directory, label = sys.argv[1:]
config = json.load(open(config))
context = ssl.create_default_context(cadata=config['ca'])
context.check_hostname = False
urls = [u for u in config['urls'] if '[' not in u]


class Client:
    """Requests over one connection, to another mapper after each failure."""

    def __init__(self, first):
        self.url = first
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
        self.url += 1

    def request(self, method, path, body=None):
        """The status and what came; (0, None) if there was no answer."""
        try:
            if not self.connection:
                where = urllib.parse.urlparse(urls[self.url % len(urls)])
                self.connection = http.client.HTTPSConnection(
                    where.hostname, where.port, context=context,
                    timeout=TIMEOUT)
            self.connection.request(
                method, path, json.dumps(body) if body else None,
                {'Authorization': 'Bearer ' + config['token'],
                 'Content-Type': 'application/json'})
            answer = self.connection.getresponse()
            data = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            self.close()
            return 0, None
        if answer.status >= 500:
            self.close()
            return 0, data
        return answer.status, data


def write(number, failures):
    client = Client(number)
    sent = open('%s/sent.%d' % (directory, number), 'w', 1)
    acked = open('%s/acked.%d' % (directory, number), 'w', 1)

    def until_answered(kind, name, path, body):
        tried = False
        while True:
            sent.write('%d %s %s\n' % (time.time() * 1000, kind, name))
            status, data = client.request('POST', path, body)
            if status == 201:
                return data
            if status == 409 and tried and data['code'] == 'name-in-use':
                return {}
            if status:
                raise RuntimeError('%s: %d %s' % (name, status, data))
            if not os.path.exists(directory + '/run'):
                return None
            tried = True
            time.sleep(.02)

    i = 0
    try:
        while os.path.exists(directory + '/run'):
            i += 1
            name = 'f%s-%d-%d' % (label, number, i)
            net = until_answered('net', name, '/v1/nets', {'name': name})
            if net is not None:
                acked.write('%d net %s\n' % (time.time() * 1000, name))
                token = until_answered('token', name, '/v1/tokens',
                                       {'nets': [name]})
                if token is not None:
                    acked.write('%d token %s\n' % (time.time() * 1000,
                                                   token['id']))
            time.sleep(.02)
    except RuntimeError as e:
        failures.append(str(e))


def lines(kind):
    for number in range(WRITERS):
        for line in open('%s/%s.%d' % (directory, kind, number)):
            yield line.split()


def everything(path):
    """All that there is: a list comes in pages."""
    client = Client(0)
    items, page = [], ''
    for _ in range(1000):
        status, data = client.request('GET', path + page)
        if status == 200:
            items += data['items']
            if data.get('next') is None:
                return items
            page = '?after=' + urllib.parse.quote(str(data['next']))
        else:
            time.sleep(.1)
    sys.exit('no answer')


def check():
    problems = []
    nets = [n['name'] for n in everything('/v1/nets')]
    tokens = everything('/v1/tokens')
    names, ids = set(nets), {t['id'] for t in tokens}
    made, sent = {}, {}
    for token in tokens:
        for name in token['nets']:
            made[name] = made.get(name, 0) + 1
    for _, kind, name in lines('sent'):
        if kind == 'token':
            sent[name] = sent.get(name, 0) + 1
    times = []
    for when, kind, name in lines('acked'):
        times.append(int(when))
        if name not in (names if kind == 'net' else ids):
            problems.append('%s %s was acknowledged and is not there'
                            % (kind, name))
    if len(nets) != len(names):
        problems.append('a vSubnet is there twice')
    for name in sent:
        if made.get(name, 0) > sent[name]:
            problems.append('%d tokens for %s, %d were asked for'
                            % (made[name], name, sent[name]))
    times.sort()
    print('\n'.join(problems) if problems else '%d %d' % (
        len(times), max(b - a for a, b in zip(times, times[1:]))))
    sys.exit(1 if problems else 0)


if verb == 'check':
    check()
failures = []
threads = [threading.Thread(target=write, args=(n, failures))
           for n in range(WRITERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print('\n'.join(failures), end='', file=sys.stderr)
sys.exit(1 if failures else 0)
