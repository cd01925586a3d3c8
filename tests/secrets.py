#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets where none may be.

    secrets.py collect FILE...            prints one secret a line: NAME HEX
    secrets.py search SECRETS PATH...     looks for them, in any spelling
    secrets.py memory SECRETS PID         looks for them in a process

"collect" reads keyrings (every key), and anything else for keys in base64
after "key": and for credentials and tokens (vsn1., vso1., vsj1.: their
secret).  "search" looks into files and whole folders, for each secret as
bytes, in hexadecimal (either case, with and without colons) and in base64
(with and without padding), and fails if it finds one.  "memory" looks into
all that a process may write.
"""

import base64
import os
import re
import sys

CREDENTIAL = re.compile(rb"vs[nojk]1\.([0-9A-Za-z-]+)\.([0-9a-fA-F]{64})")
JSON_KEY = re.compile(rb'"key"\s*:\s*"([A-Za-z0-9+/]{22,}={0,2})"')
KEYRING_KEY = re.compile(rb"^key (\d+) (tx|rx) (\d+) .* ([0-9a-f]{32,})$",
                         re.MULTILINE)


def collect(paths):
    secrets = {}
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        for vni, _, spi, key in KEYRING_KEY.findall(data):
            secrets[key.decode()] = f"key-{vni.decode()}-{spi.decode()}"
        for text in JSON_KEY.findall(data):
            secrets.setdefault(base64.b64decode(text + b"==").hex(),
                               f"key-in-{os.path.basename(path)}")
        for name, secret in CREDENTIAL.findall(data):
            secrets[secret.decode().lower()] = f"secret-{name.decode()}"
    for secret, name in secrets.items():
        print(name, secret)
    return not secrets


def spellings(secret):
    raw = bytes.fromhex(secret)
    # What a hexadecimal text itself looks like in base64 is looked for too.
    for data in (raw, secret.encode()):
        encoded = base64.b64encode(data)
        yield encoded
        yield encoded.rstrip(b"=")
        yield base64.urlsafe_b64encode(data).rstrip(b"=")
    yield raw
    yield secret.encode()
    yield secret.upper().encode()
    yield raw.hex(":").encode()


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in names)
        else:
            yield path


def contents(paths):
    """Yields (path, bytes) of each file."""
    for path in files(paths):
        with open(path, "rb") as file:
            yield path, file.read()


def memory(pid):
    """Yields (name, bytes) of each part of a process's writable memory."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as lines, \
            open(f"/proc/{pid}/mem", "rb") as mem:
        for line in lines:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ \S+ *(.*)",
                             line)
            if not match or match[3].startswith("[v"):
                continue
            start, end = int(match[1], 16), int(match[2], 16)
            try:
                mem.seek(start)
                yield f"{match[1]} {match[3]}", mem.read(end - start)
            except OSError:
                continue        # Mapped, but nothing is there.


def search(list_path, places):
    needles = []
    with open(list_path, encoding="ascii") as lines:
        for name, secret in map(str.split, lines):
            needles += [(name, spelling) for spelling in spellings(secret)]
    found = searched = size = 0
    for place, data in places:
        searched += 1
        size += len(data)
        hits = {name for name, spelling in needles if spelling in data}
        for name in sorted(hits):
            print(f"{place}: has {name}")
        found += len(hits)
    print(f"measured: {size} bytes in {searched} places, "
          f"{found} secrets found")
    return bool(found or not searched)


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    sys.exit(collect(words) if verb == "collect"
             else search(words[0], memory(words[1])) if verb == "memory"
             else search(words[0], contents(words[1:])))
