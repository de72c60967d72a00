# SPDX-License-Identifier: BSD-2-Clause
"""xc-vpxenc writes the very bytes that vpxenc writes for the same options, and refuses what it cannot do."""
import re
import shlex
import unittest

from harness import BIN, PUBLISHED_VPXENC, Case, film, must, need, run, snapshot, vpxenc, y4m_split

SMALL = {"width": 96, "height": 80, "frames": 16}
CUT = {"width": 96, "height": 80, "frames": 40, "cut": 23}
FAST = ("--good", "--cpu-used=4", "--target-bitrate=100")
# With a negative cpu-used, libvpx does not look at the clock.
REALTIME = ("--rt", "--cpu-used=-5", "--target-bitrate=60", "--end-usage=cbr")
ALTREF = ("--passes=2", "--auto-alt-ref=1", "--lag-in-frames=12", "--arnr-maxframes=5", "--arnr-strength=4")

# name: (the film, the options)
MATRIX = {f"profile {p}": (SMALL, (*FAST, f"--profile={p}")) for p in range(4)}
MATRIX |= {f"partitions {t}": (SMALL, (*FAST, f"--token-parts={t}")) for t in range(4)}
MATRIX |= {f"size {w}x{h}": ({"width": w, "height": h, "frames": 8}, (*FAST, f"--passes={p}"))
           for w, h, p in ((1, 1, 1), (17, 33, 1), (33, 17, 2), (95, 79, 2))}
MATRIX |= {f"error resilient {e}": (SMALL, (*FAST, f"--error-resilient={e}")) for e in (1, 2, 3)}
MATRIX |= {f"alt-ref type {t}": (CUT, (*FAST, *ALTREF, f"--arnr-type={t}")) for t in (1, 2, 3)}
MATRIX |= {f"rate control {mode}": (CUT, (*FAST, f"--passes={p}", f"--end-usage={mode}", "--cq-level=30"))
           for mode in ("vbr", "cbr", "cq", "q", "2") for p in (1, 2)}
MATRIX |= {
    "defaults": (SMALL, ()),
    "published": (SMALL, PUBLISHED_VPXENC.format(q=22).split()),
    "published, scene cut": (CUT, PUBLISHED_VPXENC.format(q=50).split()),
    "best": ({**SMALL, "frames": 4}, ("--best", "-p", "2")),
    "deadline of real time": (SMALL, ("-d", "1000", "--cpu-used=-5")),
    "real time": (SMALL, REALTIME),
    "real time has one pass": (SMALL, (*REALTIME, "--passes=2")),
    "frames dropped": (CUT, (*REALTIME, "--drop-frame=90", "--target-bitrate=5", "--buf-sz=200", "--buf-initial-sz=100",
                             "--buf-optimal-sz=100")),
    "resized": ({**CUT, "frames": 60}, (*REALTIME, "--resize-allowed=1", "--resize-up=100", "--resize-down=60",
                                        "--target-bitrate=80", "--kf-max-dist=4", "--buf-sz=1000",
                                        "--buf-optimal-sz=600", "--buf-initial-sz=200")),
    "screen content": (SMALL, (*REALTIME, "--screen-content-mode=1")),
    "golden boost": ({"width": 16, "height": 16, "frames": 60}, (*REALTIME, "--gf-cbr-boost=300",
                                                                 "--target-bitrate=5")),
    "two threads": ({"width": 320, "height": 64, "frames": 8}, (*FAST, "-t", "2")),
    "noise sensitivity": (SMALL, (*FAST, "--noise-sensitivity=4")),
    "static threshold": (SMALL, (*REALTIME, "--static-thresh=1000")),
    "sharpness": (SMALL, (*FAST, "--sharpness=5")),
    "quantizers": (SMALL, (*FAST, "--min-q=10", "--max-q=20")),
    "tune": (SMALL, (*FAST, "--tune=ssim")),
    "key frames": (CUT, (*FAST, "--kf-max-dist=7", "--kf-min-dist=0")),
    "key frames at fixed distance": (CUT, (*FAST, "--kf-max-dist=5", "--kf-min-dist=5")),
    "no key frames": (CUT, (*FAST, "--disable-kf")),
    "key frames held down": (CUT, (*FAST, "--max-intra-rate=100")),
    "sections": (CUT, (*FAST, "-p", "2", "--bias-pct=80", "--minsection-pct=30", "--maxsection-pct=200")),
    "undershoot": (CUT, (*REALTIME, "--undershoot-pct=0")),
    "overshoot": (CUT, (*FAST, "--overshoot-pct=10")),
    # More than libvpx returns at once.
    "much to flush": (SMALL, ("--cpu-used=5", "-p", "2", "--lag-in-frames=25", "--min-q=0", "--max-q=0",
                              "--target-bitrate=1000000")),
    "limit": (SMALL, (*FAST, "--limit=5", "--passes=2")),
    "skip": (SMALL, (*FAST, "--skip=3")),
    "limit and skip": (CUT, (*FAST, *ALTREF, "--limit=20", "--skip=3")),
    "rate": (SMALL, (*FAST, "--fps=24000/1001")),
    "rate and timebase": (SMALL, (*FAST, "--fps=25/1", "--timebase=1/90000", "--skip=2")),
    "timebase alone": (SMALL, (*FAST, "--timebase=1/90000")),
}

