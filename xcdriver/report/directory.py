# SPDX-License-Identifier: BSD-2-Clause
"""A directory with chunks: what is in it, and how its chunks and batches lie. A run may be at work there: a row may be
half-written, and what no step needs any more may go at any time."""
import collections
import itertools
import json
import re
import shutil
import subprocess

from xcdriver import graph, ivf, sources
from xcdriver.processes import Failure, ending, log_in_memory, reason, run, started

REFERENCE = re.compile(rb"XCREF [a-z -]+\n(?:.*\n)*?size (\d+)\n")  # lambda/reference.h, hosts/files.py
LONGEST_REFERENCE = 4096
LONGEST_HEADER = 1000  # of a Y4M file

Row = collections.namedtuple("Row", "name chunk start end cpu memory read wrote paid")


def size_of(path):
    """The bytes of a file, or of what a reference stands for; None if it has gone."""
    try:
        size = path.stat().st_size
        found = size <= LONGEST_REFERENCE and REFERENCE.match(path.read_bytes())
    except FileNotFoundError:
        return None
    return int(found[1]) if found else size


def sizes_of(paths):
    """The bytes of those files that are there, by name."""
    sizes = {path.name: size_of(path) for path in paths}
    return {name: size for name, size in sizes.items() if size is not None}


def feed(pipe, path, is_first):
    """Writes a chunk's raw pictures to a pipe. Only the first chunk has a header there."""
    with open(path, "rb") as chunk:
        header = chunk.readline(LONGEST_HEADER)
        if is_first:
            pipe.write(header)
        shutil.copyfileobj(chunk, pipe, 1 << 20)


def parse_row(line):
    name, chunk, *numbers = line.rstrip("\n").split("\t")
    start, end, cpu, memory, read, wrote, paid = map(float, numbers)
    if not (re.fullmatch(r"[\w.-]{1,100}", name) and chunk.isdecimal() and 0 <= start <= end < 1e11 and
            all(0 <= value < 1e18 for value in (cpu, memory, read, wrote, paid))):
        raise ValueError
    return Row(name, int(chunk), start, end, cpu, int(memory), int(read), int(wrote), paid)


class Directory:
    def __init__(self, path):
        self.path, self.notes = path, []
        self.timings_path = path / "timings.tsv"
        names = {entry.name for entry in path.iterdir()}
        finished = sorted(int(name[:-4]) for name in names if re.fullmatch(r"\d{8}\.ivf", name))
        if not finished:
            raise Failure(f"{path}: has no finished chunk, such as {graph.finished(0)}; excamera --keep keeps them")
        self.chunks = range(finished[0], finished[-1] + 1)
        missing = sorted(set(self.chunks) - set(finished))
        if missing:
            self.chunks = range(finished[0], missing[0])
            self.notes.append(f"Chunk {missing[0]} is not finished. The frames end before it.")
        self.names = names
        self.rows = self.timings()
        made = [*names, *(row.name for row in self.rows)]
        self.structure = graph.structure_of(made)

    def merge(self, scratch):
        """The finished chunks as one film."""
        film = scratch / "film.ivf"
        run(["xc-merge", "-o", film, *map(graph.finished, self.chunks)], cwd=self.path)
        return film

    def frames_of(self, chunk):
        return ivf.frames(self.path / graph.finished(chunk))

    def batches(self):
        """Ranges of chunks, each of which begins with a key frame."""
        first = [chunk for chunk in self.chunks
                 if any(frame.is_key for frame in itertools.islice(self.frames_of(chunk), 1))]
        return [range(begin, end) for begin, end in zip(first, [*first[1:], self.chunks.stop])]

    def raw_steps(self):
        """The steps that made raw chunks, if there were some (sources.py)."""
        made = {row.name for row in self.rows}
        for chunk in self.chunks:
            names = graph.raw(chunk), *graph.extracts(chunk)
            if names[0] in made and sources.plan(chunk) in self.names:
                yield graph.Step(names, [], ["xc-unpack", "-o", names[0]])
            else:
                yield from (graph.Step([name], [], ["xc-png2y4m", "-o", name]) for name in names if name in made)

    def graph(self):
        """The steps that make the finished chunks."""
        raw_steps = list(self.raw_steps())
        near = graph.some_near if raw_steps else graph.raw_near
        return [*raw_steps, *(step for batch in self.batches() for step in graph.batch_steps(
            graph.STRUCTURES, self.structure, batch, 0, near))]

    def quality(self):
        """What the record of ./excamera says, if there is one."""
        try:
            quality = json.loads((self.path / "record.json").read_text())["arguments"]["quality"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return quality if isinstance(quality, int) else None

    def layout(self):
        """Where chunks and batches begin, in frames of the stream, and how large files are."""
        starts, frames = [], 0
        for chunk in self.chunks:
            starts.append(frames)
            frames += sum(1 for _ in self.frames_of(chunk))
        first = {batch[0] for batch in self.batches()}
        states, raw = (sizes_of(self.path / name for name in sorted(self.names) if re.fullmatch(pattern, name))
                       for pattern in (r"\d{8}-\w+\.state", r"\d{8}\.y4m"))
        return {"chunks": starts, "first_chunk": self.chunks.start, "structure": self.structure,
                "quality": self.quality(), "raw_bytes": sum(raw.values()),
                "states": [{"name": name, "bytes": size} for name, size in states.items()],
                "batches": [chunk - self.chunks.start for chunk in self.chunks if chunk in first]}

    def ssim(self, film):
        """The SSIM of each picture that the film shows; None without the raw pictures."""
        paths = [self.path / graph.raw(chunk) for chunk in self.chunks]
        try:
            if all(path.exists() for path in paths):
                return self.compare(paths, film)
        except FileNotFoundError:
            pass
        self.notes.append("The raw pictures are not all here, so the SSIM of the film is not known.")
        return None

    def compare(self, paths, film):
        answers = film.with_name("ssim.json")
        with log_in_memory() as log, open(answers, "w") as out, \
                started(["xc-ssim", "--json", "-1", "y4m", "-2", "ivf", "-", film], stdin=subprocess.PIPE, stdout=out,
                        stderr=log) as process:
            try:
                for number, path in enumerate(paths):
                    feed(process.stdin.buffer, path, is_first=number == 0)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it says why it has ended
            if process.wait():
                log.seek(0)
                raise Failure(reason(log.read()) or ending("xc-ssim", process.returncode))
        return [frame["y"] for frame in json.loads(answers.read_text())["frames"]]

    def timings(self):
        """The rows of timings.tsv. A step that was run again counts as it was run last."""
        if not self.timings_path.exists():
            self.notes.append("There is no timings.tsv, so it is not known what the steps took: excamera --keep, and "
                              "make TIMINGS=timings.tsv, write it.")
            return []
        rows = {}
        with open(self.timings_path, errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith("\n"):
                    break
                try:
                    row = parse_row(line)
                except ValueError:
                    raise Failure(f"{self.timings_path}: line {number} is not a row of timings.tsv") from None
                rows[row.name] = row
        return list(rows.values())
