#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether any nonce was used twice under one key.

    nonces.py FILE...

reads what programs of a build with sanitizers recorded (VSUBNET_NONCE_FILE,
plugin/seal/nonce-record.h), 16 bytes a pair of traffic key and nonce, all
FILEs together.  Prints how many there are; fails if one is there twice, and
prints up to ten of those.
"""

import collections
import sys

LEN = 16


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    if len(data) % LEN:
        sys.exit(f"{path}: {len(data)} bytes are no records of {LEN}")
    return (data[i:i + LEN] for i in range(0, len(data), LEN))


def main():
    counts = collections.Counter()
    for path in sys.argv[1:]:
        counts.update(records(path))
    print(f"{counts.total()} pairs of key and nonce")
    repeated = [pair for pair, n in counts.items() if n > 1]
    for pair in repeated[:10]:
        print(f"{pair.hex()}: {counts[pair]} times")
    if repeated:
        sys.exit(f"{len(repeated)} pairs were used more than once")


main()