# Options of vpxenc that would mean something for VP8, but not here: other raw input, other outputs, reports about the
# encoding.
LEFT_OUT = set("nv12 i422 i444 i440 stereo-mode output-partitions q-hist rate-hist test-decode".split())
# Options that VP8 ignores.
MEANINGLESS = set("usage test-16bit-internal resize-width resize-height corpus-complexity".split())


class SameBytes(Case):
    def check(self, source, *options):
        theirs = vpxenc(source, *options).read_bytes()
        self.xc("xc-vpxenc", *options, "-o", "ours.ivf", source)
        self.assertTrue((self.dir / "ours.ivf").read_bytes() == theirs, "the files differ")

    def test_matrix(self):
        for name, (source, options) in MATRIX.items():
            with self.subTest(name):
                self.check(film(**source), *options)

    def test_every_option_is_there(self):
        need("vpxenc")
        # Up to where VP9's own options begin.
        theirs = set(re.findall(r"--([a-z0-9-]+)", must("vpxenc", "--help").decode().split("\nVP9 ")[0]))
        ours = set(re.findall(r"--([a-z0-9-]+)", self.xc("xc-vpxenc", "--help").decode()))
        self.assertEqual(theirs - ours, LEFT_OUT | MEANINGLESS)

    def test_pipes(self):
        source, options = film(**CUT), (*FAST, *ALTREF)
        need("vpxenc")
        # A pipe cannot be rewound, so the frame count stays 0.
        theirs = must("vpxenc", "--codec=vp8", "--ivf", "-q", "-y", *options, "-o", "-", source)
        ours = self.xc("xc-vpxenc", *options, "-o", "-", "-", stdin=source.read_bytes())
        self.assertTrue(ours == theirs, "the streams differ")

    def test_standard_output_is_a_file(self):
        source = film(**SMALL)
        self.xc("xc-vpxenc", *FAST, "-o", "named.ivf", source)
        command = shlex.join([str(BIN / "xc-vpxenc"), *FAST, "-o", "-", str(source)])
        must("sh", "-c", f"(echo before; {command}; echo after) >redirected", cwd=self.dir)
        expected = b"before\n" + (self.dir / "named.ivf").read_bytes() + b"after\n"
        self.assertTrue((self.dir / "redirected").read_bytes() == expected)


