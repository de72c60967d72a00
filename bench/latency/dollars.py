# SPDX-License-Identifier: BSD-2-Clause
"""What a run costs, by the prices and rules of `xc-lambda cost`."""
import importlib.machinery
import importlib.util
import pathlib

COST = pathlib.Path(__file__).resolve().parents[2] / "lambda/cost"
MEMORY = 1769  # MB: one core


def load():
    """lambda/cost as a module."""
    loader = importlib.machinery.SourceFileLoader("lambda_cost", str(COST))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


cost = load()


def dollars(job, outcome, arch="x86_64", memory=MEMORY):
    """For one run of a job (functions.py). Requests in vain are counted, too: `xc-lambda cost` cannot know them."""
    cpu = sum(job.film.medians)
    run = cost.Run(job.invocations + outcome.spares, len(job.film.tasks), outcome.busy, cpu, cpu, job.uploaded,
                   job.stored)
    return sum(cost.price(run, arch, memory)) + outcome.polls * cost.GET
