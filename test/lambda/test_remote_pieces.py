# SPDX-License-Identifier: BSD-2-Clause
"""./excamera --decode there on the remote engines: the film is uploaded as it is, and functions decode it with the
ffmpeg of their package."""
import os
import pathlib
import re
import shutil

import harness
import remote
import stack
from harness import ROOT, Case
from remote import RemoteCase, Shared

packages = None


def setUpModule():
    global packages
    packages = remote.package_with_ffmpeg()
    remote.start(workers=4, package=packages and packages / "excamera.zip")


def tearDownModule():
    remote.stop()
    shutil.rmtree(packages, ignore_errors=True)


class Pieces(RemoteCase):
    OPTIONS = ("-q", "40", "-s", "6", "-k", "3", "-j", "4", "--no-scenes")

    def setUp(self):
        super().setUp()
        for path in self.dir.iterdir():
            path.unlink()
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(**self.film), "-c:v", "libx264", "-preset",
                     "ultrafast", "-g", "8", self.dir / "film.mp4")

    def excamera(self, output, *options, **changes):
        return harness.run(ROOT / "excamera", "film.mp4", "-o", output, *self.OPTIONS, *options, cwd=self.dir,
                           env=self.environment(XC_LAMBDA_TOOLS=str(packages / "tools.sha256"), **changes))

    def works(self, *arguments, **changes):
        done = self.excamera(*arguments, **changes)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stderr.decode()

    def test_films(self):
        self.works("local.ivf")
        expected = (self.dir / "local.ivf").read_bytes()
        for engine in ("lambda", "lambda-chunk"):
            with self.subTest(engine):
                said = self.works("remote.ivf", "--decode", "there", "--keep", ENGINE=engine)
                self.assertNotIn("decoded here", said)
                self.assertEqual((self.dir / "remote.ivf").read_bytes(), expected)
                work = self.dir / "remote.ivf.work"
                for path in work.glob("*.y4m"):  # there are only references to raw pictures here
                    self.assertLess(path.stat().st_size, 1000)
                shutil.rmtree(work)
        self.assert_workers_are_clean()

    def test_decoded_here(self):
        """In segments of one batch, so that the first one need not wait for many uploads."""
        self.works("local.ivf")
        said = self.works("remote.ivf", "-j", "1", "--verbose", ENGINE="lambda-chunk")
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
        self.assertIn("encoding the chunks 0 to 2\n", said)
        self.assertIn("encoding the chunks 3 to 3\n", said)

    def test_another_ffmpeg_than_the_package_has(self):
        """It could make other pictures."""
        other = self.dir / "other"
        other.mkdir()
        shutil.copy(shutil.which("ffmpeg"), other / "ffmpeg")
        with open(other / "ffmpeg", "ab") as program:
            program.write(b"\0")
        done = self.excamera("remote.ivf", "--decode", "there", ENGINE="lambda", PATH=f"{other}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"xc-unpack: 0000000\d.plan: was made for another ffmpeg than /")

    def test_a_package_without_ffmpeg(self):
        tool = next(pathlib.Path(Shared.directory).glob("task/tools/ffmpeg"))
        tool.rename(tool.with_name("away"))
        self.addCleanup(tool.with_name("away").rename, tool)
        done = self.excamera("remote.ivf", "--decode", "there", ENGINE="lambda")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(re.search("ffmpeg: is not on the PATH, and not beside this program", done.stderr.decode()))


class Ffmpeg(Case):
    """What xc-lambda package says of an ffmpeg."""

    def shell(self, text, ffmpeg):
        script = f"""fail() {{ echo "$*" >&2; exit 1; }}; . "{ROOT}/lambda/ffmpeg.sh"; set -euo pipefail
            ffmpeg={ffmpeg} package={self.dir}/excamera.zip root=/; {text}"""
        done = harness.run("bash", "-c", script)
        return done.returncode, done.stderr.decode()

    def stub(self, licence):
        (self.dir / "ffmpeg").mkdir(exist_ok=True)
        harness.install_stubs(self.dir / "ffmpeg", {"ffmpeg": f"""case "$*" in
            *-L) printf '{licence}' ;; *) echo 'ffmpeg version 9.0 Copyright' ;; esac"""})
        return self.dir / "ffmpeg/ffmpeg"

    def test_which_are_taken(self):
        for ffmpeg, said in ((self.dir / "none", "is no program that runs here"),
                             (stack.PACKAGE / "tools/xc-dump", "is no program that runs here"),
                             (shutil.which("ffmpeg"), "which the function does not have; take a static one")):
            with self.subTest(ffmpeg):
                status, text = self.shell("check_ffmpeg", ffmpeg)
                self.assertEqual(status, 1)
                self.assertIn(said, text)
        self.assertEqual(self.shell("check_ffmpeg", self.stub("")), (0, ""))

    def test_licences(self):
        terms = "under the terms of the GNU {}\\nas published by the Free Software Foundation; either\\nversion {} of"
        for licence, said in ((terms.format("Lesser General Public License", "2.1"),
                               "GNU Lesser General Public License 2.1"),
                              (terms.format("General Public License", "3"), "GNU General Public License 3"),
                              ("This version has nonfree parts.\\nTherefore it is not legally redistributable.",
                               "not to be passed on"), ("", "its licence is not known")):
            with self.subTest(said):
                status, text = self.shell("describe_ffmpeg", self.stub(licence))
                self.assertEqual((status, text.partition("; ")[0]),
                                 (0, f"xc-lambda: the package has ffmpeg 9.0 ({said}, 0 MB)"))
