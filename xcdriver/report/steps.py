# SPDX-License-Identifier: BSD-2-Clause
"""What each step of a run waited for, and what the run as a whole waited for: its critical path."""
import heapq

SLACK = 0.1     # seconds between what a step waits for and its start that are no waiting
LONG_PAUSE = 5  # seconds in which nothing runs, as between an interruption and the next run: they are left out


class Timed:
    """A row of timings.tsv with what the graph says about the step."""

    def __init__(self, row, argv, inputs):
        self.row, self.inputs = row, inputs  # inputs: those steps that write its input files
        self.name, self.start, self.end = row.name, row.start, row.end
        self.tool = argv[0] if argv else "other"
        self.kind = " ".join(argv[:2]) if argv and argv[1] in ("--anchors", "--follow") else self.tool
        self.lane = 0
        self.cause = self.before = None  # why it did not start earlier, and the step whose end it started after
        self.critical = False

    def last_input(self):
        """The step whose output came last."""
        return max(self.inputs, key=lambda step: step.end, default=None)


def without_pauses(rows):
    """Moves the rows so that the first one starts at 0, and long pauses go. Returns the rows, and where pauses were:
    pairs of a time and the seconds left out there."""
    rows = sorted(rows, key=lambda row: (row.start, row.end))
    shift = busy_until = rows[0].start
    moved, pauses = [], []
    for row in rows:
        if row.start - busy_until > LONG_PAUSE:
            pauses.append([busy_until - shift, row.start - busy_until])
            shift += row.start - busy_until
        busy_until = max(busy_until, row.end)
        moved.append(row._replace(start=row.start - shift, end=row.end - shift))
    return moved, pauses


def timed_steps(rows, graph):
    """The steps of the rows, in the order in which they started."""
    known = {step.outputs[0]: step for step in graph}
    writer = {output: step.outputs[0] for step in graph for output in step.outputs}
    steps = {}
    for row in rows:
        step = known.get(row.name)
        steps[row.name] = Timed(row, step and step.argv, [])
    for name, timed in steps.items():
        inputs = known[name].inputs if name in known else []
        timed.inputs = [steps[writer[file]] for file in inputs if writer.get(file) in steps]
    return list(steps.values())


def assign_lanes(steps):
    """Gives each step a slot that is free when it starts, of these the one that became free last. Returns their number.
    timings.tsv does not name slots."""
    running, free = [], []  # heaps: (end, lane), (-end, lane)
    lanes = 0
    for step in steps:
        while running and running[0][0] <= step.start + 1e-3:
            end, lane = heapq.heappop(running)
            heapq.heappush(free, (-end, lane))
        if free:
            _, step.lane = heapq.heappop(free)
        else:
            step.lane, lanes = lanes, lanes + 1
        heapq.heappush(running, (step.end, step.lane))
    return lanes


def find_causes(steps, lanes):
    """Finds out for each step why it did not start earlier: because an input came then ("input"), because no slot was
    free ("slot"), or because make or the driver began it only then ("start")."""
    ended = sorted(steps, key=lambda step: step.end)
    at, latest, running = 0, None, 0
    full_since_end_of = None  # when all slots were taken last, the step whose end made room
    for step in steps:
        while at < len(ended) and ended[at].end <= step.start + 1e-3:
            latest = ended[at]
            if running == lanes:
                full_since_end_of = latest
            running -= 1
            at += 1
        running += 1
        given = step.last_input()
        if given and (step.start - given.end <= SLACK or given is latest):
            step.cause, step.before = "input", given
        elif full_since_end_of and step.start - full_since_end_of.end <= SLACK:
            step.cause, step.before = "slot", full_since_end_of
        else:
            step.cause, step.before = "start", given or latest


def mark_critical_path(steps):
    """Marks the steps without whose duration the run would have ended earlier: from the last one back, each time to
    the one after whose end it started. Returns them in order."""
    path, step = [], max(steps, key=lambda step: step.end)
    while step:
        step.critical = True
        path.append(step)
        step = step.before
    return path[::-1]


def longest_chain(steps):
    """The seconds that the run would take if no step waited for a slot: the longest chain of steps of which each reads
    what the one before it writes."""
    finish = {}
    for step in sorted(steps, key=lambda step: step.end):  # an input is written before it is read
        finish[step] = max((finish.get(given, 0) for given in step.inputs), default=0) + step.end - step.start
    return max(finish.values())


def columns(steps):
    number = {step: i for i, step in enumerate(steps)}

    def index(step):
        return -1 if step is None else number[step]
    return [{"name": step.name, "chunk": step.row.chunk, "kind": step.kind, "start": round(step.start, 4),
             "end": round(step.end, 4), "cpu": round(step.row.cpu, 4), "memory": step.row.memory,
             "read": step.row.read, "wrote": step.row.wrote, "paid": step.row.paid, "lane": step.lane,
             "cause": step.cause, "before": index(step.before), "input": index(step.last_input()),
             "critical": int(step.critical)} for step in steps]


def analyse(rows, graph):
    """All that the page shows of a run."""
    moved, pauses = without_pauses(rows)
    steps = timed_steps(moved, graph)
    lanes = assign_lanes(steps)
    find_causes(steps, lanes)
    path = mark_critical_path(steps)
    return {"rows": columns(steps), "lanes": lanes, "pauses": pauses, "chain": longest_chain(steps),
            "path": [steps.index(step) for step in path], "seconds": max(step.end for step in steps),
            "paid": sum(step.row.paid for step in steps)}
