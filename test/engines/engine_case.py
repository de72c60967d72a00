# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of both engines share: a film's chunks, and what a local run makes of them."""
import os
import re
import shutil
import signal
import subprocess

import harness
from harness import BIN, ROOT, Case, number
from xcdriver import graph
from xcdriver.layout import Layout

FILM = {"width": 96, "height": 80, "frames": 22, "cut": 10}
SIZE, BATCH = 4, 3


class EngineCase(Case):
    """self.dir has the chunks of the film and a makefile."""

    chunks = -(-FILM["frames"] // SIZE)
    apart = False  # whether each chunk is made in a place of its own
    compressed = "0"  # whether the engine has states compressed, as XC_COMPRESS_STATES says it

    def setUp(self):
        super().setUp()
        self.prepare("classic")

    def prepare(self, structure):
        """Begins anew."""
        for path in self.dir.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.write_chunks(self.dir, structure)
        self.structure = structure

    @classmethod
    def write_chunks(cls, directory, structure):
        harness.write_chunks(harness.film(**FILM), directory, SIZE)
        text = harness.must(ROOT / "gen_makefile.py", 0, cls.chunks - 1, BATCH, 22, "--structure", structure)
        (directory / "excamera.mk").write_bytes(text)

    def expected(self, name=None):
        """The bytes of the finished chunks, or of another file, after a local run."""
        def local(path):
            work = path.parent / "work"
            work.mkdir()
            self.write_chunks(work, self.structure)
            harness.must("make", "-j2", "-f", "excamera.mk", "KEEP=1", cwd=work,
                         env=harness.environment(XC_COMPRESS_STATES=self.compressed))
            harness.must("tar", "-cf", path, "-C", work, ".")

        archive = harness.cached(local, "engines", FILM, self.structure, self.compressed, suffix=".tar")
        names = [name] if name else [f"{number(i)}.ivf" for i in range(self.chunks)]
        return b"".join(harness.must("tar", "-xOf", archive, f"./{name}") for name in names)

    def environment(self, **changes):
        """Variables for make, which choose the engine."""
        return harness.environment(**changes)

    def make(self, *arguments, **changes):
        return harness.run("make", "-f", "excamera.mk", *arguments, cwd=self.dir, env=self.environment(**changes))

    def popen(self, *arguments, **changes):
        return subprocess.Popen(["make", "-f", "excamera.mk", *arguments], cwd=self.dir, start_new_session=True,
                                env=self.environment(**changes), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def interrupt(self, run):
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=harness.TIMEOUT)

    def makes_it(self, *arguments, **changes):
        """Encodes the film. Returns what was said on standard error."""
        done = self.make(*arguments, **changes)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.is_made()
        return done.stderr.decode()

    def makes_it_from_pictures(self):
        """The same, the film being PNG files; the expected bytes are those of a local run."""
        for path in self.dir.iterdir():
            path.unlink()
        pictures = harness.write_pictures(harness.film(**FILM), self.dir)
        text = harness.must(ROOT / "gen_makefile.py", 0, self.chunks - 1, BATCH, 22, "--pictures", f"1-{pictures}",
                            "-s", SIZE)
        self.write("excamera.mk", text)
        before = {path.name for path in self.dir.iterdir()}
        finished = [self.dir / f"{number(i)}.ivf" for i in range(self.chunks)]
        harness.must("make", "-j2", "-f", "excamera.mk", cwd=self.dir)
        expected = [path.read_bytes() for path in finished]
        harness.must("make", "-f", "excamera.mk", "clean", cwd=self.dir)
        done = self.make()
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        self.assertEqual([path.read_bytes() for path in finished], expected)
        names = {path.name for path in self.dir.iterdir()} - {"excamera.options", "excamera.sums"}
        self.assertEqual(names, before | {path.name for path in finished})

    def is_made(self):
        """Everything is as after a local run."""
        made = b"".join((self.dir / f"{number(i)}.ivf").read_bytes() for i in range(self.chunks))
        self.assertEqual(made, self.expected())

    def nothing_is_left(self, *more):
        names = {f"{number(i)}.{kind}" for i in range(self.chunks) for kind in ("y4m", "ivf")}
        notes = {"excamera.options", "excamera.sums"}  # the makefile's; not every engine writes checksums
        self.assertEqual({path.name for path in self.dir.iterdir()} - notes, names | {"excamera.mk", *more})

    def check_timings(self):
        """A line for each step, as the local engine has it."""
        rows = {}
        for line in (self.dir / "timings.tsv").read_text().splitlines():
            name, chunk, start, end, cpu, memory, read, wrote, paid = line.split("\t")
            self.assertNotIn(name, rows)
            self.assertTrue(float(start) < float(end) and float(cpu) > 0 and int(memory) > 0, line)
            rows[name] = (chunk, int(read), int(wrote), float(paid))
        for step in graph.film_steps(self.structure, Layout(BATCH).batches(self.chunks), 22, self.apart):
            sizes = [sum(self.size_of(name) for name in names) for names in (step.inputs, step.outputs)]
            self.assertEqual(rows.pop(step.outputs[0]), (step.outputs[0][:8], *sizes, 0))
        self.assertEqual(rows, {})

    def size_of(self, name):
        name = re.sub(r"\d{8}-after-(\d{8})", r"\1-anchors", name)  # a state that is made there again
        path = self.dir / name
        return path.stat().st_size if path.exists() else len(self.expected(name))

    def stub(self, tool, script):
        """Has a script run in place of a tool. Returns variables for that; "$tool" is the tool."""
        folder = self.dir.parent / f"{self.dir.name}-stubs"
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        harness.install_stubs(folder, {tool: f"tool={BIN}/{tool}\n{script}"})
        return {"PATH": f"{folder}:{self.environment()['PATH']}"}

    def damage(self, chunk):
        """A chunk that no tool reads."""
        (self.dir / f"{number(chunk)}.y4m").write_bytes(b"no film\n")
