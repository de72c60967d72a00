# SPDX-License-Identifier: BSD-2-Clause
"""The documents: every command of README works, every link, path, option and target that they name exists."""
import re
import unittest

import harness
from harness import BIN, ROOT, Case

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
        self.assertIn("demo", named)
        for _, line in each_line():
            named.update(re.findall(r"(?:`|^ {4}(?:\$ )?)make ([a-z][a-z-]+)\b(?!\.)", line))
        self.assertEqual(named - targets, set())

    def test_names_of_tests(self):
        for place, line in each_line():
            for module, name in re.findall(r"\btest/run (?:-\S+ )*(test_\w+)(?:\.([A-Z]\w+))?", line):
                with self.subTest(place):
                    self.assertIn(f"class {name}", (ROOT / f"test/{module}.py").read_text())


class Readme(Case):
    """A newcomer types what README says, from the first command to the last."""

    text = (ROOT / "README.md").read_text()

    # What is not typed here, and why.
    ELSEWHERE = {
        "make demo": "installs packages; is in .ci/run",
        "make check": "as well",
        "make setup": "as well",
        "make": "what it makes is here, since that is what we test",
        "gcc examples/save-state.c $(pkg-config --cflags --libs excamera) -o save-state":
            "needs what is installed; is in test_build, with another example",
        "./save-state holiday.ivf holiday.state": "is in test_library",
    }

    def clone(self):
        """Something like a clone in which everything is built."""
        clone = self.dir / "excamera"
        clone.mkdir()
        for name in ("excamera", "gen_makefile.py", "mk", "xcdriver"):
            (clone / name).symlink_to(ROOT / name)
        (clone / "bin").symlink_to(BIN)
        return clone

    def test_every_command(self):
        harness.need("ffmpeg", "make")
        typed = [line for block in blocks(self.text) for line in block]
        self.assertEqual(set(self.ELSEWHERE) - set(typed), set(), "these are not in README")
        commands = [line for line in typed if line not in self.ELSEWHERE]
        self.assertGreater(len(commands), 6)
        clone = self.clone()
        film = harness.film(width=144, height=80, frames=96)
        harness.must("ffmpeg", "-v", "error", "-i", film, clone / "holiday.mp4")
        done = harness.run("bash", "-c", "set -e -o pipefail\n" + "\n".join(commands), cwd=clone)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        shown = re.search(r"^    (chunks .*)$", self.text, re.MULTILINE)[1]
        self.assertIn(re.sub(r"size \w+", "size 144x80", shown), done.stdout.decode().splitlines())
        self.assertEqual(len(harness.our_frames(clone / "holiday.ivf")), 96)
        harness.must("ffmpeg", "-v", "error", "-i", clone / "holiday.webm", self.dir / "film.yuv")
        self.assertEqual((self.dir / "film.yuv").stat().st_size, 96 * 144 * 80 * 3 // 2)
        # The tools make what the driver makes.
        harness.must("ffmpeg", "-v", "error", "-i", clone / "holiday.ivf", self.dir / "again.yuv")
        self.assertEqual((self.dir / "film.yuv").read_bytes(), (self.dir / "again.yuv").read_bytes())

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
