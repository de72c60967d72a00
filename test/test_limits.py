# SPDX-License-Identifier: BSD-2-Clause
"""xc-enc -s and -F keep what they promise: FFmpeg says how good the frames are, the file how large."""
import re

import harness
from harness import Case, Ivf


def ssims(encoded, film, directory):
    """SSIM of each frame's luma, by FFmpeg."""
    harness.need("ffmpeg")
    harness.must("ffmpeg", "-v", "error", "-i", encoded, "-i", film, "-lavfi",
                 "[0]settb=1,setpts=N[a];[1]settb=1,setpts=N[b];[a][b]ssim=stats_file=ssim.log", "-f", "null", "-",
                 cwd=directory)
    return [float(value) for value in re.findall(r" Y:([\d.]+)", (directory / "ssim.log").read_text())]


class Limits(Case):
    FILMS = ({"frames": 16, "cut": 9}, {"width": 113, "height": 75, "frames": 12, "seed": 4})

    def encode(self, film, *options):
        self.xc("xc-enc", "-W", "-i", "y4m", *options, "-o", "out.ivf", film)
        return self.dir / "out.ivf"

    def test_ssim(self):
        for keywords in self.FILMS:
            film = harness.film(**keywords)
            for quality in ("best", "rt"):
                for limit in (0.9, 0.95, 0.985):
                    with self.subTest(film=keywords, quality=quality, limit=limit):
                        found = ssims(self.encode(film, "-q", quality, "-s", limit), film, self.dir)
                        self.assertEqual(len(found), keywords["frames"])
                        self.assertGreaterEqual(min(found), limit)

    def test_no_better_than_needed(self):
        """Most frames are near the limit: a limit is no licence to spend."""
        film = harness.film(frames=16)
        found = sorted(ssims(self.encode(film, "-s", 0.95), film, self.dir))
        self.assertLess(found[len(found) // 2], 0.97)

    def test_sizes(self):
        film = harness.film(frames=16, cut=9)
        for quality in ("best", "rt"):
            for limit in (400, 1200, 6000):
                with self.subTest(quality=quality, limit=limit):
                    sizes = self.write("sizes", b"20000\n%d\n" % limit)
                    found = [len(data) for _, data in Ivf(self.encode(film, "-q", quality, "-F", sizes)).frames]
                    self.assertLessEqual(found[0], 20000)
                    scene_cut = 9  # it does not fit into the smallest size, whatever is done
                    self.assertLessEqual(max(found[1:scene_cut] + found[scene_cut + 1:]), limit)

    def test_threads(self):
        """What is tried does not depend on who tries it."""
        film = harness.film(frames=12, cut=5)
        for options in (("-s", 0.95), ("-F", self.write("sizes", b"900\n"))):
            with self.subTest(options[0]):
                alone = self.encode(film, *options).read_bytes()
                self.assertEqual(self.encode(film, *options, "--threads", 2).read_bytes(), alone)

    def test_state(self):
        """The state that is handed on is that after the frames that were kept."""
        film = harness.film(frames=8)
        self.encode(film, "-s", 0.95, "-O", "out.state")
        self.xc("xc-dump", "out.ivf", "dumped.state")
        self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "dumped.state").read_bytes())
