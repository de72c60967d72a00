# SPDX-License-Identifier: BSD-2-Clause
"""A real browser, headless Chromium, plays the driver's .webm to its end, shows every frame and jumps to each: as a
file, and by Media Source Extensions."""
import contextlib
import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import ROOT, Case

FRAMES, RATE, WIDTH, HEIGHT = 48, 24, 175, 143

# Bit i of a picture's number is a square of 16x16 luma samples, light or dark, from (8 + 20 * i, 8) on.
BITS = 6

# The page plays the film slowly, so that a busy machine can keep up, then jumps to pictures, and reports to the server
# what it has shown: the numbers of the pictures. They are read from a canvas.
PAGE = """<!doctype html><title>test</title><script src="player.js"></script>
<video id="v" muted></video><canvas id="c" width="%d" height="%d"></canvas><script>
const config = %s;
const v = document.getElementById("v"), canvas = document.getElementById("c");
const screen2d = canvas.getContext("2d", {willReadFrequently: true});
const shown = [], sought = [];
let presented = 0, seeking = false;

const once = (target, event) => new Promise(resolve => target.addEventListener(event, resolve, {once: true}));
const pause = (ms) => new Promise(resolve => setTimeout(resolve, ms));
const report = (text) => fetch("report", {method: "POST", body: JSON.stringify({
    text, ended: v.ended, width: v.videoWidth, height: v.videoHeight, duration: v.duration, presented, shown, sought,
    sound: v.webkitAudioDecodedByteCount,
    total: v.getVideoPlaybackQuality().totalVideoFrames, dropped: v.getVideoPlaybackQuality().droppedVideoFrames,
    corrupted: v.getVideoPlaybackQuality().corruptedVideoFrames})});

function number() {
    screen2d.drawImage(v, 0, 0);
    let number = 0;
    for (let i = 0; i < %d; i++) {
        number |= (screen2d.getImageData(16 + 20 * i, 16, 1, 1).data[1] > 128) << i;
    }
    return number;
}

function count(now, frame) {
    presented = frame.presentedFrames;
    if (!seeking) {
        shown.push(number());
    }
    v.requestVideoFrameCallback(count);
}

/* Media Source Extensions: a program feeds the video element, so many bytes at a time. */
async function feed(pieces) {
    const film = await (await fetch("film.webm")).arrayBuffer();
    const source = new MediaSource();
    v.src = URL.createObjectURL(source);
    await once(source, "sourceopen");
    const buffer = source.addSourceBuffer(config.type);
    buffer.onerror = () => report("a piece was refused");
    for (let at = 0; at < film.byteLength; at += pieces) {
        buffer.appendBuffer(film.slice(at, at + pieces));
        await once(buffer, "updateend");
    }
    source.endOfStream();
}

async function play() {
    const ended = once(v, "ended");
    v.playbackRate = config.rate;
    await v.play();
    await ended;
    await pause(500);
}

/* "seeked" may come a little before the picture. */
async function seek(wanted) {
    const seeked = once(v, "seeked");
    v.currentTime = (wanted + 0.5) / config.fps;
    await seeked;
    for (let tries = 0; tries < 3000 && number() !== wanted; tries++) {
        await pause(20);
    }
    sought.push(number());
}

async function run() {
    v.onerror = () => report("error " + v.error.code + ": " + v.error.message);
    v.requestVideoFrameCallback(count);
    const loaded = once(v, "loadeddata");
    if (config.pieces) {
        await feed(config.pieces);
    } else if (config.load) {
        new Function("v", "report", config.load)(v, report);
    } else {
        v.src = "film.webm";
    }
    await loaded;
    if (config.rate) {
        await play();
    }
    seeking = true;
    for (const wanted of config.seek) {
        await seek(wanted);
    }
    report("done");
}
run().catch(error => report(String(error)));
</script>"""

FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-dev-shm-usage "
         "--autoplay-policy=no-user-gesture-required").split()


class Server(http.server.ThreadingHTTPServer):
    """Serves the page, a film or a directory of segments, and a player on 127.0.0.1, and collects what the page
    reports."""

    def __init__(self, film, config, player, asked):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = asked
        page = PAGE % (WIDTH, HEIGHT, json.dumps(config), BITS)
        self.directory = film if isinstance(film, pathlib.Path) else None
        self.files = {"/": ("text/html", page.encode()), "/film.webm": ("video/webm", film),
                      "/player.js": ("text/javascript", player)}
        self.reports = queue.Queue()


KINDS = {".webm": "video/webm", ".mpd": "application/dash+xml", ".m3u8": "application/vnd.apple.mpegurl"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked(self.path)
        kind, data = self.server.files.get(self.path, (None, None))
        path = self.server.directory / self.path.lstrip("/") if self.server.directory else None
        if data is None and path and path.is_file():
            kind, data = KINDS[path.suffix], path.read_bytes()
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
        with contextlib.suppress(ConnectionError):  # a player may have changed its mind
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


def show(film, rate=0, seek=(), pieces=0, audio=False, load="", player=b"", asked=lambda path: None):
    """Has Chromium play a film at this rate, if it is not 0, then jump to each of these pictures; returns what the page
    reports in the end. pieces: by Media Source Extensions, so many bytes at a time. Of a directory of segments, `load`
    is the script that has them played in the element v, with a player, another script. asked: called with each path
    that the page asks for."""
    codecs = "vp8,opus" if audio else "vp8"
    server = Server(film, {"rate": rate, "seek": list(seek), "pieces": pieces, "fps": RATE, "load": load,
                           "type": f'video/webm; codecs="{codecs}"'}, player, asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="excamera-test-", ignore_cleanup_errors=True) as profile:
        url = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen([chromium(), *FLAGS, f"--user-data-dir={profile}", url], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, "HOME": profile})
        try:
            return server.reports.get(timeout=harness.TIMEOUT)
        finally:
            os.killpg(process.pid, 9)
            process.wait()
            server.shutdown()
            server.server_close()


