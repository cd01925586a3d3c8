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
import threading
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
        is_json = text and 'json' in response.headers.get('Content-Type', '')
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
           'token': 'none', 'user': 'none', 'spi': 1, 'address': '192.0.2.1',
           'pool': '192.0.2.1-192.0.2.2', 'rule': 'none'}


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


# Of any operation, as responses/Problem says.
ANY = 413, 500, 503


def documented(document):
    """(method, pattern, status) of all operations, patterns as in api.c."""
    for method, path, operation in operations(document):
        statuses = [s for s in operation['responses'] if s != 'default']
        for status in list(statuses) + list(ANY):
            yield method.upper(), re.sub(r'{\w+}', '*', path), int(status)


def statuses(document):
    """Prints them, as the mapper logs its answers."""
    for line in sorted('%s %s %d' % what for what in documented(document)):
        print(line)


class Driver:
    """Asks for what openapi.yaml describes, and remembers what came."""

    def __init__(self, document):
        self.service = Service()
        self.document = document
        self.paths = sorted(document['paths'], key=lambda p: p.count('{'))
        self.seen = {}

    def template(self, path):
        """The path of openapi.yaml that PATH is of, or None."""
        for template in self.paths:
            if re.fullmatch(re.sub(r'{\w+}', '[^/]+', template),
                            path.split('?')[0]):
                return template

    def methods(self, path):
        return self.document['paths'][self.template(path)]

    def __call__(self, method, path, *args, **more):
        status, answer, headers = self.service.ask(method, path, *args, **more)
        template = re.sub(r'{\w+}', '*', self.template(path))
        self.seen.setdefault((method.upper(), template, status),
                             (answer, headers))
        return answer


def lease(do, credential, instance, machine):
    return do('put', '/v1/self/lease', credential, {
        'instance': instance, 'fingerprint': machine})


def answer_ask(service, node, me, response, result):
    """Answers the first question that the stream brings, as NODE."""
    for line in response:
        if line.startswith(b'event: ask'):
            ask = json.loads(next(response).split(b':', 1)[1])
            result.append(service.ask('post', '/v1/self/answer', node, {
                'id': ask['id'], 'answer': ask['question']}, **me)[0])
            return


def trace(do, node, me):
    """An operator asks, the node answers."""
    body = {'node': do('get', '/v1/self', node, **me)['number'],
            'question': {'src': 'x', 'dst': 'y', 'net': 'other'}}
    connection = do.service.connect()
    connection.request('GET', '/v1/events', headers=dict(
        me['headers'], Authorization='Bearer ' + node))
    stream = connection.getresponse()
    assert stream.readline(), 'no stream'
    result = []
    thread = threading.Thread(target=answer_ask, args=(
        Service(), node, me, stream, result))
    thread.start()
    answer = do('post', '/v1/nets/a/trace', do.service.operator, body)
    thread.join()
    body['question']['net'] = 'a'
    assert answer == {'answer': body['question'], 'error': None,
                      'late': False}, answer
    assert result == [204], result
    connection.close()
    do('post', '/v1/self/answer', node, {'id': 'x', 'error': 'late'}, **me)
    body['question']['src'] = 'x' * 2048
    do('post', '/v1/nets/a/trace', do.service.operator, body)


