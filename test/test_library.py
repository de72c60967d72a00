# SPDX-License-Identifier: BSD-2-Clause
"""The library as a stranger's program meets it: the public headers and the archive, in C and in C++; examples/."""
import hashlib
import re
import struct

import harness
from harness import BUILD, ROOT, Case, Ivf

INCLUDE = ROOT / "lib/include"
EXAMPLES = ROOT / "examples"
LANGUAGES = {
    "C11": ["gcc", "-x", "c", "-std=c11"],
    "C++11": ["g++", "-x", "c++", "-std=c++11"],
    "C++20": ["g++", "-x", "c++", "-std=c++20"],
}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
WIDTH, HEIGHT, FRAMES = 70, 50, 12


def sanitizers():
    """What the archive was compiled with, and a program must be linked with."""
    return re.findall(r"-fsanitize=\S+", (BUILD / "flags").read_text())


def libraries():
    if not (BUILD / "libexcamera.a").exists():
        raise harness.unittest.SkipTest("libexcamera.a is not built")
    vpx = BUILD / "libexcamera-vpx.a"
    return [BUILD / "libexcamera.a", vpx if vpx.exists() else "-lvpx", BUILD / "libexcamera.a", "-lxxhash", "-lz",
            "-lm", "-pthread", *sanitizers()]


def build(name, language):
    """The path of an example's program, made once."""
    harness.need(LANGUAGES[language][0])
    command = [*LANGUAGES[language], *WARNINGS, f"-I{INCLUDE}", EXAMPLES / f"{name}.c", "-x", "none", *libraries()]
    return harness.cached(lambda out: harness.must(*command, "-o", out), "example", command, suffix=".program")


def stream():
    return harness.vpxenc(harness.film(WIDTH, HEIGHT, FRAMES), "--cq-level=20", "--end-usage=cq")


class Headers(Case):
    def test_each_by_itself_in_every_language(self):
        for language, compiler in LANGUAGES.items():
            for header in sorted((INCLUDE / "excamera").glob("*.h")):
                with self.subTest(language, header=header.name):
                    harness.need(compiler[0])
                    harness.must(*compiler, *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", header)

    def test_one_header_includes_all(self):
        text = (INCLUDE / "excamera/excamera.h").read_text()
        others = {f"excamera/{p.name}" for p in (INCLUDE / "excamera").glob("*.h")} - {"excamera/excamera.h"}
        self.assertEqual(set(re.findall(r'#include "(.*)"', text)), others)


class Examples(Case):
    """Each example, compiled in each language, does what its first line says."""

    def each_language(self, name, *arguments, **options):
        """Runs an example in each language in turn; yields after each."""
        for language in LANGUAGES:
            with self.subTest(language):
                harness.must(build(name, language), *arguments, cwd=self.dir, **options)
                yield language

    def cut(self, at):
        """The stream in two: first.ivf and, from the frame of this number on, rest.ivf. Returns how many pictures the
        first one shows."""
        first, rest = Ivf(stream()), Ivf(stream())
        first.frames, rest.frames = first.frames[:at], rest.frames[at:]
        self.write("first.ivf", first.bytes())
        self.write("rest.ivf", rest.bytes())
        return first.shown()

    def test_save_state(self):
        self.xc("xc-dump", stream(), "expected.state")
        for _ in self.each_language("save-state", stream(), "out.state"):
            self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "expected.state").read_bytes())

    def test_go_on(self):
        shown, size = self.cut(5), WIDTH * HEIGHT * 3 // 2
        self.xc("xc-dump", "first.ivf", "first.state")
        for _ in self.each_language("go-on", "first.state", "rest.ivf", "out.yuv"):
            raw = (self.dir / "out.yuv").read_bytes()
            pictures = [hashlib.md5(raw[i:i + size]).hexdigest() for i in range(0, len(raw), size)]
            self.assertEqual(pictures, harness.vpxdec_frames(stream())[shown:])

    def test_go_on_from_another_state(self):
        self.cut(5)
        self.xc("xc-dump", "first.ivf", "first.state")
        data = bytearray((self.dir / "rest.ivf").read_bytes())
        struct.pack_into("<I", data, 28, 0x12345678)
        self.write("rest.ivf", bytes(data))
        done = harness.run(build("go-on", "C11"), "first.state", "rest.ivf", "out.yuv", cwd=self.dir)
        self.assertEqual((done.returncode, done.stderr), (1, b"the stream goes on from another state\n"))

    def test_encode(self):
        shown = self.cut(5)
        self.xc("xc-dump", "first.ivf", "first.state")
        for _ in self.each_language("encode", "first.state", harness.film(WIDTH, HEIGHT, FRAMES, seed=2), "out.ivf"):
            self.assertNotEqual(Ivf(self.dir / "out.ivf").expected_state, 0)
            self.plays_everywhere(["first.ivf", "out.ivf"], shown + 3)

    def test_encode_chunk(self):
        shown = self.cut(5)
        film = harness.film(WIDTH, HEIGHT, FRAMES, seed=2)
        self.xc("xc-dump", "first.ivf", "first.state")
        for _ in self.each_language("encode-chunk", "first.state", film, "out.ivf", "out.state"):
            self.plays_everywhere(["first.ivf", "out.ivf"], shown + FRAMES)
            self.xc("xc-dump", "-S", "first.state", "out.ivf", "expected.state")
            self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "expected.state").read_bytes())

    def test_all(self):
        shown = Ivf(stream()).shown()
        self.xc("xc-dump", stream(), "expected.state")
        env = harness.environment(ASAN_OPTIONS="detect_leaks=0")
        for _ in self.each_language("all", stream(), "out.state", "out.ivf", env=env):
            self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "expected.state").read_bytes())
            self.plays_everywhere([stream(), "out.ivf"], shown + 3)

    def test_all_of_it_in_25_lines(self):
        body = (EXAMPLES / "all.c").read_text().split("\n{\n")[1]
        lines = [line for line in body.splitlines() if line.strip(" {}")]
        self.assertLessEqual(len(lines), 25)
