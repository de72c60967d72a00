# SPDX-License-Identifier: BSD-2-Clause
"""What a run on AWS Lambda costs, as xc-lambda cost computes it."""
from xcdriver.places import ROOT
from xcdriver.processes import run

COST = ROOT / "lambda/cost"


def lines(rows, timings, options):
    """What xc-lambda cost prints; None for a run elsewhere, and where xc-lambda is not installed."""
    if not any(row.paid for row in rows) or not COST.exists():
        return None
    memory = str(options.memory)
    return run([COST, options.arch, memory, memory, timings]).splitlines()