def what_goes_well(do):
    """A service's life: each good answer that there is.  Returns a node that
    holds a lease, with the header that says so."""
    op = do.service.operator
    for path in '/healthz', '/readyz':
        do('get', path)
    do('get', '/metrics', op)
    do('get', '/v1/ca')
    do('post', '/v1/nets', op, {'name': 'a', 'subnets': ['10.1.0.0/24']})
    token = do('post', '/v1/tokens', op,
               {'approve': True, 'nets': ['a'], 'uses': 9})
    body = {'id': str(uuid.uuid4()), 'name': 'n', 'fingerprint': 'm',
            'credential_hash': hashlib.sha256(b'0' * 64).hexdigest()}
    for _ in range(2):
        do('post', '/v1/register', token['token'], body)
    node = 'vsn1.%s.%s' % (body['id'], '0' * 64)
    boot = str(uuid.uuid4())
    me = {'headers': {'VSubnet-Instance': boot}}
    lease(do, node, boot, 'm')
    lease(do, node, str(uuid.uuid4()), 'another')

    do('get', '/v1/self', node, **me)
    do('get', '/v1/self', node,
       headers=dict(me['headers'], **{'If-None-Match': '*'}))
    do('patch', '/v1/self', node, {'name': 'n2'}, **me)
    do('post', '/v1/self/heartbeat', node, {'nonce': '0' * 32}, **me)
    do('put', '/v1/self/credential', node,
       {'credential_hash': 'a' * 64}, **me)
    do('post', '/v1/self/bindings', node, {
        'put': [{'net': 'a', 'mac': '02:00:00:00:00:02'}]}, **me)
    spi = []
    for epoch in 1, 2, 1:
        key = do('put', '/v1/self/keys', node, {
            'net': 'a', 'epoch': epoch, 'algorithm': 'aes128gcm',
            'key': 'AAAAAAAAAAAAAAAAAAAA%sA==' % 'ABC'[epoch]}, **me)
        spi.append(key.get('spi'))
    do('put', '/v1/self/keys', node, {
        'net': 'a', 'epoch': 1, 'algorithm': 'aes256gcm',
        'key': 'A' * 43 + '='}, **me)
    do('put', '/v1/self/keys', node, {
        'net': 'none', 'epoch': 1, 'algorithm': 'aes128gcm',
        'key': 'A' * 22 + '=='}, **me)
    do('delete', '/v1/self/keys/%d' % spi[1], node, **me)
    do('delete', '/v1/self/keys/%d' % (spi[2] or spi[0]), node, **me)
    do('delete', '/v1/self/keys/1', node, **me)
    do('post', '/v1/self/loaded', node, {'revision': '1.1'}, **me)
    do('post', '/v1/self/hits', node, {'hits': [
        {'net': 'none', 'name': 'r', 'packets': 1, 'bytes': 1}]}, **me)
    do('post', '/v1/self/installed', node, {'revision': '1.1'}, **me)
    do('get', '/v1/events', node, **me)
    trace(do, node, me)

    clone = dict(body, id=str(uuid.uuid4()))
    clone['credential_hash'] = hashlib.sha256(b'1' * 64).hexdigest()
    do('post', '/v1/register', node, clone, **me)
    do('post', '/v1/register', node, clone,
       headers={'VSubnet-Instance': str(uuid.uuid4())})
    return node, me


def plans(each):
    """Pools and reservations in vSubnet a, 10.1.0.0/24, where 10.1.0.1 is
    a node's own."""
    pool = '/v1/nets/a/pools/10.1.0.%s'
    address = '/v1/nets/a/reservations/10.1.0.%d'
    stale = {'headers': {'If-Match': '"1.1"'}}
    for path, taken, bad in (
            (pool % '10-10.1.0.20', pool % '9-10.1.0.11', pool % '9'),
            (address % 9, address % 1, address % 300)):
        each('put', path, {}, {})
        each('put', path, {}, **stale)
        each('delete', path, **stale)
        each('put', taken, {})
        each('delete', bad)
        each('delete', path)


def rules(each):
    """Rules of vSubnet a."""
    path = '/v1/nets/a/rules'
    stale = {'headers': {'If-Match': '"1.1"'}}
    rule = {'name': 'r', 'direction': 'ingress', 'action': 'deny'}
    each('post', path, rule, rule)
    none = '/v1/nets/none/rules'
    each('post', none, rule)
    each('put', none, {'rules': []})
    each('put', none + '/r', rule)
    many = {'rules': [dict(rule, name='r%d' % i) for i in range(4097)]}
    each('put', path, {'rules': [rule]}, many)
    each('put', path, {'rules': []}, **stale)
    many['rules'].pop()
    each('put', path, many)
    each('put', path + '/r', rule)
    each('put', path, {'rules': []})
    each('put', path + '/r', rule, rule)
    each('get', path + '/r')
    each('patch', path + '/r', {'log': True}, {'log': 7})
    labels = [dict(rule, name='l%d' % i, label='l%d' % i,
                   remote_label='r%d' % i) for i in range(60)]
    each('put', path, {'rules': labels + [rule]})
    each('post', path, *[dict(rule, name='n%d' % i, label='n%d' % i)
                         for i in range(9)])
    each('patch', path + '/r', {'label': 'x'})
    each('put', path + '/r', rule, **stale)
    each('patch', path + '/r', {}, **stale)
    each('delete', path + '/r', **stale)
    each('delete', path + '/r')


