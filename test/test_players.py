# SPDX-License-Identifier: BSD-2-Clause
"""Headless Chromium plays what --segments makes, and shows every picture: fed by this page, by Shaka Player and by
dash.js, which npm brings (players/package-lock.json); also while the rest is encoded."""
import os
import shutil
import signal
import subprocess
import unittest

import harness
import test_browser
from harness import ROOT
from test_browser import FRAMES, HEIGHT, RATE, WIDTH, setUpModule  # noqa: F401
from test_driver import DriverCase

PLAYERS = ROOT / "test/players"
PROGRAMS = {"shaka": "shaka-player/dist/shaka-player.compiled.js", "dashjs": "dashjs/dist/modern/umd/dash.all.min.js"}
OPTIONS = ("-s", "6", "-k", "2")  # five segments, of half a second and less
SEGMENT = 12  # frames, which all but the last one have with --no-scenes
MANIFESTS = {"dash": "film.mpd", "hls": "film.m3u8"}

# Players begin at the end of what is still growing, unless they are told otherwise.
LOAD = {
    "shaka": """
        const player = new shaka.Player();
        player.addEventListener("error", (event) => report("shaka " + event.detail.code));
        player.attach(v).then(() => player.load(%r, 0)).catch((error) => report("shaka " + error.code));""",
    "dashjs": """
        const player = dashjs.MediaPlayer().create();
        player.on("error", (event) => report("dash.js " + JSON.stringify(event.error)));
        player.initialize(v, %r + "#t=0", false);""",
}

# With no player: the segments as the manifest lists them.
FEED = """
(async () => {
    const text = await (await fetch("film.mpd")).text();
    const manifest = new DOMParser().parseFromString(text, "text/xml");
    const source = new MediaSource();
    v.src = URL.createObjectURL(source);
    await new Promise((resolve) => source.addEventListener("sourceopen", resolve, {once: true}));
    const sets = [...manifest.querySelectorAll("AdaptationSet")];
    const buffers = sets.map((set) => source.addSourceBuffer(
        `${set.getAttribute("mimeType")}; codecs="${set.getAttribute("codecs")}"`));
    for (const [i, set] of sets.entries()) {
        const name = set.querySelector("Representation").id;
        const numbers = [...set.querySelectorAll("S")].map((_, number) => String(number).padStart(8, "0"));
        for (const part of ["init", ...numbers]) {
            buffers[i].appendBuffer(await (await fetch(`${name}-${part}.webm`)).arrayBuffer());
            await new Promise((resolve) => buffers[i].addEventListener("updateend", resolve, {once: true}));
        }
    }
    source.endOfStream();
})().catch((error) => report(String(error)));"""


def program(name):
    """The text of a player."""
    def make(path):
        path.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copy(PLAYERS / file, path)
        done = harness.run("npm", "--prefix", path, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund",
                           env=os.environ)
        if done.returncode:
            raise unittest.SkipTest("the players are not installed: npm cannot fetch them")
    harness.need("npm")
    return (harness.cached(make, "players", suffix="") / "node_modules" / PROGRAMS[name]).read_bytes()


class Players(DriverCase):
    ORDER = [FRAMES - 1, 0, 11, 12, 13, 30, 24, 23, 2]

    def published(self, kind, *options):
        def make(path):
            harness.must(ROOT / "excamera", test_browser.with_sound(), "-o", path, "--segments", kind, *OPTIONS,
                         *options)
        return harness.cached(make, "players", kind, options, suffix="")

    def shown(self, directory, rate, load, player, **options):
        """The numbers of the pictures that are shown when the film is played to its end."""
        report = test_browser.show(directory, rate, load=load, player=player, seek=self.ORDER, **options)
        self.assertEqual(report["text"], "done", report)
        self.assertEqual(report["sought"], self.ORDER)
        self.assertEqual((report["width"], report["height"]), (WIDTH, HEIGHT))
        self.assertEqual(report["corrupted"], 0)
        self.assertGreater(report["sound"], 10000)
        self.assertAlmostEqual(report["duration"], FRAMES / RATE, delta=0.05)
        return set(report["shown"])

    def check(self, directory, load, player=b""):
        """See test_browser: only a busy machine may drop a frame."""
        for rate in (0.5, 0.25, 0.1):
            shown = self.shown(directory, rate, load, player)
            if shown >= set(range(FRAMES)):
                return
        self.fail(f"frames are dropped even at this speed: {sorted(shown)}")

    def test_media_source(self):
        self.check(self.published("dash"), FEED)

    def test_shaka(self):
        for kind, manifest in MANIFESTS.items():
            with self.subTest(kind):
                self.check(self.published(kind), LOAD["shaka"] % manifest, program("shaka"))

    def test_dash_js(self):
        self.check(self.published("dash"), LOAD["dashjs"] % MANIFESTS["dash"], program("dashjs"))

    def test_while_the_rest_is_encoded(self):
        """The film is played from its beginning. When the first segments have been fetched, and the player asks for
        more, the others are made. It has to wait for them, and may drop frames after that, but plays every segment."""
        for player, kind in (("shaka", "dash"), ("shaka", "hls"), ("dashjs", "dash")):
            with self.subTest(player, kind=kind):
                self.play_growing(kind, LOAD[player] % MANIFESTS[kind], program(player))

    def play_growing(self, kind, load, player):
        output, fetched = self.dir / "out", set()

        def asked(path):
            if path.endswith((".mpd", ".m3u8")) and "/video-00000001.webm" in fetched:
                self.held.unlink(missing_ok=True)
            fetched.add(path)
        process = subprocess.Popen([ROOT / "excamera", test_browser.with_sound(), "-o", output, "--segments", kind,
                                    *OPTIONS, "--no-scenes", "-j", "1"], stderr=subprocess.PIPE, start_new_session=True,
                                   env=self.hold(5))
        try:
            harness.wait_for(lambda: (output / MANIFESTS[kind]).exists() and (output / "video-00000001.webm").exists())
            shown = self.shown(output, 0.25, load, player, asked=asked)
            self.assertEqual({number // SEGMENT for number in shown}, set(range(FRAMES // SEGMENT)), sorted(shown))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            harness.must("rm", "-rf", output, f"{output}.work", self.dir / "tools")
