# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios, and how they are shown."""

import json
import os
import platform
import statistics

from cases import CASES
from systems import BASELINE, OURS, PEERS, SYSTEMS

# What else of a result has a row in the table; all is in the JSON.
SHOWN_BESIDE = ("p99", "copies_per_frame")

BUSY = 0.1                          # Processors' worth of work of others.


class Report:
    """'values' maps (system, case) to a list of (value, details), one for
    each run."""

    def __init__(self, values, failures, options, background):
        self.values = values
        self.failures = failures
        self.options = options
        self.background = background

    def median(self, system, case):
        runs = self.values.get((system, case))
        return statistics.median(value for value, _ in runs) if runs else None

    def best_peer(self, case):
        """Name of the encrypted peer that does best, or None."""
        known = [(self.median(peer, case), peer) for peer in PEERS
                 if self.median(peer, case) is not None]
        if not known:
            return None
        return (max if CASES[case].more_is_better else min)(known)[1]

    def ratio(self, system, other, case):
        """How many times as good 'system' is as 'other'."""
        ours, theirs = self.median(system, case), self.median(other, case)
        if not ours or not theirs:
            return None
        return (ours / theirs if CASES[case].more_is_better
                else theirs / ours)

    def result(self, system, case):
        runs = self.values[system, case]
        best = self.best_peer(case)
        row = {"system": system, "case": case,
               "value": rounded(self.median(system, case)),
               "unit": CASES[case].unit,
               "runs": [rounded(value) for value, _ in runs],
               "best_peer": best,
               "ratio_best_peer": rounded(self.ratio(system, best, case)),
               "ratio_kernel_vxlan": rounded(self.ratio(system, BASELINE,
                                                        case))}
        for name in runs[0][1]:
            row[name] = rounded(statistics.median(details[name]
                                                  for _, details in runs))
        return row

    def machine(self):
        return {"cpus": os.cpu_count(), "kernel": platform.release(),
                "model": cpu_model(), "background": rounded(self.background),
                "seconds": self.options.seconds}

    def json(self):
        results = [self.result(system, case) for case in self.options.case
                   for system in self.options.only
                   if (system, case) in self.values]
        return json.dumps({"results": results, "failures": self.failures,
                           "machine": self.machine()}, indent=1)

    def table(self):
        """A Markdown table that also reads well as it is: a row for each
        case, then our ratios."""
        systems = self.options.only
        head = ["case", "unit", *systems]
        if OURS in systems:
            head += ["x best peer", "x kernel VXLAN"]
        rows = [head]
        for case in self.options.case:
            rows += self.rows(case, systems)
        return "\n".join([*aligned(rows), "", *self.legend()])

    def rows(self, case, systems):
        found = {system: self.result(system, case) for system in systems
                 if (system, case) in self.values}
        if not found:
            return []
        row = [case, CASES[case].unit, *(plain(found.get(system), "value")
                                         for system in systems)]
        if OURS in systems:
            ours = found.get(OURS)
            row += [plain(ours, "ratio_best_peer"),
                    plain(ours, "ratio_kernel_vxlan")]
        rows = [row]
        for name in SHOWN_BESIDE:
            if any(name in each for each in found.values()):
                rows.append([f"{case}, {name}", "",
                             *(plain(found.get(system), name)
                               for system in systems)])
        return rows

    def legend(self):
        lines = [f"{name}: {CASES[name].title}." for name in self.options.case]
        lines += [f"{name}: {SYSTEMS[name].title}."
                  for name in self.options.only]
        lines += ['"x": how many times as good vsubnet is; the best peer is '
                  f"the best of {', '.join(PEERS)}.",
                  f"Median of {self.options.runs} runs of "
                  f"{self.options.seconds:g} s."]
        if self.background > BUSY:
            lines.append(f"WARNING: {self.background:.1f} of {os.cpu_count()} "
                         "processors were busy with other things.")
        for failure in self.failures:
            lines.append(f"FAILED: {failure['system']} "
                         f"({', '.join(failure['cases'])}): "
                         f"{failure['error']}")
        return lines


def aligned(rows):
    """Lines of a Markdown table, the first of 'rows' being its head."""
    rows = [row + [""] * (len(rows[0]) - len(row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(cell.ljust(width) for cell, width
                              in zip(row, widths)) + " |" for row in rows]


def rounded(value):
    return value if value is None or isinstance(value, int) \
        else float(f"{value:.4g}")


def plain(result, name):
    value = result and result.get(name)
    return "-" if value is None else f"{value:.10g}"


def cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()