def what_operators_do(do):
    op = do.service.operator

    def each(method, path, *bodies, **more):
        for body in bodies or (None,):
            answer = do(method, path, op, body, **more)
        return answer

    for path in ('tokens', 'nodes', 'nets', 'users', 'audit',
                 'nets/a/members', 'nets/a/bindings', 'nets/a/keys',
                 'nets/a/addresses', 'nets/a/pools', 'nets/a/reservations',
                 'nets/a/rules'):
        each('get', '/v1/' + path)
        each('get', '/v1/' + path + '?limit=x')
    each('get', '/v1/nodes/1')
    each('get', '/v1/nets/a')
    mac = '/v1/nets/a/bindings/02:00:00:00:00:01'
    host = '/v1/nets/a/bindings/06:76:00:00:00:01'
    each('put', mac, {'addresses': ['10.1.0.9']}, {'addresses': ['10.1.0.8']})
    for path in mac, '/v1/nets/a', '/v1/users/admin':
        each('get', path)
        each('get', path, headers={'If-None-Match': '*'})
    each('get', '/v1/nets/a/bindings/x')
    each('post', '/v1/nets/a/bindings', {}, {'mac': '02:00:00:00:00:01'})
    each('put', host, {})
    each('patch', host, {'labels': ['web']})
    each('patch', '/v1/nets/a/bindings/02:00:00:00:00:02', {})
    each('delete', host)
    each('patch', '/v1/nets/a', {'group': '239.1.1.1'},
         {'subnets': ['10.2.0.0/24']})
    each('delete', mac)
    each('delete', '/v1/nets/a/bindings/x')
    each('post', '/v1/nets/a/rekey')
    plans(each)
    rules(each)
    each('post', '/v1/nets', {'name': 'a'})

    token = each('post', '/v1/tokens', {'uses': 9})
    for _ in range(2):
        register(do.service, token['token'], 'same')
    for method, path in (('get', ''), ('patch', ''), ('delete', ''),
                         ('post', '/adopt')):
        each(method, '/v1/nodes/same' + path,
             *[{}] if method in ('patch', 'post') else ())
    members = '/v1/nets/a/members/'
    each('put', members + 'same', {})
    each('delete', members + 'same')
    each('put', members + '3', {'host_port': False}, {'host_port': True})
    each('delete', members + '3')
    each('patch', '/v1/nodes/1', {'name': 'n1'})
    each('delete', '/v1/tokens/' + token['id'])

    user = {'name': 'u', 'role': 'viewer'}
    each('post', '/v1/users', user, user)
    each('get', '/v1/users/u')
    each('patch', '/v1/users/u', {'role': 'viewer'}, {'name': 'admin'})
    stale = {'headers': {'If-Match': '"1.1"'}}
    token = each('post', '/v1/tokens', {'uses': 1})
    each('put', mac, {}, **stale)
    each('put', mac, {})
    for path in (mac, members + '1', '/v1/nodes/1', '/v1/nets/a',
                 '/v1/users/u', '/v1/tokens/' + token['id']):
        for method in 'delete', 'put', 'patch':
            if method == 'delete' or method in do.methods(path):
                each(method, path, *() if method == 'delete' else ({},),
                     **stale)
    each('delete', '/v1/users/u')
    each('delete', '/v1/users/admin')
    each('get', '/v1/events')
    each('post', '/v1/wait', {'timeout': 0})
    each('post', '/v1/nets/a/trace',
         *[{'node': n, 'question': {}} for n in (1, 99)])

    each('post', '/v1/nodes/2/adopt')
    each('delete', '/v1/nodes/1')
    each('delete', '/v1/nets/a')


def what_is_refused(do, document, node, me):
    """What is wrong with a request whatever the operation is."""
    op = do.service.operator
    join = do('post', '/v1/tokens', op, {})['token']
    for method, path, operation in operations(document):
        roles = operation['x-roles']
        if 'anyone' in roles:
            continue
        path = fill(path, NOTHING)
        body = {} if 'requestBody' in operation else None
        good = op if 'operator' in roles else node
        do(method, path)
        do(method, path, op if 'token' in roles else join, body)
        do(method, path, good, body)
        if 'node' in roles:
            do(method, path, node, body)
            do(method, path, node, body, headers={'VSubnet-Instance': 'x'})
        if method in ('post', 'put', 'patch'):
            for type_, text in (('application/json', '{'),
                                ('application/json', '{"nonsense":1}'),
                                ('text/plain', '{}')):
                do(method, path, good, raw=text,
                   headers={'Content-Type': type_, **me['headers']})


def conformance(document):
    """Has each answer that openapi.yaml describes given, and says which was
    not, and which one is not described."""
    do = Driver(document)
    node, me = what_goes_well(do)
    what_is_refused(do, document, node, me)
    what_operators_do(do)
    described = set(documented(document))
    for what in sorted(do.seen.keys() - described):
        print('not described: %s %s %d' % what)
    for what in sorted(described - do.seen.keys()):
        if what[2] not in ANY:
            print('not seen: %s %s %d' % what)
    print('all seen' if len(do.seen) > 200 else len(do.seen))


if __name__ == '__main__':
    with open(sys.argv[2]) as file:
        document_ = yaml.load(file, yaml.CSafeLoader)
    globals()[sys.argv[1].replace('-', '_')](document_, *sys.argv[3:])
