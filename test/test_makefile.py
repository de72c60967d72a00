# SPDX-License-Identifier: BSD-2-Clause
"""gen_makefile.py and its makefiles: the published commands, at any -j, interrupted, failing, with any engine."""
import ast
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import harness
from harness import BIN, ROOT, Case, number
from xcdriver import graph, sources
from xcdriver.layout import FilmLayout, Layout


class MakefileCase(Case):
    """Has the chunks of a film in self.dir, and methods that encode them."""

    film = {"width": 96, "height": 80, "frames": 20}
    size = 4

    def setUp(self):
        super().setUp()
        harness.need("make")
        self.chunks = harness.write_chunks(harness.film(**self.film), self.dir, self.size)

    def generate(self, *arguments):
        """Writes excamera.mk for the whole film, or with these arguments."""
        text = harness.must(ROOT / "gen_makefile.py", *(arguments or (0, self.chunks - 1, 16, 22)))
        self.write("excamera.mk", text)

    def make(self, *arguments, **changes):
        return harness.run("make", "-f", "excamera.mk", *arguments, cwd=self.dir, env=harness.environment(**changes))

    def finished_paths(self):
        return [self.dir / f"{number(i)}.ivf" for i in range(self.chunks)]

    def finished(self):
        return [path.read_bytes() for path in self.finished_paths()]

    def names(self):
        return {p.name for p in self.dir.iterdir()}

    def made(self):
        """The names of what steps have finished."""
        return {name for name in self.names() if name.endswith((".ivf", ".state"))}

    def expected_names(self):
        return {f"{number(i)}.{kind}" for i in range(self.chunks) for kind in ("y4m", "ivf")} | {
            "excamera.mk", "excamera.options", "excamera.sums"}


class Commands(MakefileCase):
    """The makefile runs the published commands."""

    def test_published_commands(self):
        for start, end, batch in ((0, 15, 16), (0, 0, 16), (0, 4, 1), (0, 5, 2), (3, 20, 7), (99999990, 99999999, 16)):
            with self.subTest(start=start, end=end, batch=batch):
                self.generate(start, end, batch, 22)
                for i in range(start, end + 1):
                    self.write(f"{number(i)}.y4m", b"")
                done = self.make("-n", "VPXENC=vpxenc", "REBASE=xc-enc")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                lines = [" ".join(line.split()) for line in done.stdout.decode().splitlines()]
                lines = [line for line in lines if not line.startswith("rm ")]
                expected = harness.published_commands(end - start + 1, batch, 22, first=start)
                self.assertEqual(sorted(lines), sorted(expected))

    def test_verbatim(self):
        """The published commands, run one after another, make the same files as the makefile."""
        self.generate(0, self.chunks - 1, 3, 22)
        done = self.make("-j2", "VPXENC=vpxenc")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        made = self.finished()
        for path in self.dir.glob("*.ivf"):
            path.unlink()
        for command in harness.published_commands(self.chunks, 3, 22):
            done = harness.run("sh", "-c", command, cwd=self.dir)
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr.decode()}")
        self.assertEqual(self.finished(), made)

    def test_wrong_arguments(self):
        for arguments in ((), (0, 1, 2), (1, 0, 16, 22), (-1, 3, 16, 22), (0, 3, 0, 22), (0, 3, 16, 64),
                          (0, 3, 16, "x"), (0, 100000000, 16, 22)):
            with self.subTest(arguments=arguments):
                done = harness.run(ROOT / "gen_makefile.py", *arguments)
                self.assertGreater(done.returncode, 0)
                self.assertEqual(done.stdout, b"")
                self.assertIn("gen_makefile.py: error: ", done.stderr.decode())

    def test_wrong_batch_starts(self):
        for starts, said in (("", " is not a list of chunks such as 0,6,13"),
                             ("4,x", "4,x is not a list of chunks such as 0,6,13"),
                             ("-1,4", "-1,4 is not a list of chunks such as 0,6,13"),
                             ("6,4", "4 comes after 6: list the chunks in ascending order, each once"),
                             ("4,4", "4 comes after 4: list the chunks in ascending order, each once"),
                             ("1,4", "names chunk 1, which is not from START (2) to END (9)"),
                             ("4,10", "names chunk 10, which is not from START (2) to END (9)")):
            with self.subTest(starts):
                done = harness.run(ROOT / "gen_makefile.py", 2, 9, 4, 22, f"--batch-starts={starts}")
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertEqual(done.stderr.decode().splitlines()[-1].partition("--batch-starts")[2].lstrip(": "),
                                 f"{said.lstrip()}; try 'gen_makefile.py --help'")

    def test_output_that_cannot_be_written(self):
        """One line, and status 1. A reader that closes the pipe ends it silently."""
        for arguments in ("0 99999 16 22", "--help"):
            for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                with self.subTest(arguments, redirection=redirection):
                    done = harness.run("sh", "-c", f'"$0" {arguments} {redirection}', ROOT / "gen_makefile.py")
                    self.assertEqual((done.returncode, done.stderr.decode()),
                                     (1, f"gen_makefile.py: standard output: {reason}\n"))
        done = harness.run("sh", "-c", '"$0" 0 99999 16 22 | head -n 1', ROOT / "gen_makefile.py")
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (1, b""))

    def test_chunk_tools(self):
        """mk/chunk-tools, from which other parts know the tools, lists those that the graph runs."""
        listed = (ROOT / "mk/chunk-tools").read_text().split()
        steps = [step for structure in graph.STRUCTURES for step in graph.film_steps(structure, [range(16)], 22)]
        steps += [*sources.Pictures(1, 10, 6).steps(range(1), ()), *sources.Pieces([["a.nut"]]).steps(range(1), ())]
        self.assertEqual(sorted(listed), sorted({step.argv[0] for step in steps}))


