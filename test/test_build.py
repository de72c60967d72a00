# SPDX-License-Identifier: BSD-2-Clause
"""The build as strangers do it: in a directory of any name, as an ordinary user, in an empty environment, under umask
077; what is missing is said in words; what is installed is all that programs need."""
import contextlib
import functools
import os
import pathlib
import re
import shlex
import shutil
import tempfile

import harness
from harness import ROOT, Case

# What a shell, make or a compiler could take for something else. A newline is in it, too.
NAME = "a b'c\"d&e`touch pwned`f$(touch pwned)g$HOME\\h:i;touch pwned;#k%l=m*n(o)p\nq"
OPTIONS = ("BUILD=debug", "CFLAGS=-pedantic")
ENVIRONMENT = {"LC_ALL": "C"}  # empty, but for the language of messages


def as_user():
    """The command that makes an ordinary user of root."""
    if os.getuid():
        return ()
    harness.need("setpriv")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def make(tree, *arguments, program="make"):
    """Runs make in a tree, as an ordinary user with umask 077."""
    harness.need(program)
    return harness.run("/bin/sh", "-c", 'umask 077; exec "$@"', "sh", *as_user(), shutil.which(program), *arguments,
                       cwd=tree, env=ENVIRONMENT)


def scratch():
    """A directory of the ordinary user's, kept until all tests are done."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=harness.cache()))
    directory.chmod(0o755)
    if not os.getuid():
        os.chown(directory, 65534, 65534)
    return directory


def copy(tree):
    """A copy of the sources, the ordinary user's."""
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "bin", "__pycache__"))
    if not os.getuid():
        for path in (tree, *tree.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
    return tree


@functools.lru_cache(1)
def built():
    """Such a copy in which everything is built, and what make said. It is made once."""
    tree = copy(scratch() / NAME)
    return tree, make(tree, "-j2", *OPTIONS, "tools", "lib")


@functools.lru_cache(1)
def installed():
    """Where the programs and the library of that copy are installed."""
    tree, _ = built()
    prefix = scratch() / "x y&z'\"w"
    done = make(tree, *OPTIONS, "install", f"PREFIX={prefix}")
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return prefix


@contextlib.contextmanager
def read_only(tree):
    """Nobody may write to the tree. (Root may, but is not who builds.)"""
    paths = [path for path in (tree, *tree.rglob("*")) if not path.is_symlink()]
    modes = [path.stat().st_mode for path in paths]
    for path, mode in zip(paths, modes):
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in zip(paths, modes):
            path.chmod(mode)


class MakeCase(Case):
    def setUp(self):
        super().setUp()
        self.dir.chmod(0o755)

    def one_line(self, done):
        """What a make that failed said: one line, and make's own that it stops."""
        self.assertGreater(done.returncode, 0, done.stdout)
        lines = done.stderr.decode().splitlines()
        self.assertTrue(len(lines) == 1 or len(lines) == 2 and re.match(r"make: \*\*\* .* Error 1$", lines[1]), lines)
        return lines[0]


class Tree(MakeCase):
    def setUp(self):
        super().setUp()
        self.tree, self.done = built()

    def up_to_date(self, tree, *arguments):
        done = make(tree, "-q", *OPTIONS, *arguments)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode == 0

    def test_without_a_warning(self):
        self.assertEqual((self.done.returncode, self.done.stderr.decode()), (0, ""))

    def test_nothing_of_the_name_is_run_or_kept(self):
        there = [name for _, *names in os.walk(harness.cache()) for name in sum(names, [])]  # others change it
        self.assertNotIn("pwned", there)
        made = [path for path in (self.tree / "build/debug").rglob("*") if path.is_file()]
        self.assertGreater(len(made), 100)
        self.assertEqual([path for path in made if b"excamera-test-" in path.read_bytes()], [])

    def test_built_is_built(self):
        """Until something changes, and wherever the tree is."""
        self.assertTrue(self.up_to_date(self.tree))
        self.assertFalse(self.up_to_date(self.tree, "CFLAGS=-DOTHER"))
        moved = self.tree.rename(self.tree.with_name("moved"))
        try:
            self.assertTrue(self.up_to_date(moved))
            with read_only(moved):
                self.assertTrue(self.up_to_date(moved))
                done = make(moved, *OPTIONS, "tools", "lib")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                done = make(moved, *OPTIONS, "install", f"PREFIX={scratch() / 'prefix'}")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
            source = moved / "lib/base/error.c"
            before = source.stat()
            os.utime(source)
            self.assertFalse(self.up_to_date(moved))
            os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
            self.assertTrue(self.up_to_date(moved))
        finally:
            moved.rename(self.tree)

    def test_touch(self):
        self.assertIn("make -t", self.one_line(make(self.tree, "-t", "SANITIZE=address")))
        self.assertFalse((self.tree / "build/release-address").exists())
        self.assertEqual(make(self.tree, "-t", *OPTIONS, "tools", "lib").returncode, 0)
        self.assertTrue(self.up_to_date(self.tree))

    def test_a_warning_stops_only_developers(self):
        source = self.tree / "lib/base/unused.c"
        source.write_text("static int unused;\n")
        self.addCleanup(source.unlink)
        source.chmod(0o644)
        target = "build/debug/lib/base/unused.o"
        done = make(self.tree, *OPTIONS, target, "WERROR=1")
        self.assertIn("-Werror", done.stderr.decode())
        self.assertGreater(done.returncode, 0)
        done = make(self.tree, *OPTIONS, target)
        self.assertIn("warning: ", done.stderr.decode())
        self.assertEqual(done.returncode, 0)

    def test_the_version_is_said_once(self):
        """By the header; and all others know it from there."""
        header = (ROOT / "lib/include/excamera/version.h").read_text()
        version = ".".join(re.findall(r"#define XC_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))
        self.assertRegex(version, r"\A\d+\.\d+\.\d+\Z")
        said = harness.must(self.tree / "build/debug/bin/xc-dump", "--version").decode()
        self.assertEqual(said, f"xc-dump {version}\n")
        self.assertTrue((self.tree / f"build/debug/libexcamera.so.{version}").exists())


class Missing(MakeCase):
    def setUp(self):
        super().setUp()
        self.tree, _ = built()

    def test_compiler(self):
        self.assertIn("no compiler no-such-cc; make setup",
                      self.one_line(make(self.tree, "CC=no-such-cc", "BUILD=release")))

    def test_wrong_option(self):
        line = self.one_line(make(self.tree, "CFLAGS=--no-such-option", "BUILD=release"))
        self.assertIn("gcc makes no program: ", line)
        self.assertIn("no-such-option", line)

    def test_libraries(self):
        """Headers that cannot be used hide those of the system."""
        for header in ("vpx/vpx_encoder.h", "md5.h"):
            path = self.dir / "hidden" / header
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#error not here\n")
        line = self.one_line(make(self.tree, f"CPPFLAGS=-I{self.dir}/hidden", "BUILD=release"))
        self.assertIn("gcc does not find libvpx-dev (vpx/vpx_encoder.h), libmd-dev (md5.h); make setup ", line)

    def test_archives(self):
        """A compiler that cannot link them."""
        harness.install_stubs(self.dir / "bin", {"cc": 'for word; do case $word in -lvpx) vpx=1;; -static) static=1;; '
                                                       'esac; done; [ -z "$static$vpx" ] || [ "$static$vpx" = 1 ] || '
                                                       'exit 1; exec gcc "$@"'})
        line = self.one_line(make(self.tree, f"CC={self.dir}/bin/cc", "BUILD=release", "static"))
        self.assertIn("does not find libvpx-dev (vpx/vpx_encoder.h); make static needs their archives", line)

    def test_gnu_make(self):
        done = make(self.tree, program="bmake")
        self.assertGreater(done.returncode, 0)
        text = done.stderr.decode().replace(str(self.tree), "")
        self.assertRegex(text, r"\A[^\n]*ExCamera needs GNU make[^\n]*\n\Z")


class SetUp(Case):
    def test_what_it_says_to_those_without_sudo(self):
        """Root can run it as it is: packages of another architecture need that architecture, and then other lists."""
        commands, log = self.dir / "commands", self.dir / "log"
        commands.mkdir()
        for name in ("sh", "sed", "sort", "tr", "grep", "mktemp", "rm", "cat", "uname"):
            (commands / name).symlink_to(shutil.which(name))
        harness.install_stubs(commands, {"id": "echo 1000", **{
            name: f'echo {name} "$*" >>{shlex.quote(str(log))}' for name in ("apt-get", "dpkg")}})
        setup = self.dir / "setup"
        setup.write_text((ROOT / "mk/setup").read_text().replace(" file /", " file /nowhere/"))
        env = {"PATH": str(commands)}
        done = harness.run("/bin/sh", setup, "arm64", env=env)
        self.assertEqual(done.returncode, 1)
        self.assertFalse(log.exists(), "an ordinary user runs nothing")
        said = re.fullmatch(r"setup: please run as root: (.*)\n", done.stderr.decode())
        harness.must("/bin/sh", "-c", said[1], env=env)
        self.assertRegex(log.read_text(), r"\Adpkg --add-architecture arm64\napt-get update\napt-get install -y .* "
                                          r"libvpx-dev:arm64 .*\n\Z")


PROGRAM = """
#include <excamera/encode.h>
#include <excamera/version.h>
#include <stdio.h>

int run(void);
int run(void)
{
    const struct xc_encoder_options options = { .width = 64, .height = 64 };
    struct xc_workspace *workspace;
    struct xc_encoder *encoder;
    struct xc_error err;
    if (xc_workspace_new(&workspace, 1, xc_cpu_features(), &err) ||
        xc_encoder_new(&encoder, workspace, &options, &err)) {
        return 1;
    }
    xc_encoder_free(encoder);
    xc_workspace_free(workspace);
    printf("%s %d.%d.%d\\n", xc_version(), XC_VERSION_MAJOR, XC_VERSION_MINOR, XC_VERSION_PATCH);
    return 0;
}
"""
MAIN = "int run(void);\nint main(void)\n{\n    return run();\n}\n"


class Installed(MakeCase):
    def setUp(self):
        super().setUp()
        self.prefix = installed()
        self.library = self.prefix / "lib/libexcamera.so"

    def pkg_config(self, *options):
        harness.need("pkg-config")
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")}
        return shlex.split(harness.must("pkg-config", *options, "excamera", env=env).decode())

    def program(self, *link):
        """Compiles the program with warnings on, links it, runs it."""
        self.write("program.c", PROGRAM.encode())
        self.write("main.c", MAIN.encode())
        harness.must("gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", "program", "program.c",
                     "main.c", *link, cwd=self.dir)
        return self.runs("program")

    def runs(self, program):
        env = {**os.environ, "LD_LIBRARY_PATH": f"{self.prefix}/lib:{self.dir}"}
        version, = self.pkg_config("--modversion")
        self.assertEqual(harness.must(self.dir / program, env=env).decode(), f"{version} {version}\n")

    def needs(self, file):
        return re.findall(r"\(NEEDED\).*\[(.*)\]", harness.must("readelf", "-d", file).decode())

    def test_everybody_may_read(self):
        """Whatever umask make had."""
        paths = [self.prefix, *self.prefix.rglob("*")]
        self.assertEqual([path for path in paths if path.stat().st_mode & 0o044 != 0o044], [])
        self.assertEqual([path for path in paths if path.is_dir() and path.stat().st_mode & 0o011 != 0o011], [])
        harness.must(self.prefix / "bin/excamera", "--help")

    def test_each_header_alone(self):
        for header in sorted((self.prefix / "include/excamera").iterdir()):
            with self.subTest(header.name):
                harness.must("gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c",
                             f"-I{self.prefix}/include", header)

    def test_program_with_the_shared_library(self):
        self.program(*self.pkg_config("--cflags", "--libs"))
        soname = ".".join(self.pkg_config("--modversion")[0].split(".")[:2])
        self.assertIn(f"libexcamera.so.{soname}", self.needs(self.dir / "program"))

    def test_program_with_the_archive(self):
        self.program(*self.pkg_config("--cflags", "--libs", "--static"), "-static")

    def test_archive_in_a_shared_object(self):
        self.write("program.c", PROGRAM.encode())
        self.write("main.c", MAIN.encode())
        libraries = ["-l:libexcamera.a" if word == "-lexcamera" else word
                     for word in self.pkg_config("--cflags", "--libs", "--static")]
        harness.must("gcc", "-shared", "-fPIC", "-Wl,-z,defs,-z,text", "-o", "libprogram.so", "program.c", *libraries,
                     cwd=self.dir)
        harness.must("gcc", "-o", "program", "main.c", "libprogram.so", cwd=self.dir)
        self.runs("program")
        self.assertNotIn("libexcamera", " ".join(self.needs(self.dir / "libprogram.so")))

    def test_only_what_the_headers_declare_is_visible(self):
        headers = "".join(path.read_text() for path in (self.prefix / "include/excamera").iterdir())
        code = re.sub(r"/\*.*?\*/|^ *#[^\n]*(\\\n[^\n]*)*", "", headers, flags=re.DOTALL | re.MULTILINE)
        declared = set(re.findall(r"\b(xc_\w+)\(|\bextern [^;({]*\b(xc_\w+);", code))
        symbols = harness.must("nm", "-D", "-P", "--defined-only", self.library).decode().splitlines()
        visible = {line.split("@")[0].split()[0] for line in symbols if " A " not in line}
        self.assertGreater(len(visible), 30)
        self.assertEqual(visible, {function or constant for function, constant in declared})

    def test_libvpx_is_within_and_has_zeroed_memory(self):
        if not (self.prefix / "lib/libexcamera-vpx.a").exists():
            raise harness.unittest.SkipTest("there is no archive of libvpx here")
        self.assertNotIn("libvpx", " ".join(self.needs(self.library)))
        code = harness.must("objdump", "-d", "--disassemble=vpx_memalign", "--no-show-raw-insn", self.library).decode()
        self.assertIn("<xc_zeroed_malloc>", code)
        self.assertNotIn("<malloc", code)

    def test_uninstall(self):
        tree, _ = built()
        prefix = scratch() / "other 'place"
        for target in ("install", "uninstall"):
            done = make(tree, *OPTIONS, target, "PREFIX=/opt/it", f"DESTDIR={prefix}")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            files = [path for path in prefix.rglob("*") if not path.is_dir()]
            self.assertEqual(bool(files), target == "install", files)
        self.assertEqual([path for path in prefix.rglob("*excamera*")], [])

    def test_no_right_to_install(self):
        tree, _ = built()
        forbidden = self.dir / "forbidden"
        forbidden.mkdir(mode=0o555)
        for prefix in (forbidden, forbidden / "below"):
            line = self.one_line(make(tree, *OPTIONS, "install", f"PREFIX={prefix}"))
            self.assertRegex(line, rf"\Amake install: no right to write to {forbidden}")
        self.assertEqual(list(forbidden.iterdir()), [])

    def test_no_relative_prefix(self):
        line = self.one_line(make(built()[0], *OPTIONS, "install", "PREFIX=here"))
        self.assertIn("PREFIX has to begin with /", line)
