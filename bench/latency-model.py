#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Predicts how long it takes to encode a film, by scheduling the same graph that gen_makefile.py writes.

  latency-model.py paper PAPER.json             compares the model with the ExCamera authors' runs on AWS Lambda
  latency-model.py local -j 2 ONE.tsv TWO.tsv   predicts a local run at -j 2 from the step times of a run at -j 1
  latency-model.py lambda NAME=TIMINGS.tsv...   predicts films of ours on Lambda from measured step times: seconds and
                                                dollars
  latency-model.py machine NAME=TIMINGS.tsv...  predicts the same films on one machine with many cores

The same arguments always give the same figures. docs/notes/latency.md explains the model and names the source of each
number."""
import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from latency import functions, paper, schedule, timings  # noqa: E402
from latency.chance import Spread, outcome, runs  # noqa: E402
from latency.dollars import dollars  # noqa: E402
from latency.machine import film_on_machine  # noqa: E402
from latency.polling import Polling  # noqa: E402
from latency.source import Source  # noqa: E402
from latency.tasks import in_make_order, tasks_of  # noqa: E402

SEED = 1
ENGINES = ["lambda-chunk", "lambda"]


def table(title, heads, rows):
    """Prints a title, and rows of texts and numbers in columns."""
    texts = [heads] + [[cell if isinstance(cell, str) else f"{cell:.1f}" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    print(title)
    for row in texts:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    print()


def percent(predicted, measured):
    return f"{100 * (predicted / measured - 1):+.1f} %"


def paper_command(options):
    """Predicts each configuration from its own medians per step. The time of the serial step comes from the other
    configurations only. The totals are not used."""
    authors = paper.Paper(options.paper)
    report = {"positions": [], "totals": []}
    for size, published in paper.PUBLISHED.items():
        film, spread = authors.film(size), Spread(content=paper.CONTENT[size])
        ends = [run.ends for part in runs(film, spread, SEED, paper.PARTS, 1) for run in part]
        for position in range(size):
            predicted = statistics.median(end for run in ends for end in run[position::size])
            report["positions"].append({"k": size, "position": position, "predicted": predicted,
                                        "measured": authors.finish(size, position)})
        totals = [paper.published_total(film, spread, seed) for seed in range(options.films)]
        tenths = statistics.quantiles(totals, n=10)
        report["totals"].append({"k": size, "predicted": statistics.median(totals), "published": published,
                                 "tenths": [tenths[0], tenths[-1]]})

    table("Median finish time per position in the batch, seconds", ["", "position", "predicted", "measured", "error"],
          [[f"[6,{row['k']}]", str(row["position"]), row["predicted"], row["measured"],
            percent(row["predicted"], row["measured"])] for row in report["positions"]])
    table("Total, seconds", ["", "predicted", "published", "error", "eight of ten simulated"],
          [[f"[6,{row['k']}]", row["predicted"], row["published"], percent(row["predicted"], row["published"]),
            "{:.0f} to {:.0f}".format(*row["tenths"])] for row in report["totals"]])
    return report


def local_command(options):
    """Step times and the time that make takes between two steps come from the run at -j 1. On a busy machine only the
    last row means much: it schedules the second run by its own step times."""
    one, many = timings.read_timings(options.one), timings.read_timings(options.many)
    tasks = tasks_of(in_make_order(timings.steps_of(one, options.batch, options.one)))
    timings.steps_of(many, options.batch, options.many)
    gap = (timings.makespan(one) - sum(row.end - row.start for row in one.values())) / len(one)
    report = []
    for what, rows, seconds in (("the first run's wall times", one, lambda row: row.end - row.start),
                                ("the first run's CPU times", one, lambda row: row.cpu),
                                ("its own wall times", many, lambda row: row.end - row.start)):
        durations = [seconds(rows[task.name]) + gap for task in tasks]
        predicted = max(schedule.list_schedule(tasks, durations, options.jobs)[1])
        report.append({"from": what, "predicted": predicted, "measured": timings.makespan(many)})
    table(f"Makespan of the second run, at -j {options.jobs}, seconds", ["from", "predicted", "measured", "error"],
          [[*row.values(), percent(row["predicted"], row["measured"])] for row in report])
    return report


def settings(options, kind):
    return kind(**{name: getattr(options, name) for name in kind._fields})


def films_of(options):
    """The names and the measurements of the films that are to be predicted."""
    for argument in options.timings:
        name, _, path = argument.rpartition("=")
        yield name or path, timings.measure(path, options.batch)


def predict(film, spread, films):
    """When a film is finished: in the plain schedule, in the median run, and in one run in ten. And all the runs."""
    outcomes = [part[0] for part in runs(film, spread, SEED, films, 1)]
    totals = [max(run.ends) for run in outcomes]
    tenth = statistics.quantiles(totals, n=10)[-1] if len(totals) > 1 else totals[0]
    return {"no spread": max(outcome(film, film.medians, film.medians).ends), "median": statistics.median(totals),
            "one in ten": tenth}, outcomes


def lambda_command(options):
    service, source, polling, spread = (settings(options, kind)
                                        for kind in (functions.Service, Source, Polling, Spread))
    report = {"service": service._asdict(), "source": source._asdict(), "polling": polling._asdict(),
              "spread": spread._asdict(), "predictions": []}
    for name, measured in films_of(options):
        model = functions.Model(measured, source, service, options.chunks, polling)
        for engine in options.engine if measured.has_chain else {"lambda"} & set(options.engine):
            for batch in options.k:
                job = (model.in_chunks(batch, options.spares) if engine == "lambda-chunk" else
                       model.in_steps(batch, options.jobs, options.spares))
                seconds, outcomes = predict(job.film, spread, options.films)
                report["predictions"].append({
                    "film": name, "structure": measured.structure, "engine": engine, "k": batch, **seconds,
                    "spares": statistics.mean(run.spares for run in outcomes),
                    "polls": statistics.median(run.polls for run in outcomes),
                    "dollars": statistics.median(dollars(job, run) for run in outcomes)})
    print_films(report, options, "seconds until all are finished", "engine")
    return report


def machine_command(options):
    spread = settings(options, Spread)._replace(slow=0)
    report = {"cores": options.cores, "spread": spread._asdict(), "predictions": []}
    for name, measured in films_of(options):
        for batch in options.k:
            film = film_on_machine(measured, options.chunks, batch, options.cores, options.core_speed)
            seconds, _ = predict(film, spread, options.films)
            report["predictions"].append({"film": name, "structure": measured.structure, "k": batch, **seconds})
    print_films(report, options, f"seconds on one machine with {options.cores} cores")
    return report


def print_films(report, options, what, *more):
    """A table for each film."""
    keys = ["structure", *more, "k", "no spread", "median", "one in ten", *(["dollars"] if more else [])]
    heads = {"k": "K", "median": "median run", "one in ten": "one run in ten"}
    for name in dict.fromkeys(row["film"] for row in report["predictions"]):
        rows = [row for row in report["predictions"] if row["film"] == name]
        table(f"{name}: {options.chunks} chunks, {what}", [heads.get(key, key) for key in keys],
              [[str(row[key]) if key == "k" else f"{row[key]:.2f}" if key == "dollars" else row[key] for key in keys]
               for row in rows])


def add_films(parser, kinds):
    """The options of a command that predicts films. kinds: named tuples, of which each field is an option."""
    parser.add_argument("timings", nargs="+", metavar="NAME=TIMINGS.tsv")
    parser.add_argument("--batch", type=int, default=16, help="chunks in a batch of the measured runs (default: 16)")
    parser.add_argument("--chunks", type=int, default=paper.WORKERS,
                        help=f"chunks of the predicted film (default: {paper.WORKERS}, as in the authors' runs)")
    parser.add_argument("-k", type=int, nargs="+", default=list(paper.PUBLISHED),
                        help="batch sizes to predict (default: those of the paper)")
    for kind in kinds:
        for name, value in kind._field_defaults.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, metavar="X",
                                help=f"see docs/notes/latency.md (default: {value:g})")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    authors = commands.add_parser("paper", help="compare with the authors' runs")
    authors.add_argument("paper", metavar="PAPER.json")
    authors.set_defaults(command=paper_command)
    local = commands.add_parser("local", help="compare with local runs")
    local.add_argument("-j", dest="jobs", type=int, default=2, help="jobs in the second run (default: 2)")
    local.add_argument("-k", dest="batch", type=int, default=16, help="chunks in a batch (default: 16)")
    local.add_argument("one", metavar="ONE.tsv")
    local.add_argument("many", metavar="TWO.tsv")
    local.set_defaults(command=local_command)
    ours = commands.add_parser("lambda", help="predict our times on Lambda")
    add_films(ours, (functions.Service, Source, Polling, Spread))
    ours.add_argument("-j", dest="jobs", type=int, default=800,
                      help="jobs of make, for the engine lambda (default: 800)")
    ours.add_argument("--engine", nargs="+", choices=ENGINES, default=ENGINES, help="which engines (default: both)")
    ours.add_argument("--spares", type=int, default=8, help="spare workers at once (default: 8)")
    ours.set_defaults(command=lambda_command)
    machine = commands.add_parser("machine", help="predict our times on one machine")
    add_films(machine, (Spread,))
    machine.add_argument("--cores", type=int, default=64, help="cores, and jobs of make (default: 64)")
    machine.add_argument("--core-speed", type=float, default=1, metavar="X",
                         help="see docs/notes/latency.md (default: 1)")
    machine.set_defaults(command=machine_command)
    for command, films in ((authors, 40), (local, 0), (ours, 100), (machine, 100)):
        command.add_argument("--json", metavar="FILE", help="also write all figures as JSON")
        if films:
            command.add_argument("--films", type=int, default=films,
                                 help=f"how many films to simulate (default: {films})")
    return parser.parse_args()


def main():
    options = parse_arguments()
    report = options.command(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