class AsScripted(Case):
    """What scripts around vpxenc use: raw input, passes in processes of their own, reports."""

    def both(self, *arguments, stdin=b""):
        """Runs vpxenc and xc-vpxenc, each in a directory of its own. Yields what each has printed on standard error,
        and checks that they left the same files."""
        need("vpxenc")
        for name, command in (("theirs", ("vpxenc", "--codec=vp8", "--ivf", "-y", "-q")),
                              ("ours", (BIN / "xc-vpxenc",))):
            where = self.dir / name
            if not where.exists():
                where.mkdir()
            done = run(*command, *arguments, cwd=where, stdin=stdin)
            self.assertEqual(done.returncode, 0, done.stderr)
            yield done.stderr.decode()
        theirs, ours = (snapshot(self.dir / name) for name in ("theirs", "ours"))
        self.assertEqual(ours, theirs)

    def same(self, *arguments, **options):
        errors = list(self.both(*arguments, **options))
        self.assertEqual(errors[1], "")

    def raw(self, width, height, planes="yuv"):
        """The pictures of a film, as raw planes in this order."""
        _, frames = y4m_split(film(width=width, height=height, frames=8).read_bytes())
        luma, chroma = width * height, (width + 1) // 2 * ((height + 1) // 2)
        data = b""
        for frame in frames:
            frame = frame[len(b"FRAME\n"):]
            parts = {"y": frame[:luma], "u": frame[luma:luma + chroma], "v": frame[luma + chroma:]}
            data += b"".join(parts[plane] for plane in planes)
        return data

    def test_raw_pictures(self):
        for width, height in ((33, 17), (1, 1)):
            size = (f"--width={width}", "-h", height)
            i420 = self.write("film.i420", self.raw(width, height))
            yv12 = self.write("film.yv12", self.raw(width, height, "yvu"))
            for options, path in (((), i420), (("--i420",), i420), (("--yv12", "--passes=2"), yv12),
                                  (("--i420", "--fps=25/1", "--skip=2", "--limit=6"), i420)):
                with self.subTest(size=(width, height), options=options):
                    self.same(*FAST, *options, *size, "-o", "out.ivf", path)
            with self.subTest(size=(width, height), pipe=True):
                self.same(*FAST, "--yv12", *size, "-o", "out.ivf", "-", stdin=yv12.read_bytes())
                # Here vpxenc finds nothing left for its second pass.
                options = (*FAST, "-p", 2, "--yv12", *size, "-o")
                self.xc("xc-vpxenc", *options, "named.ivf", yv12)
                self.xc("xc-vpxenc", *options, "piped.ivf", "-", stdin=yv12.read_bytes())
                self.assertEqual(*((self.dir / f"{name}.ivf").read_bytes() for name in ("named", "piped")))

    def test_y4m_says_its_size(self):
        source = film(**SMALL)
        self.same(*FAST, "--i420", "-w", "96", "-h", "80", "-o", "out.ivf", source)
        self.same(*FAST, "--i420", "-w", "96", "-o", "out.ivf", "-", stdin=source.read_bytes())

    def test_passes_in_processes_of_their_own(self):
        source, options = film(**CUT), (*FAST, *ALTREF, "--fpf=film.fpf", "-o", "out.ivf")
        self.same(*options, "--pass=1", source)
        self.assertEqual(set(snapshot(self.dir / "ours")), {"film.fpf"})
        self.same(*options, "--pass=2", source)
        self.assertEqual(set(snapshot(self.dir / "ours")), {"film.fpf", "out.ivf"})
        at_once = self.dir / "at once.ivf"
        self.xc("xc-vpxenc", *FAST, *ALTREF, "-o", at_once, source)
        self.assertEqual(at_once.read_bytes(), (self.dir / "ours/out.ivf").read_bytes())

    def test_passes_in_one_process(self):
        self.same(*FAST, "--passes=2", "--fpf=film.fpf", "-o", "out.ivf", film(**CUT))
        self.assertEqual(set(snapshot(self.dir / "ours")), {"film.fpf", "out.ivf"})

    def test_pass_alone(self):
        """--pass=1 without --passes=2 is the only pass, --pass=2 implies the first."""
        self.same(*FAST, "--pass=1", "-o", "out.ivf", film(**SMALL))
        self.same(*FAST, "--passes=2", "--pass=1", "--fpf=film.fpf", "-o", "out.ivf", film(**SMALL))
        list(self.both(*FAST, "--pass=2", "--fpf=film.fpf", "-o", "out.ivf", film(**SMALL)))

    def test_reports(self):
        """--psnr and -v print what vpxenc prints; it adds to -v what some versions need for debugging."""
        for options in (("--psnr",), ("-v",), ("--psnr", "-v", "--passes=2", "--min-q=10"),
                        ("--psnr", "--max-q=0", "--min-q=0")):
            with self.subTest(options):
                theirs, ours = self.both(*FAST, *options, "-o", "out.ivf", film(**SMALL))
                self.assertNotEqual(ours, "")
                self.assertEqual(ours, re.sub(r" +(use_vizier|active_wq)[^\n]+\n", "", theirs))