def paint(frame, number):
    """Writes a number over a picture, a frame of Y4M: its bits as squares on a grey ground."""
    frame, luma = bytearray(frame), frame.index(b"\n") + 1
    squares = b"".join((b"\xeb" if number >> bit & 1 else b"\x10") * 16 + b"\x80" * 4 for bit in range(BITS))
    for y in range(4, 28):
        row = b"\x80" * 8 + (squares if 8 <= y < 24 else b"")
        frame[luma + y * WIDTH:luma + (y + 1) * WIDTH] = row.ljust(WIDTH, b"\x80")
    chroma_width, chroma_height = (WIDTH + 1) // 2, (HEIGHT + 1) // 2
    for plane in range(2):
        at = luma + WIDTH * HEIGHT + plane * chroma_width * chroma_height + 2 * chroma_width
        frame[at:at + 12 * chroma_width] = b"\x80" * (12 * chroma_width)
    return bytes(frame)


def numbered_film():
    """A film whose pictures say their number."""
    def make(path):
        film = harness.film(width=WIDTH, height=HEIGHT, frames=FRAMES, cut=20)
        header, frames = harness.y4m_split(film.read_bytes())
        path.write_bytes(header + b"".join(paint(frame, number) for number, frame in enumerate(frames)))
    return harness.cached(make, "numbered", WIDTH, HEIGHT, FRAMES, suffix=".y4m")


def with_sound():
    """The same film, with a tone."""
    return harness.cached(lambda path: harness.must(
        "ffmpeg", "-v", "error", "-i", numbered_film(), "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "ffv1", "-c:a",
        "flac", path), "numbered, with sound", suffix=".mkv")


class Browser(Case):
    """Chunks of 6 pictures, of which the last is hidden at first, and batches of 24."""

    ORDER = [*range(FRAMES - 1, -1, -1), *range(0, FRAMES, 5), 23, 24, 5, 6, 29, 0, FRAMES - 1, 4, 20, 19]

    def encode(self, audio=False):
        """The .webm that the driver makes of the film, once with and once without sound."""
        def make(path):
            source = with_sound() if audio else numbered_film()
            harness.must(ROOT / "excamera", source, "-o", path, "-s", "6", "-k", "4")
        return harness.cached(make, "browser", audio, suffix=".webm").read_bytes()

    def check(self, film, **options):
        """A busy machine may drop a frame: then once more, slower. Nothing else may ever differ."""
        for rate in (0.5, 0.25, 0.1):
            report = show(film, rate, **options)
            self.assertEqual((report["text"], report["ended"]), ("done", True), report)
            self.assertEqual((report["width"], report["height"]), (WIDTH, HEIGHT))
            self.assertEqual((report["total"], report["corrupted"]), (FRAMES, 0), report)
            self.assertAlmostEqual(report["duration"], FRAMES / RATE, delta=0.05)
            self.assertEqual(report["shown"], sorted(report["shown"]))
            if report["dropped"] == 0 and report["presented"] == FRAMES and set(report["shown"]) == set(range(FRAMES)):
                return
        self.fail(f"frames are dropped even at a tenth of the speed: {report}")

    def test_every_frame_is_shown(self):
        self.check(self.encode())

    def test_with_audio(self):
        self.check(self.encode(audio=True))

    def test_media_source(self):
        """The whole film at once, and in pieces that end anywhere."""
        film = self.encode()
        for pieces in (len(film), 4096):
            with self.subTest(pieces=pieces):
                self.check(film, pieces=pieces)

    def test_media_source_with_audio(self):
        self.check(self.encode(audio=True), pieces=4096, audio=True)

    def test_seeking(self):
        """Each picture can be jumped to, from after it and from before it, across anchors, scenes and batches."""
        film = self.encode()
        for name, pieces in (("file", 0), ("media source", 4096)):
            with self.subTest(name):
                report = show(film, seek=self.ORDER, pieces=pieces)
                self.assertEqual((report["text"], report["sought"]), ("done", self.ORDER))

    def test_seeking_after_the_end(self):
        film = self.encode()
        for name, pieces in (("file", 0), ("media source", len(film))):
            with self.subTest(name):
                report = show(film, 4, seek=[24, 6, 47], pieces=pieces)
                self.assertEqual((report["text"], report["sought"]), ("done", [24, 6, 47]))

    def test_damage_is_noticed(self):
        """The test can fail: a film with damage in the middle does not play to its end with every frame."""
        film = bytearray(self.encode())
        middle = len(film) // 2
        film[middle:middle + 2000] = bytes(2000)
        report = show(bytes(film), 0.5)
        self.assertFalse(report["text"] == "done" and report["total"] == FRAMES and report["corrupted"] == 0, report)
