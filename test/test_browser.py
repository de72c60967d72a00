# SPDX-License-Identifier: BSD-2-Clause
"""A real browser, headless Chromium, plays the driver's .webm to its end and shows every frame."""
import http.server
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import ROOT, Case

FRAMES = 48

# The page plays the film slowly, so that a busy machine can keep up, and reports to the server that it came from.
PAGE = """<!doctype html><title>test</title><video id="v" src="film.webm" muted></video><script>
const v = document.getElementById("v");
const report = (text) => fetch("report", {method: "POST", body: JSON.stringify({
    text, ended: v.ended, width: v.videoWidth, height: v.videoHeight, duration: v.duration, presented,
    total: v.getVideoPlaybackQuality().totalVideoFrames, dropped: v.getVideoPlaybackQuality().droppedVideoFrames,
    corrupted: v.getVideoPlaybackQuality().corruptedVideoFrames})});
let presented = 0;
const count = (now, frame) => { presented = frame.presentedFrames; v.requestVideoFrameCallback(count); };
v.requestVideoFrameCallback(count);
v.onended = () => setTimeout(report, 500, "ended");
v.onerror = () => report("error " + v.error.code + ": " + v.error.message);
v.playbackRate = %s;
v.play().catch(error => report(String(error)));
</script>"""

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-dev-shm-usage "
         "--autoplay-policy=no-user-gesture-required").split()


class Server(http.server.ThreadingHTTPServer):
    """Serves the page and one film on 127.0.0.1, and collects what the page reports."""

    def __init__(self, film, rate):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/": ("text/html", (PAGE % rate).encode()), "/film.webm": ("video/webm", film)}
        self.reports = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, data = self.server.files.get(self.path, (None, None))
        if data is None:
            self.send_error(404)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else len(data) - 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[first:last + 1])

    def do_POST(self):
        self.server.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def setUpModule():
    if not chromium():
        raise unittest.SkipTest("Chromium is not installed")


def chromium():
    return next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)


def play(film, rate):
    """Has Chromium play a film at this rate; returns what the page reports at the end."""
    server = Server(film, rate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="excamera-test-", ignore_cleanup_errors=True) as profile:
        url = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen([chromium(), *FLAGS, f"--user-data-dir={profile}", url], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, "HOME": profile})
        try:
            return server.reports.get(timeout=120)
        finally:
            os.killpg(process.pid, 9)
            process.wait()
            server.shutdown()
            server.server_close()


class Browser(Case):
    def encode(self, audio):
        """The film, and the .webm that the driver makes of it."""
        source = harness.film(width=175, height=143, frames=FRAMES, cut=20)
        if audio:
            harness.must("ffmpeg", "-v", "error", "-i", source, "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "ffv1",
                         "-c:a", "flac", self.dir / "in.mkv")
            source = self.dir / "in.mkv"
        harness.must(ROOT / "excamera", source, "-o", self.dir / "out.webm", "-s", "6", "-k", "4")
        return (self.dir / "out.webm").read_bytes()

    def check(self, film):
        """A busy machine may drop a frame: then once more, slower. Nothing else may ever differ."""
        for rate in (0.5, 0.25, 0.1):
            report = play(film, rate)
            self.assertEqual((report["text"], report["ended"]), ("ended", True), report)
            self.assertEqual((report["width"], report["height"]), (175, 143))
            self.assertEqual((report["total"], report["corrupted"]), (FRAMES, 0), report)
            self.assertAlmostEqual(report["duration"], FRAMES / 24, delta=0.05)
            if report["dropped"] == 0 and report["presented"] == FRAMES:
                return
        self.fail(f"frames are dropped even at a tenth of the speed: {report}")

    def test_every_frame_is_shown(self):
        self.check(self.encode(audio=False))

    def test_with_audio(self):
        self.check(self.encode(audio=True))

    def test_damage_is_noticed(self):
        """The test can fail: a film with damage in the middle does not play to its end with every frame."""
        film = bytearray(self.encode(audio=False))
        middle = len(film) // 2
        film[middle:middle + 2000] = bytes(2000)
        report = play(bytes(film), 0.5)
        self.assertFalse(report["text"] == "ended" and report["total"] == FRAMES and report["corrupted"] == 0, report)
