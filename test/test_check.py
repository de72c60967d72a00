# SPDX-License-Identifier: BSD-2-Clause
"""xc-check: what a tool has noted of its outputs, and files that are something else now."""
import harness
from harness import BIN, LOSSES, Case, lose_data, number


class Check(Case):
    def setUp(self):
        super().setUp()
        self.env = harness.environment(XC_SUMS=str(self.dir.resolve() / "sums"))
        film = self.write("film.y4m", harness.film(width=64, height=48, frames=4).read_bytes())
        self.xc("xc-split", "-s", 2, "-d", ".", film, env=self.env)
        film.unlink()
        self.encode()
        self.names = [f"{number(0)}.y4m", f"{number(1)}.y4m", f"{number(0)}-anchors.ivf", f"{number(0)}-anchors.state"]

    def encode(self, *options):
        name = number(0)
        self.xc("xc-enc", "--anchors", "-i", "y4m", *options, "-o", f"{name}-anchors.ivf",
                "-O", f"{name}-anchors.state", f"{name}.y4m", env=self.env)

    def damaged(self, *arguments):
        """The names that xc-check prints; for each there is a line that says what is wrong."""
        done = harness.run(BIN / "xc-check", "--list", *arguments, cwd=self.dir)
        names = done.stdout.decode().split()
        self.assertEqual(done.returncode, 0)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), len(names))
        for line, name in zip(lines, names):
            self.assertRegex(line, rf"\Axc-check: (.*/)?{name}: ")
        done = harness.run(BIN / "xc-check", *arguments, cwd=self.dir)
        self.assertEqual((done.returncode, done.stdout), (1 if names else 0, b""))
        return names

    def test_whole_files(self):
        self.assertEqual(self.damaged("--sums", "sums", *self.names), [])
        self.assertEqual(self.damaged(*self.names), [])
        self.assertEqual(len((self.dir / "sums").read_text().split()), 3 * len(self.names))

    def test_directory(self):
        """Finished and intermediate files are checked, raw pictures are not."""
        for name in self.names:
            self.write(name, b"")
        self.assertEqual(self.damaged("--sums", "sums", "."), self.names[2:])

    def test_files_that_lost_data(self):
        for how in LOSSES:
            for name in self.names:
                with self.subTest(how, name=name):
                    data = (self.dir / name).read_bytes()
                    lose_data(self.dir / name, how)
                    self.assertEqual(self.damaged("--sums", "sums", *self.names), [name])
                    if how != "half zeroed":  # the formats, but for that of states, have no checksums
                        self.assertEqual(self.damaged(*self.names), [name])
                    self.write(name, data)

    def test_the_last_record_counts(self):
        self.encode("--cq-level", 40)
        self.assertEqual(self.damaged("--sums", "sums", *self.names), [])

    def test_damaged_lists(self):
        """Records that can be read are used."""
        lose_data(self.dir / self.names[0], "half zeroed")
        whole = (self.dir / "sums").read_bytes()
        for name, data in (("cut in a record", whole[:-8]), ("zeroes after it", whole + bytes(100) + b"\n"),
                           ("a record cut before it", b"\n0123456789abcdef 12" + whole)):
            with self.subTest(name):
                self.write("sums", data)
                self.assertEqual(self.damaged("--sums", "sums", *self.names), [self.names[0]])

    def test_other_directories(self):
        """The list is of one directory. A file that is written elsewhere is not noted."""
        (self.dir / "there").mkdir()
        before = (self.dir / "sums").read_bytes()
        self.xc("xc-dump", f"{number(0)}-anchors.ivf", "there/a.state", env=self.env)
        self.assertEqual((self.dir / "sums").read_bytes(), before)

    def test_references(self):
        """What stands for a file on another machine is not judged."""
        self.write(self.names[2], b"XCREF elsewhere\n")
        self.assertEqual(self.damaged("--sums", "sums", *self.names), [])

    def test_a_list_that_cannot_be_written(self):
        (self.dir / "sums").unlink()
        (self.dir / "sums").mkdir()
        text = self.refuses("xc-dump", f"{number(0)}-anchors.ivf", "a.state", env=self.env)
        self.assertIn("sums: Is a directory", text)