class Refusals(Case):
    def setUp(self):
        super().setUp()
        self.film = film(**SMALL)

    def check(self, expected, *arguments, **options):
        self.assertIn(expected, self.refuses("xc-vpxenc", *arguments, **options))

    def test_command_lines(self):
        out = ("-o", "out.ivf", self.film)
        self.check("-o is needed", self.film)
        self.check("a file is missing", "-o", "out.ivf")
        self.check("is 96x80; -w and -h cannot scale it", "--width=50", *out)
        self.check("--webm is not supported: write IVF", "--webm", *out)
        self.check("only one of --i420 and --yv12", "--i420", "--yv12", *out)
        for name in ("--limi=3", "--pas=2", "--q-hist=3", "--i42", "--deb"):
            self.check("unknown", name, *out)
        self.check("only vp8", "--codec=vp9", *out)
        self.check("only one of --best", "--best", "--rt", *out)
        self.check("--passes: '3'", "-p", "3", *out)
        self.check("--end-usage: unknown 'abr'", "--end-usage=abr", *out)
        self.check("--tune: unknown '2'", "--tune=2", *out)
        for rate in ("25", "25/", "0/1", "25/1/1", "x/1", "25/9999999"):
            self.check(f"--fps: '{rate}'", f"--fps={rate}", *out)

    def test_passes(self):
        out = ("-o", "out.ivf", self.film)
        self.check("--pass=1 needs --fpf", "--passes=2", "--pass=1", *out)
        self.check("--pass=2 needs --fpf", "--pass=2", *out)
        self.check("only one pass in real time", "--pass=2", "--rt", "--fpf=film.fpf", *out)
        self.check("film.fpf: No such file", "--pass=2", "--fpf=film.fpf", *out)
        self.write("film.fpf", b"")
        self.check("film.fpf: is empty", "--pass=2", "--fpf=film.fpf", *out)
        self.write("film.fpf", b"x" * 100)
        self.check("truncated", "--pass=2", "--fpf=film.fpf", *out)
        self.check("no-directory/film.fpf", "--pass=1", "--passes=2", "--fpf=no-directory/film.fpf", *out)

    def test_raw_pictures(self):
        raw = self.write("raw.yuv", bytes(96 * 80 * 3 // 2 * 2))
        self.check("raw.yuv: is not Y4M; if it is raw", "-o", "out.ivf", raw)
        self.check("raw.yuv: is not Y4M; if it is raw", "-w", "96", "-o", "out.ivf", raw)
        self.check("raw.yuv: frame 1: cut short, or not of 90x90", "-w", 90, "-h", 90, "-o", "out.ivf", raw)
        self.check("raw.yuv: frame 1: cut short, or not of 90x90", "-p", 2, "-w", 90, "-h", 90, "-o", "out.ivf", raw)
        self.check("--width: '20000'", "-w", "20000", "-h", "80", "-o", "out.ivf", raw)
        ivf = vpxenc(self.film, *FAST)
        self.check("is IVF", "-w", "96", "-h", "80", "-o", "out.ivf", ivf)

    def test_what_libvpx_refuses(self):
        self.check("rc_min_quantizer", "--min-q=40", "--max-q=20", "-o", "out.ivf", self.film)
        self.check("kf_min_dist", "--kf-min-dist=3", "-o", "out.ivf", self.film)

    def test_films(self):
        data = self.film.read_bytes()
        for passes in "12":
            cut = self.write("cut.y4m", data[:-1])
            self.check("cut.y4m: frame 15", "-p", passes, "-o", "out.ivf", cut)
            self.check("-: frame 15", "-p", passes, "-o", "out.ivf", "-", stdin=data[:-1])
            self.check("no frame to encode", "-p", passes, "--skip=16", "-o", "out.ivf", self.film)
            self.check("no frame to encode", "-p", passes, "-o", "out.ivf", "-", stdin=data[:data.index(b"\n") + 1])
        self.check("missing.y4m", "-o", "out.ivf", "missing.y4m")
        self.check("no-directory/out.ivf", "-o", "no-directory/out.ivf", self.film)


if __name__ == "__main__":
    unittest.main()
