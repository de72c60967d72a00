# SPDX-License-Identifier: BSD-2-Clause
"""make dist, make tarball and make deb: what is in them, that it works elsewhere, that it is the same each time."""
import hashlib
import os
import re
import subprocess
import tarfile

import harness
from harness import ROOT, Case

VERSION = ".".join(re.findall(r"define XC_VERSION_\w+ (\d+)",
                              (ROOT / "lib/include/excamera/version.h").read_text()))
PACKAGER = {"DEBFULLNAME": "Ada O'Tester & Söhne", "DEBEMAIL": "ada@example.org"}


def make(*arguments, **changes):
    env = {name: value for name, value in harness.environment(**changes).items() if value is not None}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class ArchiveCase(Case):
    def made(self, target, name):
        """Makes an archive twice; returns its path. Both have the same bytes, and those of the SHA-256 beside it."""
        path, sums = ROOT / "build/dist" / name, []
        for _ in range(2):
            path.unlink(missing_ok=True)
            done = make(target)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            sums.append(hashlib.sha256(path.read_bytes()).hexdigest())
        self.assertEqual(sums[0], sums[1])
        self.assertEqual(path.with_name(name + ".sha256").read_text(), f"{sums[0]}  {name}\n")
        harness.must("sha256sum", "-c", name + ".sha256", cwd=path.parent)
        return path

    def unpack(self, path):
        """Unpacks an archive with one directory, and returns that. All can be read by everyone."""
        with tarfile.open(path) as archive:
            for member in archive:
                self.assertTrue(member.mode & 0o444 == 0o444 or member.issym(), member.name)
                self.assertEqual((member.uid, member.gid), (0, 0))
        harness.must("tar", "-xzf", path, "-C", self.dir)
        return self.dir / path.name[:-len(".tar.gz")]

    def encodes(self, program, **environment):
        """A driver that was unpacked somewhere encodes a film as that of the sources does."""
        film = harness.film(width=64, height=48, frames=12)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.dir), **environment}
        for name, command, variables in (("theirs", program, env), ("ours", ROOT / "excamera", None)):
            harness.must(command, film, "-o", self.dir / f"{name}.ivf", env=variables)
        self.assertEqual((self.dir / "theirs.ivf").read_bytes(), (self.dir / "ours.ivf").read_bytes())


class Dist(ArchiveCase):
    def test_the_sources(self):
        harness.need("git")
        if not (ROOT / ".git").exists():
            self.skipTest("this is no git repository")
        sources = self.unpack(self.made("dist", f"excamera-{VERSION}.tar.gz"))
        files = harness.must("git", "ls-tree", "-r", "--name-only", "-z", "HEAD", cwd=ROOT).decode().split("\0")[:-1]
        there = {str(path.relative_to(sources)) for path in sources.rglob("*")
                 if not path.is_dir() or path.is_symlink()}
        self.assertEqual(there, set(files))
        for name in ("Makefile", "README.md", "excamera"):
            committed = harness.must("git", "show", f"HEAD:{name}", cwd=ROOT)
            self.assertEqual((sources / name).read_bytes(), committed)
        self.assertTrue(os.access(sources / "excamera", os.X_OK))
        self.assertIn(b"make deb", harness.must("make", "help", cwd=sources))

    def test_not_in_a_repository(self):
        done = make("dist", GIT_DIR=str(self.dir / "none"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"make dist: this is no git repository\n", done.stderr)


class Tarball(ArchiveCase):
    def test_programs_for_any_linux(self):
        name = f"excamera-{VERSION}-linux-{os.uname().machine}"
        unpacked = self.unpack(self.made("tarball", name + ".tar.gz"))
        tools = sorted((unpacked / "bin").glob("xc-*"))
        self.assertGreater(len(tools), 15)
        for tool in tools:
            if tool.read_bytes()[:4] == b"\x7fELF":
                with self.subTest(tool.name):
                    self.assertNotIn(b"INTERP", harness.must("readelf", "-lW", tool))  # it needs no dynamic linker
                    version = harness.must(tool, "--version", env={})
                    self.assertEqual(version.decode(), f"{tool.name} {VERSION}\n")
        for wanted in ("README.md", "LICENSE", "NEWS", "share/man/man1/xc-enc.1", "share/man/man5/excamera-state.5",
                       "share/bash-completion/completions/excamera", "share/zsh/site-functions/_excamera"):
            self.assertTrue((unpacked / wanted).exists(), wanted)
        self.assertEqual([path for path in unpacked.rglob("*") if str(ROOT).encode() in (
            path.read_bytes() if path.is_file() else b"")], [])
        self.encodes(unpacked / "bin/excamera")


class Deb(ArchiveCase):
    packages = None

    def setUp(self):
        super().setUp()
        harness.need("dpkg-buildpackage", "dh", "dh_python3", "lintian")
        if not Deb.packages:
            done = make("deb", **PACKAGER)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            Deb.packages = sorted((ROOT / "build/deb").glob("*.deb"))

    def package(self, name):
        return next(path for path in self.packages if path.name.startswith(name + "_"))

    def test_lintian(self):
        """No errors; a warning about a page that is missing is none."""
        done = harness.run("lintian", "--allow-root", "--fail-on", "error", "--tag-display-limit", "0", *self.packages)
        self.assertEqual((done.returncode, re.findall(rb"^E: .*", done.stdout, re.MULTILINE)), (0, []))

    def test_packages(self):
        interface = ".".join(VERSION.split(".")[:2])
        names = {path.name.split("_")[0] for path in self.packages if "dbgsym" not in path.name}
        self.assertEqual(names, {"excamera", f"libexcamera{interface}", "libexcamera-dev", "libexcamera-doc"})
        for path in self.packages:
            fields = harness.must("dpkg-deb", "-f", path, "Version", "Maintainer").decode()
            self.assertEqual(fields, f"Version: {VERSION}\nMaintainer: {PACKAGER['DEBFULLNAME']} <ada@example.org>\n")
        depends = harness.must("dpkg-deb", "-f", self.package("excamera"), "Depends").decode()
        for wanted in ("python3", "make", "ffmpeg", "zlib1g", "libxxhash0"):
            self.assertRegex(depends, rf"\b{wanted}\b")

    def test_what_is_in_them_works(self):
        for name in ("excamera", "libexcamera-dev", f"libexcamera{'.'.join(VERSION.split('.')[:2])}"):
            harness.must("dpkg-deb", "-x", self.package(name), self.dir / "root")
        usr = self.dir / "root/usr"
        self.encodes(usr / "bin/excamera")
        library = next(usr.glob("lib/*/pkgconfig")).parent
        harness.must("cc", "-I", usr / "include", ROOT / "examples/save-state.c", "-o", self.dir / "save-state", "-L",
                     library, "-lexcamera")
        harness.must(self.dir / "save-state", self.dir / "theirs.ivf", self.dir / "a.state",
                     env={"LD_LIBRARY_PATH": str(library), "PATH": "/usr/bin:/bin"})
        self.xc("xc-dump", self.dir / "theirs.ivf", "b.state")
        self.xc("xc-diff", "a.state", "b.state")

    def test_nobody_maintains_it(self):
        """A package says who made it; nobody is made up."""
        done = make("deb", DEBFULLNAME=None, DEBEMAIL=None, HOME=str(self.dir), GIT_CONFIG_GLOBAL="/dev/null",
                    GIT_CONFIG_SYSTEM="/dev/null", GIT_DIR=str(self.dir / "none"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"DEBFULLNAME", done.stderr)
        self.assertTrue(self.packages[0].exists(), "it has removed what was there")