class Layouts(Case):
    """Batches are as when they are counted off, chunk by chunk."""

    def counted(self, most, starts, end):
        batches = []
        for chunk in range(starts[0], end):
            if chunk in starts or len(batches[-1]) == most:
                batches.append([])
            batches[-1].append(chunk)
        return batches

    def test_batches(self):
        for most, starts in ((1, [0]), (3, [0]), (7, [3]), (4, [0, 4, 8]), (4, [0, 1, 6, 7, 20]), (5, [2, 9, 30, 31]),
                             (100, [0, 2, 3])):
            layout, end = Layout(most, starts), 40
            with self.subTest(most=most, starts=starts):
                expected = self.counted(most, starts, end)
                self.assertEqual([list(batch) for batch in layout.batches(end)], expected)
                for rank, batch in enumerate(expected):
                    self.assertEqual([list(part) for part in layout.batches(batch[-1] + 1, batch[0])], [batch])
                    self.assertEqual(list(layout.batches(batch[0] + 1)[-1]), batch[:1])
                    for place, chunk in enumerate(batch):
                        self.assertEqual((layout.number(chunk), layout.place(chunk), layout.begins(chunk)),
                                         (rank, place, place == 0))
                        self.assertEqual(layout.batch(chunk)[:len(batch)], layout.numbered(rank)[:len(batch)])

    def test_frames(self):
        layout = FilmLayout(3, 10, True).with_scenes([[2, 13], [0, 0]]).with_scenes([[2, 13], [7, 60]])
        self.assertEqual([layout.frame(chunk) for chunk in range(9)], [0, 10, 13, 23, 33, 43, 53, 60, 70])
        self.assertEqual([list(batch) for batch in layout.batches(9)], [[0, 1], [2, 3, 4], [5, 6], [7, 8]])
        self.assertEqual([layout.length(chunk) for chunk in range(8)], [10, 3, 10, 10, 10, 10, 7, 10])
        self.assertEqual(layout.length(8, 73), 3)
        self.assertEqual([layout.chunks(frames) for frames in (1, 10, 11, 13, 14, 60, 61, 70, 71)],
                         [1, 1, 2, 2, 3, 7, 8, 8, 9])


