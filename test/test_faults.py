# SPDX-License-Identifier: BSD-2-Clause
"""A run of ./excamera in which one call fails, or one process is killed: either the film comes out right all the same,
or one line says what is wrong and the same command, once more, makes the same bytes.

XC_FAULTS=all test/run test_faults.Points tries each point of a run with each fault; it takes more than an hour.
XC_KILLS=50 test/run test_faults.Kills makes 50 runs with random kills; XC_SEED=N makes run N the first one, to repeat
it. Without these variables it is a sample that takes a minute or two."""
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import BIN, ROOT, Case
from test_segments import named

ALL = os.environ.get("XC_FAULTS") == "all"
SAMPLE = None if ALL else int(os.environ.get("XC_FAULTS", "40"))
KILLED_RUNS, FIRST_SEED = int(os.environ.get("XC_KILLS", "4")), int(os.environ.get("XC_SEED", "1"))
KILLS = 3  # in each of these runs
OPTIONS = ("-s", "2", "-k", "2", "-j", "2")
SHARED_SIZE = 4 * 1002  # struct shared in preload/fault.c

FAILING = ("28", "5", "self")  # ENOSPC, EIO, SIGKILL
ACTIONS = {"write": FAILING, "fsync": FAILING, "ftruncate": FAILING, "create": FAILING, "rename": FAILING,
           "mkdir": FAILING, "unlink": ("5", "self"), "rmdir": ("5", "self"), "fork": ("11", "self"),  # EAGAIN
           "exec": ("12", "self"), "wait": ("self",)}  # ENOMEM
PROGRESS = re.compile(r"\w+ \.\.\.|\w+: frame .*")  # the second one every ten seconds
OTHERS = ("python3", "make", "xc-", "ffmpeg")  # are killed at points of other programs, too


