# SPDX-License-Identifier: BSD-2-Clause
"""The documents: every command of README works, every link, path, option and target that they name exists."""
import os
import pathlib
import re
import unittest
import xml.etree.ElementTree

import harness
from harness import BIN, BUILD, ROOT, Case

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COLUMNS = 120
SOURCES = ("lib", "tools", "test", "mk", "lambda", "xcdriver", "bench", "examples")
FOLDERS = rf"(?:{'|'.join(SOURCES)}|docs|\.ci)"


def each_line(documents=DOCUMENTS):
    for document in documents:
        for number, line in enumerate(document.read_text().splitlines(), 1):
            yield f"{document.relative_to(ROOT)}:{number}", line


def blocks(text):
    """The lines of each block of shell commands, without comments."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield [re.sub(r" +#.*", "", line) for line in block.splitlines()]


def anchors(document):
    """The names by which links reach the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


class Words(unittest.TestCase):
    def test_lines_fit(self):
        documents = [*DOCUMENTS, ROOT / "NEWS"]
        self.assertEqual([place for place, line in each_line(documents) if len(line) > COLUMNS], [])

    def test_links(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
                if re.match(r"https?:", target):
                    continue
                path, _, anchor = target.partition("#")
                with self.subTest(document.name, target=target):
                    linked = document.parent / path if path else document
                    self.assertTrue(linked.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(linked))

    def test_paths(self):
        """They exist, except for those that stand for several: with a capital word, such as NAME, or a star."""
        missing = []
        for place, line in each_line():
            for path in re.findall(rf"(?<![\w/.-]){FOLDERS}/[\w./*-]*[\w/*]", line):
                if not re.search(r"\*|[A-Z]{4}", path) and not (ROOT / path).exists():
                    missing.append(f"{place}: {path}")
        self.assertEqual(missing, [])

    def test_documents_that_sources_name(self):
        missing = []
        for folder in SOURCES:
            for source in (ROOT / folder).rglob("*"):
                if source.is_file() and source.suffix in ("", ".c", ".h", ".py", ".mk"):
                    for name in re.findall(r"\bdocs/[\w/-]+\.md\b", source.read_text(errors="replace")):
                        if not (ROOT / name).exists():
                            missing.append(f"{source.relative_to(ROOT)}: {name}")
        self.assertEqual(missing, [])

    def test_targets_of_make(self):
        makefiles = "".join(path.read_text() for path in [ROOT / "Makefile", *(ROOT / "mk").glob("*.mk")])
        targets = {name for line in re.findall(r"^\.PHONY: (.*)", makefiles, re.MULTILINE) for name in line.split()}
        self.assertIn("demo", targets)
        commands = [line for document in DOCUMENTS for block in blocks(document.read_text()) for line in block]
        named = set(re.findall(r"^(?:sudo )?make ([a-z][a-z-]+)\b", "\n".join(commands), re.MULTILINE))
        self.assertIn("setup", named)
        for _, line in each_line():
            named.update(re.findall(r"(?:`|^ {4}(?:\$ )?)make ([a-z][a-z-]+)\b(?!\.)", line))
        self.assertEqual(named - targets, set())

    def test_names_of_tests(self):
        for place, line in each_line():
            for module, name in re.findall(r"\btest/run (?:-\S+ )*(test_\w+)(?:\.([A-Z]\w+))?", line):
                with self.subTest(place):
                    self.assertIn(f"class {name}", (ROOT / f"test/{module}.py").read_text())


# The commands of documents that are not typed here, by the reason why.
INSTALLS = "installs packages; .ci/run does, on a bare machine"
MADE = "what it makes is here, since that is what we test"
IN_CI = "is in .ci/run"
PERSON = "is for a person: it waits for input, or measures"
GG = "takes gg, which no system packages; test_makefile holds the commands to what its models know"
MACHINES = "takes machines: test/engines has some, and types the like"
ONE_FILE = "latency.md has it for one file"
ELSEWHERE = {
    "README.md": {
        "make setup": INSTALLS, "make": MADE, "make demo": INSTALLS, "make check": INSTALLS,
        "gcc examples/save-state.c $(pkg-config --cflags --libs excamera) -o save-state":
            "needs what is installed; is in test_build, with another example",
        "./save-state holiday.ivf holiday.state": "is in test_library",
    },
    "CONTRIBUTING.md": {
        "make setup": INSTALLS, "mk/setup ci": INSTALLS, "export WERROR=1": IN_CI, "test/run": IN_CI, ".ci/run": IN_CI,
        "make -j2 tools test-programs lib": MADE, "test/run test_chain.Playback": IN_CI,
        "make -j2 SANITIZE=address,undefined tools test-programs": IN_CI,
        "XC_BIN=build/release-address-undefined/bin XC_BUILD=build/release-address-undefined test/run test_tools":
            IN_CI,
        "make format": IN_CI, "clang-tidy --quiet --warnings-as-errors='*' tools/xc-dump.c": IN_CI,
        "cppcheck --quiet --std=c11 --enable=warning,performance,portability -Ilib/include -Ilib lib tools": IN_CI,
        "python3 -m flake8 --max-line-length=120 xcdriver": IN_CI, "shellcheck mk/setup": IN_CI,
        "make -j2 BUILD=debug tools": "takes long", "gdb --args build/debug/bin/xc-decode --md5 film.ivf": PERSON,
        "perf record bin/xc-decode film.ivf": PERSON, "perf report": PERSON,
        "valgrind --tool=callgrind --callgrind-out-file=callgrind.out bin/xc-decode film.ivf": PERSON,
        "callgrind_annotate callgrind.out": PERSON, "make bench": PERSON, "make -j2 test-programs": MADE,
        "build/release/checkasm --bench --kernel 'sixtap_*'": PERSON,
        "build/release/checkasm --kernel 'ssd*' --bench": PERSON,
    },
    "docs/engines.md": {
        "make static": IN_CI, "ssh-copy-id big": MACHINES, 'export PATH="$PWD/bin/static:$PATH"': MACHINES,
        "hosts/xc-hosts check big": MACHINES, 'export HOSTS="big/8 :" ENGINE=ssh XC_BIN=bin/static': MACHINES,
        "./excamera holiday.mp4 -o holiday.webm": MACHINES,
        'make -f excamera.mk ENGINE=ssh HOSTS="big/8 :"': MACHINES,
        "salloc -N 4 -n 64 --no-kill make -f excamera.mk ENGINE=slurm": MACHINES,
        "ENGINE=slurm salloc -n 32 ./excamera holiday.mp4 -o holiday.webm": MACHINES,
        'make -j100 -f excamera.mk ENGINE=slurm SLURM_OPTIONS="--account=films --partition=short --time=30"': MACHINES,
        'export GG_MODELPATH="$PWD/lambda/gg" PATH="$PWD/bin:$PATH"': GG, "cd work": GG, "gg init": GG,
        "gg infer make -f excamera.mk": GG, "gg force --jobs=100 --engine=lambda ????????.ivf": GG,
        "gg infer make -f excamera.mk VPXENC=vpxenc REBASE=xc-enc": GG,
    },
    "docs/functions.md": {
        "lambda/unum app 0 31 16 22 my-bucket film/holiday/": "test/lambda/test_unum.py runs it, with fewer chunks",
        "XC_UNUM=../unum test/lambda/run test_unum": "takes unum's sources; without them, make check-lambda runs it",
    },
    "docs/how-it-works.md": {"make tools test-programs": MADE},
    "docs/notes/latency.md": {
        "latency-model.py lambda --batch 4 1080p=classic.tsv 1080p=anchored.tsv ...": ONE_FILE,
        "latency-model.py lambda NAME=six.tsv --batch 4 --engine lambda-chunk -k 16 --decode 0.016 --unpack 0.068":
            ONE_FILE,
        "latency-model.py lambda NAME=twelve.tsv --batch 4 --engine lambda-chunk -k 8 4 --chunks 440 --frames 12 "
        "--speed 0.48":
            ONE_FILE,
        "latency-model.py machine NAME=six.tsv --batch 4 -k 16": ONE_FILE},
    "docs/performance.md": {"make bench": PERSON, "make bench FILMS='A.y4m B.y4m' RUNS=15": PERSON},
    "docs/testing.md": {
        "make check": IN_CI, "test/run": IN_CI, "test/run -v test_chain": IN_CI, "test/run test_chain.Playback": IN_CI,
        "test/run -j 1": IN_CI, "XC_BIN=build/debug/bin XC_BUILD=build/debug test/run": IN_CI,
        "test/fetch-vectors": "needs a network; is in test_conformance, with a server of its own",
        "build/release/checkasm": "is in test_unit",
        "build/release/checkasm --bench --kernel 'sixtap_*'": PERSON,
    },
    "docs/tutorial.md": {"make test-programs": MADE},
}
BY_OTHERS = {"docs/lambda.md"}  # test/lambda/test_xc_lambda.py types it
PROGRAMS = (r"(?:(?:\w+=\S+ )*(?:sudo |time )?(?:make|gmake|\S*/?excamera|\S*gen_makefile\.py|xc-[\w-]+|mk/\w+|"
            r"test/\S+|ffmpeg|vpxenc|export|eval|ssh|aws|python3|bench/\S+|build/\S+)) ?")


def commands(document):
    """The lines that a document tells readers to type: those of sh blocks, and those after a dollar sign."""
    text = document.read_text()
    in_blocks = [line for block in blocks(text) for line in block if line]
    return in_blocks + re.findall(r"^    \$ (.*)$", text, re.MULTILINE)


class Commands(Case):
    """A newcomer types what the documents say, from the first command of a document to the last."""

    def clone(self):
        """Something like a clone in which everything is built, with films that its documents name."""
        harness.need("ffmpeg", "make")
        clone = self.dir / "excamera"
        (clone / "build/release").mkdir(parents=True)
        for name in ("excamera", "gen_makefile.py", "mk", "xcdriver", "bench", "test", "lambda"):
            (clone / name).symlink_to(ROOT / name)
        (clone / "bin").symlink_to(BIN)
        for program in BUILD.glob("checkasm"):
            (clone / "build/release" / program.name).symlink_to(program)
        # Films are made smaller than the documents say.
        harness.install_stubs(clone / "build/release", {"make-film": (
            f'while [ $# -gt 1 ]; do o="$o $1"; shift; done; exec {BUILD}/make-film $o --width 80 --height 48 "$1"')})
        film = harness.film(width=144, height=80, frames=96)
        harness.must("ffmpeg", "-v", "error", "-i", film, clone / "holiday.mp4")
        return clone

    def type(self, document, clone, **options):
        """Types all commands of a document; returns what they print."""
        elsewhere = ELSEWHERE.get(document, {})
        script = [line for line in commands(ROOT / document) if line not in elsewhere]
        self.assertGreater(len(script), 0)
        done = harness.run("bash", "-c", "set -e -o pipefail\n" + "\n".join(script), cwd=clone, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_all_commands_are_known(self):
        """Every document with commands is typed here, or each of its commands has a reason why not."""
        mine = pathlib.Path(__file__).read_text()
        for document in DOCUMENTS:
            name = str(document.relative_to(ROOT))
            with self.subTest(name):
                found, elsewhere = commands(document), set(ELSEWHERE.get(name, {}))
                self.assertEqual(elsewhere - set(found), set(), "these are not in the document")
                if set(found) - elsewhere and name not in BY_OTHERS:
                    self.assertTrue(f'self.type("{name}"' in mine, "its commands are typed nowhere")
                outside = re.sub(r"(?ms)^```.*?^```$", "", document.read_text())
                hidden = re.findall(rf"^    {PROGRAMS}.*$", outside, re.MULTILINE)
                self.assertEqual([line for line in hidden if "  " not in line.strip()], [], "put these in a sh block")

    def test_readme(self):
        clone, text = self.clone(), (ROOT / "README.md").read_text()
        printed = self.type("README.md", clone)
        shown = re.search(r"^    (chunks .*)$", text, re.MULTILINE)[1]
        self.assertIn(re.sub(r"size \w+", "size 144x80", shown), printed.splitlines())
        self.assertEqual(len(harness.our_frames(clone / "holiday.ivf")), 96)
        harness.must("ffmpeg", "-v", "error", "-i", clone / "holiday.webm", self.dir / "film.yuv")
        self.assertEqual((self.dir / "film.yuv").stat().st_size, 96 * 144 * 80 * 3 // 2)
        # The tools make what the driver makes without regard to scenes.
        harness.must(ROOT / "excamera", clone / "holiday.mp4", "-o", clone / "plain.ivf", "--no-scenes")
        self.assertEqual(harness.our_frames(clone / "plain.ivf"), harness.our_frames(clone / "holiday.ivf"))

    def test_tutorial(self):
        clone = self.clone()
        printed = self.type("docs/tutorial.md", clone)
        self.assertEqual(len(re.findall(r'"mean"', printed)), 3)
        sizes = {name: (clone / f"{name}.ivf").stat().st_size for name in
                 ("quality-12", "quality-22", "quality-32", "12-1", "12-2", "12-8", "6-16")}
        # What the tutorial says of them.
        self.assertLess(sizes["quality-32"], sizes["quality-22"])
        self.assertLess(sizes["quality-22"], sizes["quality-12"])
        self.assertLess(sizes["12-8"], sizes["12-2"])
        self.assertLess(sizes["12-2"], sizes["12-1"])
        self.assertLess(sizes["12-8"], sizes["6-16"])
        self.assertIn("steps", (clone / "report.html").read_text())
        harness.must(ROOT / "excamera", clone / "first.y4m", "-o", clone / "24-4.ivf", "-s", 24, "-k", 4)
        self.assertEqual((clone / "24-4.ivf").read_bytes(), (clone / "12-8.ivf").read_bytes())

    def test_how_it_works(self):
        """The command draws the pictures that are there."""
        clone = self.clone()
        pictures = clone / "docs/pictures"
        pictures.mkdir(parents=True)
        (pictures / "draw").symlink_to(ROOT / "docs/pictures/draw")
        self.type("docs/how-it-works.md", clone)
        self.assertEqual(sorted(path.name for path in pictures.iterdir()),
                         sorted(path.name for path in (ROOT / "docs/pictures").iterdir()))
        for path in pictures.glob("*.svg"):
            there = ROOT / "docs/pictures" / path.name
            boxes = [len(list(xml.etree.ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}rect")))
                     for picture in (path, there)]
            self.assertEqual(boxes[0], boxes[1], path.name)

    def test_inspecting(self):
        clone = self.clone()
        self.type("docs/inspecting.md", clone)
        self.assertTrue((clone / "report.html").exists())

    def test_latency(self):
        clone = self.clone()
        harness.write_chunks(harness.film(width=80, height=48, frames=16), clone, 4)
        makefile = harness.must(ROOT / "gen_makefile.py", "--structure", "anchored", 0, 3, 4, 22)
        (clone / "excamera.mk").write_bytes(makefile)
        path = f"{clone}:{clone}/bench:{BIN}:{os.environ['PATH']}"
        self.assertIn("1080p", self.type("docs/latency.md", clone, env=harness.environment(PATH=path)))

    def test_testing(self):
        self.assertIn("test_docs.Commands", self.type("docs/testing.md", self.clone()))

    def test_streaming(self):
        clone = self.clone()
        self.type("docs/streaming.md", clone)
        for name in ("holiday/film.mpd", "ladder/video-48-init.webm", "holiday-48.webm", "limited.webm"):
            self.assertTrue((clone / name).exists(), name)

    def test_contributing(self):
        self.type("CONTRIBUTING.md", self.clone())


class Readme(Case):
    """What README says is so."""

    text = (ROOT / "README.md").read_text()

    def test_all_tools_are_listed(self):
        listed = re.findall(r"^\| `(xc-[\w-]+)` \|", self.text, re.MULTILINE)
        self.assertEqual(sorted(listed), sorted(path.name for path in BIN.glob("xc-*")))

    def test_options(self):
        """The options in the table exist, with these defaults."""
        text = harness.must(ROOT / "excamera", "--help").decode()
        rows = re.findall(r"^\| `(-\S+) \w+` \| (\S*)", self.text, re.MULTILINE)
        self.assertGreater(len(rows), 4)
        for option, default in rows:
            with self.subTest(option):
                entry = re.search(rf"^  {option} .*(?:\n {{6,}}.*)*", text, re.MULTILINE)
                self.assertIsNotNone(entry)
                if default.isdigit():
                    self.assertRegex(" ".join(entry[0].split()), rf"default: {default}\b")

    def test_python_version(self):
        needed = re.search(r"^need_python\((\d+), (\d+)\)", (ROOT / "xcdriver/__init__.py").read_text(), re.MULTILINE)
        self.assertIn(f"Python {needed[1]}.{needed[2]} or newer", self.text)