class ModelsOfGg(Case):
    """lambda/gg tells gg which words of a command are files: those of the graph."""

    def setUp(self):
        super().setUp()
        harness.install_stubs(self.dir / "stubs", {"model-generic": 'printf "%s\\n" "$@"'})
        self.path = f"{ROOT}/lambda/gg:{self.dir}/stubs:{os.environ['PATH']}"

    def files(self, description, words):
        """The inputs and the outputs of a command, found as gg does it (its src/models/generic.cc)."""
        kinds, operands = {}, []
        for entry in description:
            names, _, kind = entry.rpartition("=")
            kinds.update(dict.fromkeys(names.split(","), kind)) if names else operands.append(kind)
        found, rest, words = [], [], iter(words)
        for word in words:
            name, equals, value = word.partition("=")
            full = [known for known in kinds if known.startswith(name)] if word.startswith("--") else [name]
            if word.startswith("-") and full and full[0] in kinds:
                self.assertFalse(equals, "gg takes the whole word for the file")
                found.append((kinds[full[0]], next(words)))
            elif not word.startswith("-"):
                rest.append(word)
        self.assertEqual(len(rest), len(operands))
        found += zip(operands, rest)
        return [{name for kind, name in found if kind == wanted} for wanted in ("@infile", "@outfile")]

    def test_every_step(self):
        for structure in graph.STRUCTURES:
            for step in graph.film_steps(structure, [range(3), range(3, 6)], 22):
                with self.subTest(" ".join(step.argv)):
                    said = harness.must(*step.argv, env=harness.environment(PATH=self.path, EXCAMERA_BIN_DIR=str(BIN)))
                    description, *words = said.decode().splitlines()
                    program, *description = description.split(" ")
                    self.assertEqual(program, str(BIN / step.argv[0]))
                    self.assertEqual(self.files(description, words), [set(step.inputs), set(step.outputs)])

    def test_every_option_with_a_value(self):
        """If gg does not know that an option has a value, it takes the value for an operand."""
        for tool in ("xc-enc", "xc-rebase", "xc-dump", "xc-terminate-chunk"):
            said = harness.must(tool, env=harness.environment(PATH=self.path)).decode()
            known = set(re.findall(r"(?<=[ ,])(--?[\w-]+)(?=[,=])", said))
            text = self.xc(tool, "--help").decode()
            self.assertEqual(set(re.findall(r"(?m)^ .*?(--[\w-]+)=", text)) - known, set(), tool)


class FromPictures(MakefileCase):
    """--pictures: the chunks are made of PNG files, as mu does it."""

    def setUp(self):
        Case.setUp(self)
        harness.need("make")
        film = {**self.film, "frames": 14}  # the last chunk is shorter
        self.pictures, self.chunks = harness.write_pictures(harness.film(**film), self.dir), 4

    def generate(self, *arguments):
        super().generate(0, self.chunks - 1, 3, 22, "--pictures", f"1-{self.pictures}", "-s", self.size, *arguments)

    def expected(self, *options):
        """What comes of a film that xc-png2y4m makes of all pictures."""
        self.xc("xc-png2y4m", *options, "-o", "film.y4m", "%08d.png")
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            self.assertEqual(harness.write_chunks(self.dir / "film.y4m", directory, self.size), self.chunks)
            text = harness.must(ROOT / "gen_makefile.py", 0, self.chunks - 1, 3, 22)
            (directory / "excamera.mk").write_bytes(text)
            harness.must("make", "-j2", "-f", "excamera.mk", cwd=directory)
            (self.dir / "film.y4m").unlink()
            return [(directory / path.name).read_bytes() for path in self.finished_paths()]

    def test_films(self):
        self.generate()
        for options in ("", "-f 30"):
            done = self.make("-j2", f"PNG2Y4M_OPTIONS={options}")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(self.finished(), self.expected(*options.split()))
        self.assertEqual([path.name for path in self.dir.glob("*.y4m")], [])
        (self.dir / "00000006.png").write_bytes((self.dir / "00000001.png").read_bytes())
        done = self.make("-n", f"PNG2Y4M_OPTIONS={options}")
        made = re.findall(r"-o (\w+).y4m", done.stdout.decode())
        self.assertEqual(made, ["00000001", "00000002"], "the picture's chunk, and the one after it in the batch")
        self.assertEqual(self.make("clean").returncode, 0)
        self.assertEqual({path.suffix for path in self.dir.iterdir()}, {".png", ".mk"})

    def test_a_picture_is_missing(self):
        self.generate()
        (self.dir / "00000005.png").unlink()
        self.assertIn(b"No rule to make target '00000005.png', needed by '00000001.y4m'", self.make().stderr)

    def test_wrong_arguments(self):
        for arguments in (("--pictures", "1-14"), ("-s", "6"), ("--pictures", "14-1", "-s", "6"),
                          ("--pictures", "1", "-s", "6"), ("--pictures", "1-14", "-s", "0"),
                          ("--pictures", "1-11", "-s", "6")):
            with self.subTest(arguments=arguments):
                done = harness.run(ROOT / "gen_makefile.py", 0, 2, 16, 22, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn("gen_makefile.py: error: ", done.stderr.decode())


class Environment(Case):
    def test_safe_path(self):
        """Where Python does not look beside the script, the script does itself."""
        for script in ("gen_makefile.py", "excamera"):
            done = harness.run(sys.executable, ROOT / script, "--help", env=harness.environment(PYTHONSAFEPATH="1"))
            self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_version(self):
        version = harness.must(BIN / "xc-split", "--version").decode().split()[1]
        for script in ("gen_makefile.py", "excamera"):
            self.assertEqual(harness.must(ROOT / script, "--version").decode(), f"{script} {version}\n")


class OldPython(Case):
    """A Python that is too old says so."""

    SCRIPTS = ("excamera", "gen_makefile.py")

    def test_refusal(self):
        for script in self.SCRIPTS:
            with self.subTest(script):
                code = f"""if True:
                    import runpy, sys
                    sys.version_info = (3, 7, 16, "final", 0)
                    sys.argv = [{str(ROOT / script)!r}, "--help"]
                    sys.path[0] = {str(ROOT)!r}
                    runpy.run_path(sys.argv[0], run_name="__main__")"""
                done = harness.run(sys.executable, "-c", code)
                self.assertEqual((done.returncode, done.stdout, done.stderr.decode()), (
                    1, b"", f"{script}: Python 3.8 or newer is needed; this is Python 3.7\n"))

    def test_syntax(self):
        """Whatever is parsed before the version is checked has no syntax that Python 2 or 3.5 lacks."""
        newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Starred, ast.AsyncFunctionDef, ast.Nonlocal)
        for name in (*self.SCRIPTS, "xcdriver/__init__.py"):
            with self.subTest(name):
                nodes = list(ast.walk(ast.parse((ROOT / name).read_text())))
                self.assertEqual([node.lineno for node in nodes if isinstance(node, newer)], [])
                functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
                self.assertFalse([f.name for f in functions if f.returns or f.args.kwonlyargs or f.args.posonlyargs])
                self.assertNotIn("print", [node.id for node in nodes if isinstance(node, ast.Name)])