def processes(mark):
    """The numbers of the processes that have this in their environment, and their names."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (path / "environ").read_bytes():
                yield int(path.name), (path / "comm").read_text().strip()
        except OSError:  # it has just ended
            pass


class FaultCase(Case):
    OUTPUT, MORE = "out.webm", ()

    def setUp(self):
        super().setUp()
        harness.need("ffmpeg", "ffprobe", "make", "gcc")
        if b"libasan" in harness.run("ldd", BIN / "xc-enc").stdout:
            self.skipTest("the sanitizer's library has to be the first one that is preloaded")
        self.library = harness.cached(self.build, "fault.so", suffix=".so")
        self.source = harness.cached(self.make_source, "faults", suffix=".mkv")
        self.expected = self.contents(harness.cached(self.encode, "faults, encoded", self.OUTPUT,
                                                     suffix=pathlib.Path(self.OUTPUT).suffix))

    @staticmethod
    def contents(path):
        """Of a file or a directory."""
        return {part.name: part.read_bytes() for part in path.iterdir()} if path.is_dir() else path.read_bytes()

    @staticmethod
    def build(path):
        harness.must("gcc", "-std=c11", "-O1", "-shared", "-fPIC", "-o", path, ROOT / "test/preload/fault.c", "-ldl")

    @staticmethod
    def make_source(path):
        """Four chunks in two batches, with sound."""
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(width=64, height=64, frames=8), "-f", "lavfi", "-i",
                     "sine=duration=0.4", "-c:v", "ffv1", "-c:a", "flac", path)

    def encode(self, path):
        harness.must(ROOT / "excamera", self.source, "-o", path, *OPTIONS, *self.MORE)

    def excamera(self, directory, **changes):
        """A run in that directory. Not by way of the first line of ./excamera, which may start further programs."""
        command = [sys.executable, str(ROOT / "excamera"), "in.mkv", "-o", self.OUTPUT, *OPTIONS, *self.MORE]
        return subprocess.Popen(command, cwd=directory, env=harness.environment(**changes), stdin=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def directory(self, name):
        """A new directory with the film."""
        path = self.dir / name / "film"
        path.mkdir(parents=True)
        shutil.copy(self.source, path / "in.mkv")
        return path

    def faulty(self, directory, fault):
        """A run with a fault; returns its exit status, its messages and whether the fault came to pass."""
        shared = directory.parent / "shared"
        shared.write_bytes(bytes(SHARED_SIZE))
        process = self.excamera(directory, LD_PRELOAD=str(self.library), XC_FAULT=fault, XC_FAULT_SHARED=str(shared))
        text = process.communicate(timeout=harness.TIMEOUT)[1]
        return process.returncode, text, int.from_bytes(shared.read_bytes()[:4], sys.byteorder) >= int(fault.split()[0])

    def is_right(self, output):
        """Whether an output that is there, perhaps after a failure, may be there."""
        return self.contents(output) == self.expected

    def wrong(self, directory, status, text):
        """What is wrong with the end of a run, or None."""
        said = [line for line in text.splitlines() if not PROGRESS.fullmatch(line)]
        output = directory / self.OUTPUT
        if output.exists() and not self.is_right(output):
            return "the output is wrong"
        if status == 0 and not output.exists():
            return "exit status 0, but no output"
        if status > 0 and (len(said) != 1 or not said[0].startswith("excamera: ")):
            return "not one line"
        if status not in (0, 1, -signal.SIGKILL):
            return f"exit status {status}"
        return None

    def goes_on(self, directory):
        """What is wrong with a run without faults after one with a fault, or None."""
        process = self.excamera(directory)
        text = process.communicate(timeout=harness.TIMEOUT)[1]
        if process.returncode:
            return f"the next run fails: {text}"
        left = {path.name for path in directory.iterdir()} - {"in.mkv", self.OUTPUT}
        return self.wrong(directory, process.returncode, text) or (f"the next run leaves {left}" if left else None)


class Points(FaultCase):
    SAMPLE = SAMPLE

    def points(self):
        """All points of a run: (n, label), the n-th that has this label."""
        directory = self.directory("points")
        log = directory.parent / "log"
        process = self.excamera(directory, LD_PRELOAD=str(self.library), XC_FAULT_LOG=str(log))
        self.assertEqual(process.wait(harness.TIMEOUT), 0, process.communicate()[1])
        counts = collections.Counter(log.read_text().splitlines())
        return [(n, label) for label in sorted(counts) for n in range(1, counts[label] + 1)]

    def faults(self, points):
        for n, label in points:
            program, call = label.split()[:2]
            yield from (f"{n} {action} {label}" for action in ACTIONS[call])
            yield from (f"{n} {other} {label}" for other in OTHERS if not program.startswith(other))

    def attempt(self, fault):
        """Returns (whether the fault came to pass, what is wrong or None)."""
        directory = self.directory(fault.replace(" ", "_"))
        status, text, reached = self.faulty(directory, fault)
        wrong = self.wrong(directory, status, text)
        if not wrong and {path.name for path in directory.iterdir()} != {"in.mkv", self.OUTPUT}:
            wrong = self.goes_on(directory)
        shutil.rmtree(directory.parent)
        return reached, wrong and f"{wrong}: {text}"

    def test_one_fault(self):
        points = self.points()
        faults = list(self.faults(points))
        chosen = random.Random(1).sample(faults, self.SAMPLE or len(faults))
        reached, wrong = 0, []
        with concurrent.futures.ThreadPoolExecutor(4 if ALL else 2) as pool:
            for fault, (came, what) in zip(chosen, pool.map(self.attempt, chosen)):
                reached += came
                if what:
                    wrong.append(f"{fault}: {what}")
        print(f"test_faults: {len(points)} points, {len(faults)} faults at them; tried {len(chosen)}, "
              f"of which {reached} came to pass")
        self.assertEqual(wrong, [])
        self.assertGreater(reached, len(chosen) * 0.8)


class SegmentPoints(Points):
    """With --segments: what the manifest names is always as it is in the end, and a complete one names everything."""

    OUTPUT, MORE, SAMPLE = "out", ("--segments", "dash"), SAMPLE and SAMPLE // 4

    def is_right(self, output):
        there = self.contents(output)
        if b'type="static"' in there.get("film.mpd", b""):
            return there == self.expected
        names = named(output) if "film.mpd" in there else []
        return all(there.get(name) == self.expected[name] for name in names)


class Kills(FaultCase):
    def test_random_kills(self):
        """Each run is begun again and again until some of its processes have been killed; then it may end. It makes
        the same bytes each time."""
        killed, begin = collections.Counter(), time.monotonic()
        self.assertIsNone(self.goes_on(self.directory("whole")))
        self.length = time.monotonic() - begin  # of a run, today on this machine
        for seed in range(FIRST_SEED, FIRST_SEED + KILLED_RUNS):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                directory = self.directory(f"kills-{seed}")
                for _ in range(KILLS):
                    killed[self.kill_once(directory, chance)] += 1
                self.assertIsNone(self.goes_on(directory))
                self.assertEqual(self.contents(directory / self.OUTPUT), self.expected)
                shutil.rmtree(directory.parent)
        killed.pop(None, None)
        names = ", ".join(f"{count} of {name}" for name, count in sorted(killed.items()))
        print(f"test_faults: {KILLED_RUNS} runs from seed {FIRST_SEED} on; kills: {names}")

    def kill_once(self, directory, chance):
        """Returns the name of the program that was killed. None if all had ended by then."""
        process = self.excamera(directory, XC_FAULT_SHARED=str(directory))
        time.sleep(chance.uniform(0, self.length))
        there = collections.defaultdict(list)
        for number, name in processes(f"XC_FAULT_SHARED={directory}"):
            there[name].append(number)
        killed = chance.choice(sorted(there)) if there else None
        try:
            if killed:
                os.kill(chance.choice(there[killed]), signal.SIGKILL)
        except ProcessLookupError:
            killed = None
        text = process.communicate(timeout=harness.TIMEOUT)[1]
        self.assertIsNone(self.wrong(directory, process.returncode, text), f"{killed} was killed: {text}")
        return killed
