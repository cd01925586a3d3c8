# SPDX-License-Identifier: Apache-2.0
"""A real mapping service, filled through its API.

    service = Service(host, programs, environment)
    service.add_net("net0")
    node = Node(service, "n0", "net0", service.join_token(["net0"]))
    node.bind([("net0", "0e:00:00:00:00:01", ["10.0.0.1"])])
    watcher = Watcher(service, node)
"""

import hashlib
import http.client
import json
import os
import secrets
import ssl
import threading
import time
import urllib.parse
import uuid

from lab import Failure, wait_for

ITEMS_MAX = 500                     # Bindings in one request, by the API.


class Service:
    """vsubnet-mapper with the database server that it starts itself."""

    def __init__(self, host, program, environment):
        state = os.path.join(host.directory, "service")
        self.operator_file = os.path.join(state, "operator.json")
        self.mapper = host.spawn(
            "mapper", program, f"--state-dir={state}",
            "--listen=127.0.0.1:0", "-vconsole:warn",
            f"--unixctl={host.directory}/mapper.ctl", env=environment)
        wait_for("operator.json",
                 lambda: os.path.exists(self.operator_file), 30,
                 self.mapper.check)
        with open(self.operator_file) as text:
            operator = json.load(text)
        self.url = operator["urls"][0]
        self.token = operator["token"]
        # One that this program knows by its CA; its name is not its address.
        self.tls = ssl.create_default_context(
            cafile=os.path.join(state, "ca.pem"))
        self.tls.check_hostname = False
        self.connection = None
        wait_for("an answer of the mapper", self.answers, 30,
                 self.mapper.check)

    def connect(self):
        address = urllib.parse.urlsplit(self.url)
        return http.client.HTTPSConnection(
            address.hostname, address.port, context=self.tls, timeout=60)

    def answers(self):
        try:
            self.call("GET", "/healthz", None)
            return True
        except (OSError, Failure):
            self.connection = None
            return False

    def call(self, method, path, credential, body=None):
        self.connection = self.connection or self.connect()
        headers = {"Content-Type": "application/json"}
        if credential:
            headers["Authorization"] = "Bearer " + credential
        self.connection.request(
            method, path, json.dumps(body) if body is not None else None,
            headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise Failure(f"{method} {path}: status {answer.status}: {text}")
        return json.loads(text) if text else None

    def add_net(self, name):
        self.call("POST", "/v1/nets", self.token, {"name": name})

    def join_token(self, nets, uses=1):
        answer = self.call("POST", "/v1/tokens", self.token,
                           {"approve": True, "nets": nets, "uses": uses})
        return answer["token"]


class Node:
    """A host that is not there, and does all that the service can see."""

    def __init__(self, service, name, net, token):
        self.service = service
        self.net = net
        node_id, secret = str(uuid.uuid4()), secrets.token_hex(32)
        self.credential = f"vsn1.{node_id}.{secret}"
        service.call("POST", "/v1/register", token, {
            "id": node_id, "name": name, "fingerprint": "f-" + name,
            "credential_hash": hashlib.sha256(secret.encode()).hexdigest(),
            "endpoints": ["192.0.2.1:8002"]})

    def bind(self, items):
        """Registers (vSubnet, MAC, addresses), so many at once as may be."""
        for i in range(0, len(items), ITEMS_MAX):
            self.change("put", [{"net": net, "mac": mac, "port": "tap0",
                                 "addresses": addresses}
                                for net, mac, addresses
                                in items[i:i + ITEMS_MAX]])

    def unbind(self, net, mac):
        self.change("remove", [{"net": net, "mac": mac}])

    def change(self, what, items):
        answer = self.service.call("POST", "/v1/self/bindings",
                                   self.credential, {what: items})
        refused = [each for each in answer["results"] if each.get("code")]
        if refused:
            raise Failure(f"bindings were refused: {refused[0]}")


class Watcher:
    """Follows the event stream as a host would, and knows when each event
    came: MAC to time.monotonic()."""

    def __init__(self, service, node):
        self.arrived = {}
        self.ready = threading.Event()
        self.connection = service.connect()
        self.connection.request("GET", "/v1/events", headers={
            "Authorization": "Bearer " + node.credential})
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise Failure(f"event stream: status {self.response.status}")
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()
        if not self.ready.wait(60):
            raise Failure("no snapshot came by the event stream")

    def follow(self):
        kind = None
        try:
            for line in self.response:
                now = time.monotonic()
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                elif line.startswith(b"data: ") and kind == b"snapshot":
                    self.ready.set()
                elif line.startswith(b"data: ") and kind == b"change":
                    self.take(json.loads(line[6:]), now)
        except (OSError, ValueError, AttributeError,
                http.client.HTTPException):
            pass                    # The end: others tell why.

    def take(self, change, now):
        for binding in change["put"]["bindings"]:
            self.arrived[binding["mac"]] = now
