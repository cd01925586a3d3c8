#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads what a /metrics answers, with the parser of Prometheus' own client.

    metrics.py check FILE...            are the conventions kept?
    metrics.py names FILE...            the names of all samples
    metrics.py get FILE NAME [LABEL=VALUE...]
                                        the value of one sample
    metrics.py dashboard JSON FILE...   does each metric that the dashboard
                                        names exist in one of the files?
"""

import json
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

FORBIDDEN = ("_ms", "_milliseconds", "_usec", "_kb", "_mb", "_minutes")


def families(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return list(text_string_to_metric_families(text))


def complaints(path):
    seen = set()
    for family in families(path):
        name = family.name + ("_total" if family.type == "counter" else "")
        if not re.fullmatch(r"vsubnet_(mapper|controller)_[a-z0-9_]+", name):
            yield f"{name}: not a name of ours"
        if not family.documentation.endswith("."):
            yield f"{name}: no HELP line, or no sentence"
        if family.type not in ("counter", "gauge", "histogram"):
            yield f"{name}: type {family.type}"
        if family.name in seen:
            yield f"{name}: its samples are not together"
        seen.add(family.name)
        if family.type != "counter" and family.name.endswith("_total"):
            yield f"{name}: _total, but no counter"
        if family.name.endswith(FORBIDDEN):
            yield f"{name}: not a base unit"
        for word in ("seconds", "bytes"):
            if (f"_{word}" in family.name
                    and not re.search(rf"_{word}(_total|$)", name)):
                yield f"{name}: the unit is not at the end"
        keys = [(s.name, tuple(sorted(s.labels.items())))
                for s in family.samples]
        if len(keys) != len(set(keys)):
            yield f"{name}: a sample is there twice"
        for sample in family.samples:
            if family.type == "counter" and not sample.name.endswith("_total"):
                yield f"{sample.name}: a counter without _total"
            if sample.value < 0:
                yield f"{sample.name}: less than 0"


def names(paths):
    found = set()
    for path in paths:
        for family in families(path):
            found |= {sample.name for sample in family.samples}
            # One may have no sample at the moment.
            found.add(family.name + ("_total" if family.type == "counter"
                                     else ""))
    return found


def get(path, name, *labels):
    want = dict(label.split("=", 1) for label in labels)
    values = [s.value for f in families(path) for s in f.samples
              if s.name == name and s.labels == want]
    return f"{values[0]:g}" if len(values) == 1 else f"{len(values)} samples"


def expressions(node):
    """All queries of a dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def dashboard(path, *metrics):
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    queries = list(expressions(board))
    known = names(metrics)
    used = set(re.findall(r"vsubnet_[a-z0-9_]+", " ".join(queries)))
    for name in sorted(used - known):
        print(f"{path}: there is no {name}")
    ids = [panel["id"] for panel in board["panels"]]
    if len(ids) != len(set(ids)):
        print(f"{path}: two panels have one ID")
    print("queries:", len(queries) > 10, "metrics:", len(used) > 10)
    return bool(used - known)


def main(verb, *words):
    if verb == "check":
        bad = [f"{path}: {c}" for path in words for c in complaints(path)]
        print("\n".join(bad), end="\n" if bad else "")
        return bool(bad)
    if verb == "names":
        print("\n".join(sorted(names(words))))
        return 0
    if verb == "get":
        print(get(*words))
        return 0
    return dashboard(*words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
