"""xc-vpxenc writes the very bytes that vpxenc writes for the same options, and refuses what it cannot do."""
import re
import shlex
import unittest

from harness import BIN, PUBLISHED_VPXENC, Case, film, must, need, vpxenc

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

# Options of vpxenc that would mean something for VP8, but not here: raw input, other outputs, reports about the
# encoding, a scaled picture, and passes in different processes.
LEFT_OUT = set("""nv12 yv12 i420 i422 i444 i440 webm stereo-mode output-partitions verbose psnr q-hist rate-hist
    test-decode width height pass fpf""".split())
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
        self.check("unknown", "--width=50", *out)
        self.check("only vp8", "--codec=vp9", *out)
        self.check("only one of --best", "--best", "--rt", *out)
        self.check("--passes: '3'", "-p", "3", *out)
        self.check("--end-usage: unknown 'abr'", "--end-usage=abr", *out)
        self.check("--tune: unknown '2'", "--tune=2", *out)
        for rate in ("25", "25/", "0/1", "25/1/1", "x/1", "25/9999999"):
            self.check(f"--fps: '{rate}'", f"--fps={rate}", *out)

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
