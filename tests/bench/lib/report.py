# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios, and how they are shown."""

import json
import os
import platform
import statistics

from cases import CASES
from systems import BASELINE, PEERS, SYSTEMS


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
        rows = [["case", "system", "median", "unit", "x best peer",
                 "x kernel VXLAN", "runs", "beside"]]
        for case in self.options.case:
            for system in self.options.only:
                if (system, case) in self.values:
                    rows.append(self.row(self.result(system, case)))
        widths = [max(len(row[i]) for row in rows)
                  for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width
                           in zip(row, widths)).rstrip() for row in rows]
        lines.append("")
        lines += [f"{name}: {SYSTEMS[name].title}"
                  for name in self.options.only]
        lines.append('"x": how many times as good; the best peer is the best '
                     f"of {', '.join(PEERS)}")
        for failure in self.failures:
            lines.append(f"FAILED: {failure['system']} "
                         f"({', '.join(failure['cases'])}): "
                         f"{failure['error']}")
        return "\n".join(lines)

    @staticmethod
    def row(result):
        fixed = {"system", "case", "value", "unit", "runs", "best_peer",
                 "ratio_best_peer", "ratio_kernel_vxlan"}
        beside = " ".join(f"{name}={plain(result[name])}" for name in result
                          if name not in fixed)
        return [result["case"], result["system"], plain(result["value"]),
                result["unit"], plain(result["ratio_best_peer"]),
                plain(result["ratio_kernel_vxlan"]),
                " ".join(plain(value) for value in result["runs"]), beside]


def rounded(value):
    return value if value is None or isinstance(value, int) \
        else float(f"{value:.4g}")


def plain(value):
    return "-" if value is None else f"{value:.10g}"


def cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()