class Runs(MakefileCase):
    def test_jobs_do_not_matter(self):
        """Invariant 4: the same bytes at any -j, intermediate files included."""
        self.generate()
        results = []
        for jobs in (1, 4, 16):
            for path in (*self.dir.glob("*.ivf"), *self.dir.glob("*.state")):
                path.unlink()
            done = self.make(f"-j{jobs}", "KEEP=1")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            results.append(harness.snapshot(self.dir))
            del results[-1]["excamera.sums"]  # in the order in which the files were finished
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_only_what_is_needed_is_kept(self):
        for batch in (1, 2, 16):
            with self.subTest(batch=batch):
                for path in self.dir.glob("*.ivf"):
                    path.unlink()
                self.generate(0, self.chunks - 1, batch, 30)
                done = self.make("-j2")
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                self.assertEqual(self.names(), self.expected_names())
                made = {path: path.stat().st_mtime_ns for path in self.dir.iterdir()}
                again = self.make("-j2")
                self.assertEqual(again.returncode, 0)
                self.assertNotIn(b"xc-", again.stdout)
                self.assertEqual({path: path.stat().st_mtime_ns for path in self.dir.iterdir()}, made)

    def test_a_failing_step(self):
        """A tool writes something and then fails. make fails, too, shows the message, and leaves no incomplete file.
        The next run continues from there."""
        self.generate()
        done = self.make("-j2")
        expected = self.finished()
        for path in self.dir.glob("*.ivf"):
            path.unlink()
        stubs = self.dir / "stubs"
        stubs.mkdir()
        self.write("stubs/xc-rebase", b'#!/bin/sh\nfor a; do case $a in *.ivf) echo half > "$a"; break; esac; done\n'
                                      b"echo no luck today >&2\nexit 1\n").chmod(0o755)
        done = self.make("-j2", PATH=f"{stubs}:{harness.environment()['PATH']}")
        self.assertGreater(done.returncode, 0)
        self.assertIn(b"no luck today", done.stderr)
        self.assertFalse([p for p in self.dir.glob("*.ivf") if p.read_bytes() == b"half\n"])
        done = self.make("-j2")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.finished(), expected)
        self.assertEqual(self.names(), self.expected_names() | {"stubs"})

    def test_interrupted(self):
        """However often it is interrupted, the result is the same."""
        self.generate()
        self.make("-j2")
        expected = self.finished()
        for path in self.dir.glob("*.ivf"):
            path.unlink()
        interrupted = 0
        for _ in range(9):
            before = self.made()
            process = subprocess.Popen(["make", "-f", "excamera.mk", "-j2"], cwd=self.dir, env=harness.environment(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            harness.wait_for(lambda: self.made() - before or process.poll() is not None)  # noqa: B023
            with contextlib.suppress(ProcessLookupError):  # nothing was left to do
                os.killpg(process.pid, signal.SIGINT)
            interrupted += process.wait(harness.TIMEOUT) != 0
        self.assertGreater(interrupted, 0)
        done = self.make("-j2")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.finished(), expected)
        self.assertEqual(self.names(), self.expected_names())

    def test_nothing_to_do(self):
        """make -q tells whether there is anything to do."""
        for structure in ("classic", "anchored"):
            with self.subTest(structure):
                self.generate(0, self.chunks - 1, 2, 22, f"--structure={structure}")
                self.assertEqual(self.make("-q").returncode, 1)
                self.assertEqual(self.make("-j2").returncode, 0)
                done = self.make("-q")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
                (self.dir / f"{number(3)}.ivf").unlink()
                self.assertEqual(self.make("-q").returncode, 1)

    def test_clean(self):
        """Only what the makefile makes goes away."""
        for structure in ("classic", "anchored"):
            with self.subTest(structure):
                mine = ("film.ivf", "my.state", "x.task", f"{number(self.chunks)}.ivf", f"{number(0)}-mine.ivf")
                for name in mine:
                    self.write(name, b"mine")
                self.generate(0, self.chunks - 1, 3, 22, f"--structure={structure}")
                before = harness.snapshot(self.dir)
                self.assertEqual(self.make("-j2", "KEEP=1").returncode, 0)
                self.write(f"{number(0)}.ivf.tmpX1y2Z3", b"of a tool that was killed")
                self.assertEqual(self.make("clean").returncode, 0)
                self.assertEqual(harness.snapshot(self.dir), before)

    def test_states_after_the_last_chunk(self):
        """They are made if they are asked for, although no step reads them, before the chunks or after them."""
        last = number(self.chunks - 1)
        for structure, batch, names in (("classic", 3, ("-0.state", "-1.state")), ("classic", 1, ("-0.state",)),
                                        ("anchored", 3, ("-anchors.state",)), ("anchored", 1, ("-anchors.state",))):
            with self.subTest(structure, batch=batch):
                self.generate(0, self.chunks - 1, batch, 22, f"--structure={structure}")
                wanted = [last + name for name in names]
                self.assertEqual(self.make("-j2").returncode, 0)
                for _ in range(2):
                    done = self.make("-j2", "all", *wanted)
                    self.assertEqual(done.returncode, 0, done.stderr.decode())
                    self.assertEqual(self.make("-q", "all", *wanted).returncode, 0)
                    states = {name: (self.dir / name).read_bytes() for name in wanted}
                    self.xc("xc-merge", "-o", "batch.ivf", *self.finished_paths()[-(self.chunks % batch or batch):])
                    self.xc("xc-dump", "batch.ivf", "batch.state")
                    self.assertEqual((self.dir / "batch.state").read_bytes(), states[wanted[-1]])
                    self.make("clean")
                    done = self.make("-j2", *wanted)
                    self.assertEqual(done.returncode, 0, done.stderr.decode())
                    self.assertEqual({name: (self.dir / name).read_bytes() for name in wanted}, states)
                if structure == "classic":
                    self.make("KEEP=1", f"{last}{'-0' if batch > 1 else ''}.ivf")
                    self.xc("xc-dump", f"{last}{'-0' if batch > 1 else ''}.ivf", "alone.state")
                    self.assertEqual((self.dir / "alone.state").read_bytes(), states[wanted[0]])
                self.make("clean")

    def test_a_state_of_an_engine_that_keeps_none(self):
        self.generate()
        done = self.make("ENGINE=lambda-chunk", f"{number(self.chunks - 1)}-0.state")
        self.assertGreater(done.returncode, 0)
        self.assertIn(b"ENGINE=local", done.stderr)

    def test_missing_chunk(self):
        self.generate()
        (self.dir / f"{number(2)}.y4m").unlink()
        done = self.make()
        self.assertGreater(done.returncode, 0)
        self.assertIn(number(2).encode(), done.stderr)


class OtherOptions(MakefileCase):
    """Results that were made with other options are made again."""

    film = {"width": 48, "height": 48, "frames": 12}
    size = 2

    def test_all_is_made_again(self):
        variants = [((16, 22), ()), ((16, 40), ()), ((4, 40), ()), ((4, 40, "--structure=anchored"), ()),
                    ((4, 40, "--structure=anchored"), ("ANCHORED_OPTIONS=--anchor-weight 0.9",)), ((16, 22), ())]
        fresh = {}
        for arguments, variables in variants:
            with self.subTest(arguments, variables=variables):
                self.generate(0, self.chunks - 1, *arguments)
                self.assertEqual(self.make("-q", *variables).returncode, 1)
                self.assertEqual(self.make("-j2", *variables).returncode, 0)
                fresh.setdefault((arguments, variables), self.finished())
                self.assertEqual(self.finished(), fresh[arguments, variables])
                self.assertEqual(self.make("-q", *variables).returncode, 0)
        self.assertEqual(len(set(map(tuple, fresh.values()))), len(fresh), "each makes other bytes")

    def test_more_of_the_same(self):
        """Further chunks of the film leave those that are finished as they are."""
        self.generate(0, 3, 2, 22)
        self.assertEqual(self.make("-j2").returncode, 0)
        before = [path.stat().st_mtime_ns for path in self.finished_paths()[:4]]
        self.generate(0, self.chunks - 1, 2, 22)
        self.assertEqual(self.make("-j2").returncode, 0)
        self.assertEqual([path.stat().st_mtime_ns for path in self.finished_paths()[:4]], before)


class PowerCut(MakefileCase):
    """Files that have lost their data are found and made again."""

    film = {"width": 48, "height": 48, "frames": 12}
    size = 2

    def check(self, structure, keep, names):
        self.generate(0, self.chunks - 1, 3, 22, f"--structure={structure}")
        self.assertEqual(self.make("-j2", *keep).returncode, 0)
        expected = harness.snapshot(self.dir)
        del expected["excamera.sums"]
        damaged = sorted(path for pattern in names for path in self.dir.glob(pattern))
        for how in harness.LOSSES:
            with self.subTest(structure, how=how):
                for path in damaged:
                    harness.lose_data(path, how)
                self.assertEqual(self.make("-q", *keep).returncode, 1)
                done = self.make("-j2", *keep)
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                for path in damaged:
                    self.assertIn(path.name.encode(), done.stderr)
                now = harness.snapshot(self.dir)
                del now["excamera.sums"]
                self.assertEqual(now, expected)

    def test_finished_chunks(self):
        self.check("classic", (), [f"{number(i)}.ivf" for i in (0, 2)])

    def test_intermediate_files(self):
        for structure in ("classic", "anchored"):
            self.check(structure, ("KEEP=1",), [f"{number(1)}-*.ivf", f"{number(1)}-*.state"])
            self.make("clean")

    def test_list_of_checksums(self):
        """If it is lost, too, files are judged by their format."""
        self.generate(0, self.chunks - 1, 3, 22)
        self.assertEqual(self.make("-j2").returncode, 0)
        expected = self.finished()
        for how in ("empty", "halved", "zeroed"):
            with self.subTest(how):
                harness.lose_data(self.dir / "excamera.sums", how)
                harness.lose_data(self.finished_paths()[1], "halved")
                done = self.make("-j2")
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                self.assertEqual(self.finished(), expected)


class Structures(MakefileCase):
    """With either structure, the result is one stream that every decoder plays, and -j does not matter."""

    film = {"width": 111, "height": 79, "frames": 21, "cut": 10}

    def check_film(self):
        self.xc("xc-merge", "-o", "film.ivf", *self.finished_paths())
        ours = harness.our_frames(self.dir / "film.ivf")
        self.assertEqual(len(ours), self.film["frames"])
        self.assertEqual(harness.vpxdec_frames(self.dir / "film.ivf"), ours)
        self.assertEqual(harness.ffmpeg_frames(self.dir / "film.ivf"), ours)
        self.xc("xc-decode", "--y4m", "-o", "film.y4m", "film.ivf")
        self.assertGreater(harness.ssim(self.dir / "film.y4m", harness.film(**self.film)), 0.9)

    def test_structures(self):
        for structure in ("classic", "anchored"):
            for batch in (1, 4, 16):
                with self.subTest(structure, batch=batch):
                    self.generate(0, self.chunks - 1, batch, 22, f"--structure={structure}")
                    results = []
                    for jobs in (1, 4):
                        for path in self.dir.glob("*.ivf"):
                            path.unlink()
                        done = self.make(f"-j{jobs}")
                        self.assertEqual(done.returncode, 0, done.stderr.decode())
                        results.append(self.finished())
                    self.assertEqual(results[0], results[1])
                    self.check_film()
                    frames = [data for path in self.finished_paths() for _, data in harness.Ivf(path).frames]
                    keys, batches = sum(map(harness.is_key_frame, frames)), -(-self.chunks // batch)
                    self.assertIn(keys, (batches, batches + 1))  # the scene cut of the film may get one, too

    def key_frames(self):
        """The chunks that begin with one."""
        frames = [harness.Ivf(path).frames[0][1] for path in self.finished_paths()]
        return [i for i, frame in enumerate(frames) if harness.is_key_frame(frame)]

    def test_batch_starts(self):
        """Key frames are where they were asked for, and after BATCH chunks. Other ones are other options."""
        for structure in graph.STRUCTURES:
            with self.subTest(structure):
                for starts, keys in (("1,5", [0, 1, 4, 5]), ("0,2", [0, 2, 5])):
                    self.generate(0, self.chunks - 1, 3, 22, f"--structure={structure}", f"--batch-starts={starts}")
                    done = self.make("-j2")
                    self.assertEqual(done.returncode, 0, done.stderr.decode())
                    self.assertEqual(self.key_frames(), keys)
                self.check_film()
                made = self.finished()
                for path in self.finished_paths():
                    path.unlink()
                done = self.make("-j2", f"{number(2)}.ivf", f"{number(4)}.ivf")
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                for chunk in (2, 4):
                    self.assertEqual((self.dir / f"{number(chunk)}.ivf").read_bytes(), made[chunk])

    def test_regular_batch_starts(self):
        """Starts that are where batches begin anyway make the same steps."""
        for structure in graph.STRUCTURES:
            with self.subTest(structure):
                plans = []
                for starts in ([], ["--batch-starts=2,4"]):
                    self.generate(0, self.chunks - 1, 2, 22, f"--structure={structure}", *starts)
                    plans.append(self.make("-nB").stdout)
                self.assertEqual(*(plan[plan.index(b"xc-"):] for plan in plans))


class Engines(MakefileCase):
    """The engine, which runs each command, can be replaced. It is told all it needs to run a command elsewhere."""

    film = {"width": 48, "height": 48, "frames": 10}
    size = 2

    # Runs each command in an empty directory with the inputs that it was told of, and brings the outputs back.
    ELSEWHERE = b"""#!/bin/sh
    set -e
    outputs=$1 inputs=$2
    shift 2
    there=$(mktemp -d)
    cp $inputs "$there"
    (cd "$there" && "$@")
    (cd "$there" && mv $outputs "$OLDPWD")
    echo "$1" >> engine.log
    rm -r "$there"
    """

    def test_an_engine_of_ones_own(self):
        self.generate()
        done = self.make("-j2", "VPXENC=vpxenc")
        expected = self.finished()
        for path in self.dir.glob("*.ivf"):
            path.unlink()
        self.write("elsewhere", re.sub(rb"(?m)^    ", b"", self.ELSEWHERE)).chmod(0o755)
        self.write("engine-elsewhere.mk", b"run = ./elsewhere '$(1)' '$(2)'\n")
        done = self.make("-j2", "VPXENC=vpxenc", "ENGINE=elsewhere", f"ENGINE_DIR={self.dir}")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.finished(), expected)
        tools = (self.dir / "engine.log").read_text().split()
        self.assertEqual({tool: tools.count(tool) for tool in set(tools)},
                         {"vpxenc": 5, "xc-terminate-chunk": 5, "xc-dump": 4, "xc-enc": 4, "xc-rebase": 3})

    def test_unknown_engine(self):
        self.generate()
        done = self.make("ENGINE=steam")
        self.assertGreater(done.returncode, 0)
        self.assertIn(b"engine-steam.mk", done.stderr)


class Lambda(MakefileCase):
    """What make does with the engines on AWS Lambda. Their programs are stubs here, which write a reference with the
    task of a chunk in place of the finished chunk."""

    film = {"width": 48, "height": 48, "frames": 8}
    size = 2

    STUBS = {"xc-task": 'echo "tools-${TOOLS-1} $(cat $3 | sha256sum) $*"',
             "xc-remote": '''[ "$1" = run ] || exit 0
                             echo "$2" >>offered
                             for name in $3; do echo "XCREF $2" >"$name"; done'''}

    def setUp(self):
        super().setUp()
        harness.install_stubs(self.dir / "stubs", self.STUBS)
        self.generate()

    def offered(self, *arguments, engine="lambda-chunk", **changes):
        """Runs make, which must succeed. Returns how many tasks were offered."""
        log = self.write("offered", b"")
        done = self.make("-j2", f"ENGINE={engine}", *arguments, XC_LAMBDA_PROGRAMS=str(self.dir / "stubs"), **changes)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return len(log.read_bytes().splitlines())

    def test_tasks_of_an_earlier_run(self):
        """If quality or tools have changed since an interrupted run, its tasks are not used."""
        self.assertEqual(self.offered(*(f"{number(i)}.task" for i in range(4))), 0)
        self.assertEqual(self.offered(f"{number(0)}.ivf", f"{number(1)}.ivf"), 2)
        self.generate(0, 3, 16, 50)
        self.assertEqual(self.offered(f"{number(0)}.ivf", f"{number(1)}.ivf"), 2)
        self.assertEqual(self.offered(f"{number(0)}.ivf", f"{number(1)}.ivf", TOOLS="2"), 2)
        self.assertEqual(self.offered(TOOLS="2"), 2, "a chunk that is up to date is not made again")
        for made in self.finished():
            self.assertRegex(made, rb"tools-2 .* --cq-level=50 ")
        self.assertFalse([name for name in self.names() if ".task" in name])
        self.assertEqual(self.offered(TOOLS="3"), 0, "a finished film is not made again, as with all engines")

    def test_any_path(self):
        """The name of the directory that gen_makefile.py is in may have any characters."""
        clone = self.dir / "it's #1 of \"$HOME\" (a; b & c = 5%) [d]?"
        for name in ("mk", "lambda", "xcdriver"):
            shutil.copytree(ROOT / name, clone / name, symlinks=True)
        shutil.copy(ROOT / "gen_makefile.py", clone)
        self.write("excamera.mk", harness.must(clone / "gen_makefile.py", 0, self.chunks - 1, 16, 22))
        done = self.make("-j2")
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        for engine, tasks in (("lambda", 4 + 4 + 3 + 3 + 2), ("lambda-chunk", 4)):
            for path in self.finished_paths():
                path.unlink()
            self.assertEqual(self.offered(engine=engine), tasks)
        self.write("stubs/xc-remote", b"#!/bin/sh\necho there are $XC_LAMBDA_REGIONS\nexit 1\n")
        (clone / "bin").mkdir()
        (self.dir / "stubs").rename(clone / "bin/lambda")
        done = self.make("ENGINE=lambda", "XC_LAMBDA_REGIONS=no regions")
        self.assertRegex(done.stderr.decode(), r"\A[^\n]*\*\*\* there are no regions\.  Stop\.\n\Z")


class Ours(MakefileCase):
    def test_our_vpxenc_is_the_default(self):
        """The makefile uses xc-vpxenc by default, which writes the same bytes as the vpxenc of the same libvpx."""
        harness.need("vpxenc")
        self.generate()
        self.assertEqual(self.make("-j2").returncode, 0)
        ours = self.finished()
        for path in self.dir.glob("*.ivf"):
            path.unlink()
        self.assertEqual(self.make("-j2", "VPXENC=vpxenc").returncode, 0)
        self.assertEqual(self.finished(), ours)
        self.assertTrue((BIN / "xc-vpxenc").exists())
