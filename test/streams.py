# SPDX-License-Identifier: BSD-2-Clause
"""Streams made on the spot by libvpx's encoder, whatever it can be made to emit: not everybody has the test vectors."""
import harness

FAST = ("--good", "--cpu-used=5")
REALTIME = ("--rt", "--lag-in-frames=0")
ALTREF = ("--good", "--cpu-used=3", "--passes=2", "--auto-alt-ref=1", "--lag-in-frames=16", "--arnr-maxframes=7",
          "--arnr-strength=5")
RATE = ("--target-bitrate=200",)

# name: (the film, vpxenc's options). Together they make libvpx emit whatever it can be made to emit.
MATRIX = {f"profile {p}, {1 << t} partitions": ({}, (*FAST, *RATE, f"--profile={p}", f"--token-parts={t}"))
          for p in range(4) for t in range(4)}
MATRIX |= {f"size {w}x{h}": ({"width": w, "height": h, "frames": 10}, (*FAST, *RATE))
           for w, h in ((1, 1), (2, 3), (16, 16), (17, 15), (1, 50), (64, 8), (33, 97), (175, 143), (320, 180))}
MATRIX |= {f"size {w}x{h}, profile 3": ({"width": w, "height": h, "frames": 10}, (*FAST, *RATE, "--profile=3"))
           for w, h in ((1, 1), (175, 143))}
MATRIX |= {
    "hidden alt-ref": ({"frames": 40}, (*ALTREF, *RATE)),
    "hidden alt-ref, odd size": ({"width": 175, "height": 143, "frames": 40}, (*ALTREF, *RATE)),
    "hidden alt-ref, scene cut": ({"frames": 40, "cut": 21}, (*ALTREF, *RATE, "--arnr-type=1")),
    "published": ({"frames": 24}, harness.PUBLISHED_VPXENC.format(q=22).split()),
    "best": ({"frames": 8}, ("--best", *RATE)),
    "error resilient 1": ({}, (*REALTIME, *RATE, "--error-resilient=1")),
    "error resilient 2": ({}, (*FAST, *RATE, "--error-resilient=2", "--token-parts=3")),
    "error resilient 3": ({}, (*FAST, *RATE, "--error-resilient=3", "--token-parts=2")),
    "segments": ({"frames": 40}, (*REALTIME, *RATE, "--cpu-used=-6", "--end-usage=cbr", "--error-resilient=1")),
    "segments, constant rate": ({"frames": 40}, (*REALTIME, "--cpu-used=-4", "--end-usage=cbr", "--target-bitrate=80")),
    "screen content": ({"frames": 40}, (*REALTIME, *RATE, "--end-usage=cbr", "--screen-content-mode=1")),
    "static threshold": ({}, (*REALTIME, *RATE, "--static-thresh=1000")),
    "noise sensitivity": ({}, (*REALTIME, *RATE, "--noise-sensitivity=6")),
    "four threads": ({"width": 640, "height": 96}, (*REALTIME, *RATE, "--threads=4", "--token-parts=2")),
    "key frame every 3": ({}, (*FAST, *RATE, "--kf-max-dist=3")),
    "no key frames": ({"frames": 30, "cut": 13}, (*FAST, *RATE, "--disable-kf")),
    "dropped frames": ({"frames": 40}, (*REALTIME, "--end-usage=cbr", "--drop-frame=90", "--target-bitrate=20",
                                        "--buf-sz=200", "--buf-initial-sz=100", "--buf-optimal-sz=100")),
    "resized on the way": ({"frames": 60}, (*REALTIME, "--end-usage=cbr", "--resize-allowed=1", "--resize-up=90",
                                            "--resize-down=60", "--target-bitrate=15", "--kf-max-dist=10")),
}
MATRIX |= {f"sharpness {s}": ({"frames": 12}, (*FAST, *RATE, f"--sharpness={s}")) for s in (1, 4, 7)}
MATRIX |= {f"quantizer {q}": ({"frames": 12}, (*FAST, f"--min-q={q}", f"--max-q={q}", "--target-bitrate=100000"))
           for q in (0, 1, 20, 62, 63)}


def stream(name):
    film, options = MATRIX[name]
    return harness.vpxenc(harness.film(**film), *options)
