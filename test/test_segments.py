# SPDX-License-Identifier: BSD-2-Clause
"""--segments of ./excamera: what is in the directory is the film, as a single file has it; at any time, the playlist
names only what is there for good; players play it."""
import array
import contextlib
import os
import re
import signal
import threading
import xml.etree.ElementTree

import harness
from harness import BIN, ROOT
from test_driver import DriverCase, number

FRAMES = 30
PIECES = ("-s", "4", "-k", "3", "-j", "2")  # three batches, of half a second and less
OPTIONS = (*PIECES, "-q", "30")
NAMES = {"hls": "film.m3u8", "dash": "film.mpd"}
MPD = {"": "urn:mpeg:dash:schema:mpd:2011"}


def hls_names(directory):
    """What the playlists of a directory name, with the lengths of segments, in milliseconds, by playlist."""
    master = (directory / "film.m3u8").read_text()
    found = {}
    for name in [*re.findall(r'URI="([^"]+)"', master), *re.findall(r"(?m)^[^#\n].*", master)]:
        text = (directory / name).read_text()
        found[name] = [(re.search(r'MAP:URI="([^"]+)"', text)[1], 0), *(
            (part, round(1000 * float(length))) for length, part in re.findall(r"#EXTINF:([\d.]+),\n(.*)", text))]
    return found


def dash_times(directory):
    """The segments of a manifest: for each representation, pairs of a beginning and a length."""
    root = xml.etree.ElementTree.parse(directory / "film.mpd").getroot()
    return {node.get("id"): [(int(part.get("t")), int(part.get("d"))) for part in node.iterfind(".//S", MPD)]
            for node in root.iterfind(".//Representation", MPD)}


def dash_names(directory):
    return {name: [f"{name}-init.webm", *(f"{name}-{place:08d}.webm" for place in range(len(parts)))]
            for name, parts in dash_times(directory).items()}


def named(directory):
    """All files that the playlist of a directory names."""
    if (directory / "film.mpd").exists():
        return [name for names in dash_names(directory).values() for name in names]
    return [name for parts in hls_names(directory).values() for name, _ in parts]


def packets(path, kind):
    """Of each packet of a track: its time in milliseconds, duration, size, flags, digest."""
    text = harness.must("ffprobe", "-v", "error", "-select_streams", kind, "-show_packets", "-show_data_hash", "md5",
                        "-show_entries", "packet=pts,duration,size,flags,data_hash", "-of", "csv=p=0", path).decode()
    return [(int(time), *others) for time, *others in re.findall(r"(-?\d+),(\d+),(\d+),(\w+),(MD5:\w+)", text)]


def decoded(kind, *arguments, **options):
    """The digests of what FFmpeg decodes."""
    text = harness.must("ffmpeg", "-v", "error", *arguments, "-map", f"0:{kind}", "-f", "framemd5", "-", **options)
    return [line.split(b",")[-1] for line in text.splitlines() if not line.startswith(b"#")]


def pictures():
    return harness.film(width=96, height=80, frames=FRAMES, cut=20)


class SegmentCase(DriverCase):
    def setUp(self):
        super().setUp()
        self.film = harness.cached(self.make_film, "segments", suffix=".mkv")

    @staticmethod
    def make_film(path):
        """With sound in two languages; that of the second one is longer than the pictures."""
        harness.must("ffmpeg", "-v", "error", "-i", pictures(), "-f", "lavfi", "-i", "sine=duration=1.25", "-f",
                     "lavfi", "-i", "sine=frequency=700:duration=3", "-map", "0", "-map", "1", "-map", "2",
                     "-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=fra", "-c:v", "ffv1", "-c:a",
                     "flac", path)

    def published(self, kind):
        """What comes of that film: a directory that nobody changes. With kind "webm", a file."""
        options = ("-o", "out.webm") if kind == "webm" else ("-o", "out", "--segments", kind)

        def make(path):
            harness.must(ROOT / "excamera", self.film, *options, *OPTIONS, cwd=path.parent)
            os.replace(path.parent / options[1], path)
        return harness.cached(make, "segments", kind, suffix=".webm" if kind == "webm" else "")

    def joined(self, directory, name):
        """All segments of a stream, one after another, as one file."""
        directory = self.dir / directory
        paths = [directory / f"{name}-init.webm", *sorted(directory.glob(f"{name}-0*.webm"))]
        return self.write("joined.webm", b"".join(path.read_bytes() for path in paths))

    def start(self, kind, chunk):
        """A run that does not finish a chunk."""
        return self.popen("--segments", kind, *OPTIONS, output="out", env=self.hold(chunk))

    def end(self, process, how=signal.SIGINT):
        self.interrupt(process, how)
        harness.must("rm", "-rf", self.dir / "tools")

    def wait_until_named(self, name):
        """Waits until the playlist names a file, by when it was there and all before it."""
        def is_named():
            with contextlib.suppress(FileNotFoundError):  # there is no playlist yet
                return name in named(self.dir / "out")
        harness.wait_for(is_named)

    def contents(self, directory="out"):
        return {path.name: path.read_bytes() for path in (self.dir / directory).iterdir()}


class Contents(SegmentCase):
    def compare(self, directory, whole, tracks):
        """The same packets at the same times, pictures and sound as in the single file of the same film."""
        files = {name for name in os.listdir(directory) if name.endswith(".webm")}
        self.assertEqual(set(named(directory)), files)
        for place, name in enumerate(("video", *tracks)):
            select = f"a:{place - 1}" if place else "v"
            joined = self.joined(directory, name)
            self.assertEqual(decoded(select[0], "-i", joined), decoded(select, "-i", whole))
            ours, theirs = packets(joined, select[0]), packets(whole, select)
            self.assertEqual([packet[1:] for packet in ours], [packet[1:] for packet in theirs])
            for packet, other in zip(ours, theirs):
                self.assertAlmostEqual(packet[0], other[0], delta=1 if place else 0)

    def encode(self, film, *options, tracks=()):
        """Encodes a film in both ways."""
        self.works(film, "-o", "out.webm", *OPTIONS, *options)
        text = self.works(film, "-o", "out", "--segments", "dash", *OPTIONS, *options)
        self.compare(self.dir / "out", self.dir / "out.webm", tracks)
        size = sum(path.stat().st_size for path in (self.dir / "out").iterdir())
        self.assertIn(f"out: {FRAMES} frames, {size} bytes, ", text)

    def test_both_forms(self):
        for kind in NAMES:
            self.compare(self.published(kind), self.published("webm"), ["track-1", "track-2"])

    def test_the_classic_structure(self):
        self.encode(self.film, "--structure", "classic", "--audio", "1", tracks=["track-2"])

    def test_decoded_there(self):
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-c:v", "mpeg4", "-g", "12", "-c:a", "copy", "in.mkv",
                     cwd=self.dir)
        for where in ("here", "there"):
            self.works("in.mkv", "-o", where, "--segments", "dash", *OPTIONS, "--no-scenes", "--decode", where)
        self.assertEqual(self.contents("here"), self.contents("there"))

    def test_no_sound(self):
        self.encode(self.film, "--no-audio")

    def test_pictures_that_begin_late(self):
        """And at a rate whose frames are no whole milliseconds."""
        film = self.dir / "late.mkv"
        harness.must("ffmpeg", "-v", "error", "-itsoffset", "0.41", "-r", "30000/1001", "-i", pictures(), "-f",
                     "lavfi", "-i", "sine=duration=2", "-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "libopus",
                     film)
        self.encode(film, tracks=["track-1"])

    def test_gap_before_the_pictures(self):
        """In a playlist of HLS, whose times are sums of lengths, something has to stand for it."""
        film = self.dir / "late.mkv"
        harness.must("ffmpeg", "-v", "error", "-itsoffset", "0.5", "-i", pictures(), "-f", "lavfi", "-i",
                     "sine=duration=2", "-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "flac", film)
        self.works(film, "-o", "out", "--segments", "hls", *OPTIONS)
        lines = (self.dir / "out/video.m3u8").read_text().splitlines()
        gap = lines.index("#EXT-X-GAP")
        self.assertAlmostEqual(float(re.fullmatch(r"#EXTINF:([\d.]+),", lines[gap + 1])[1]), 0.5, delta=0.05)
        self.assertEqual(lines[gap + 4], "video-00000000.webm")
        self.assertNotIn("GAP", (self.dir / "out/track-1.m3u8").read_text())

    def test_sound_that_begins_late(self):
        """Players show no pictures where a track has nothing. So silence comes first, also before what could be copied,
        and in a gap."""
        for codec in ("flac", "libopus"):
            with self.subTest(codec):
                harness.must("ffmpeg", "-v", "error", "-y", "-i", pictures(), "-itsoffset", "0.5", "-f", "lavfi", "-i",
                             "sine=duration=0.7", "-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", codec,
                             self.dir / "in.mkv")
                self.check_silence(0, 0.5)
        harness.must("ffmpeg", "-v", "error", "-y", "-i", pictures(), "-f", "lavfi", "-i", "sine=duration=1.2", "-c:v",
                     "ffv1", "-c:a", "aac", self.dir / "whole.mkv")
        harness.must("ffmpeg", "-v", "error", "-y", "-i", self.dir / "whole.mkv", "-c", "copy", "-bsf:a",
                     "noise=drop='between(n,6,21)'", self.dir / "in.mkv")
        self.check_silence(0.2, 0.5)

    def check_silence(self, first, end):
        """Of 1.2 seconds of sound."""
        self.works("in.mkv", "-o", "out", "--segments", "dash", *OPTIONS)
        raw = harness.must("ffmpeg", "-v", "error", "-i", self.joined("out", "track-1"), "-f", "s16le", "-ac", "1",
                           "-ar", "48000", "-")
        samples = array.array("h", raw)
        self.assertAlmostEqual(len(samples) / 48000, 1.2, delta=0.06)
        loud = [place / 48000 for place, sample in enumerate(samples) if abs(sample) > 1000]
        self.assertAlmostEqual(next(time for time in loud if time > first), end, delta=0.05)

    def test_standard_input(self):
        data = pictures().read_bytes()
        self.works("-", "-o", "out.ivf", *OPTIONS, stdin=data)
        self.works("-", "-o", "out", *OPTIONS, "--segments", "dash", "--verify", stdin=data)
        self.assertEqual(harness.ffmpeg_frames(self.joined("out", "video")),
                         harness.ffmpeg_frames(self.dir / "out.ivf"))

    def test_standard_input_that_fails(self):
        """What has been published stays, and a line says so."""
        header, frames = harness.y4m_split(pictures().read_bytes())
        env = self.tools_but("xc-enc", f'case "$*" in *"-o {number(7)}"*) exit 1 ;; esac; exec "{BIN}/xc-enc" "$@"')
        text = self.fails("-", "-o", "out", *OPTIONS[:-3], "1", "--segments", "dash", env=env,
                          stdin=header + b"".join(frames * 20))
        self.assertIn("; the segments that are finished remain in out", text)
        self.assertIn("video-00000000.webm", named(self.dir / "out"))

    def test_the_shape_of_samples(self):
        film = self.dir / "wide.mkv"
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(width=96, height=80, frames=FRAMES), "-c:v", "ffv1",
                     "-aspect", "2:1", film)
        self.works(film, "-o", "out", "--segments", "hls", *OPTIONS)
        self.assertEqual(self.probe(self.joined("out", "video"))["video"]["display_aspect_ratio"], "2:1")

    def test_ffmpeg_reads_the_playlists(self):
        """All of the film, by a reader that is not ours."""
        for kind, options in (("hls", ["-allowed_extensions", "ALL"]), ("dash", [])):
            with self.subTest(kind):
                more = harness.must("ffmpeg", "-hide_banner", "-h", "demuxer=hls").decode()
                options += [word for name, value in (("allowed_segment_extensions", "ALL"), ("extension_picky", "0"))
                            if kind == "hls" and name in more for word in (f"-{name}", value)]
                self.assertEqual(decoded("v", *options, "-i", NAMES[kind], cwd=self.published(kind)),
                                 decoded("v", "-i", self.published("webm")))

    def test_times(self):
        """Each segment begins where the one before ends, and lasts as long as its batch; so in both forms."""
        times = dash_times(self.published("dash"))
        self.assertEqual(set(times), {"video", "track-1", "track-2"})
        for name, parts in times.items():
            for (begin, length), (following, _) in zip(parts, parts[1:]):
                self.assertEqual(begin + length, following)
            playlist = hls_names(self.published("hls"))[f"{name}.m3u8"]
            self.assertEqual([length for _, length in playlist[1:]], [length for _, length in parts])
        self.assertEqual([length for _, length in times["video"]], [500, 333, 417], "a scene begins with picture 20")
        self.assertAlmostEqual(sum(length for _, length in times["track-2"]), 3000, delta=30)
        longest = int(re.search(r"TARGETDURATION:(\d+)", (self.published("hls") / "track-2.m3u8").read_text())[1])
        self.assertLessEqual(max(length for _, length in times["track-2"]), 1000 * longest + 500)

    def test_what_players_choose_by(self):
        """Codecs, size, rate, languages; no segment has more bits than was said."""
        root = xml.etree.ElementTree.parse(self.published("dash") / "film.mpd").getroot()
        video, *sounds = root.iterfind(".//AdaptationSet", MPD)
        self.assertEqual((video.get("mimeType"), video.get("codecs")), ("video/webm", "vp8"))
        self.assertEqual([(part.get("mimeType"), part.get("codecs"), part.get("lang")) for part in sounds],
                         [("audio/webm", "opus", "ger"), ("audio/webm", "opus", "fra")])
        picture = video.find("Representation", MPD)
        self.assertEqual([picture.get(name) for name in ("width", "height", "frameRate")], ["96", "80", "24"])
        for name, parts in dash_times(self.published("dash")).items():
            stated = int(root.find(f".//Representation[@id='{name}']", MPD).get("bandwidth"))
            rates = [8000 * (self.published("dash") / f"{name}-{place:08d}.webm").stat().st_size / length
                     for place, (_, length) in enumerate(parts)]
            self.assertAlmostEqual(stated, max(rates), delta=1)
        master = (self.published("hls") / "film.m3u8").read_text()
        self.assertIn('CODECS="vp8,opus",RESOLUTION=96x80,FRAME-RATE=24.000,AUDIO="audio"\nvideo.m3u8\n', master)
        self.assertIn('LANGUAGE="ger",NAME="track-1",DEFAULT=YES,AUTOSELECT=YES,URI="track-1.m3u8"', master)
        self.assertIn('LANGUAGE="fra",NAME="track-2",DEFAULT=NO,AUTOSELECT=YES,URI="track-2.m3u8"', master)

    def test_jobs_and_targets(self):
        """The same bytes with any -j; with a target, the last segments wait until it is met."""
        found = []
        for jobs in ("1", "3"):
            self.works(self.film, "-o", "out", "--segments", "dash", *PIECES[:-1], jobs, "--size", "80k")
            found.append(self.contents())
        self.assertEqual(*found)
        self.assertAlmostEqual(sum(map(len, found[0].values())) / 80000, 1, delta=0.05)

    def test_subtitles_are_left_out(self):
        self.write("text.srt", b"1\n00:00:00,000 --> 00:00:01,000\nwords\n")
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-i", "text.srt", "-map", "0", "-map", "1", "-c", "copy",
                     "in.mkv", cwd=self.dir)
        self.assertIn("without subtitle stream 3", self.works("in.mkv", "-o", "out", "--segments", "dash", *OPTIONS))


class WhileItIsEncoded(SegmentCase):
    def test_growing(self):
        """While the third batch waits, the first two can be played, and the playlist has no end."""
        for kind in NAMES:
            with self.subTest(kind):
                process = self.start(kind, 7)
                try:
                    self.wait_until_named("video-00000001.webm")
                    text = "".join(path.read_text() for path in (self.dir / "out").iterdir()
                                   if path.suffix in (".mpd", ".m3u8"))  # and not what is still being written
                    self.assertIn('type="dynamic"' if kind == "dash" else "PLAYLIST-TYPE:EVENT", text)
                    self.assertNotIn('type="static"', text)
                    self.assertNotIn("ENDLIST", text)
                    for name in named(self.dir / "out"):
                        self.assertEqual((self.dir / "out" / name).read_bytes(),
                                         (self.published(kind) / name).read_bytes())
                    before = {path.name: path.stat().st_mtime_ns for path in (self.dir / "out").glob("*.webm")}
                finally:
                    self.end(process)
                self.works(self.film, "-o", "out", "--segments", kind, *OPTIONS)
                self.assertEqual(self.contents(), self.contents(self.published(kind)))
                for name, time in before.items():
                    self.assertEqual((self.dir / "out" / name).stat().st_mtime_ns, time, "is written once")
                harness.must("rm", "-r", self.dir / "out")

    def test_nothing_half_written_is_named(self):
        """Looked at again and again, while runs are killed at whatever moment."""
        expected, wrong, done = self.contents(self.published("dash")), [], threading.Event()

        def look():
            while not done.is_set():
                try:
                    names = named(self.dir / "out")
                except FileNotFoundError:
                    continue
                wrong.extend(name for name in names if (self.dir / "out" / name).read_bytes() != expected[name])

        def watch():
            try:
                look()
            except Exception as error:  # a file that is named is not there, or a manifest cannot be read
                wrong.append(error)
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for chunk, how in ((2, signal.SIGKILL), (4, signal.SIGKILL), (7, signal.SIGTERM)):
                process = self.start("dash", chunk)
                self.wait_until_held(process)
                self.end(process, how)
            self.works(self.film, "-o", "out", "--segments", "dash", *OPTIONS)
        finally:
            done.set()
            watcher.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.contents(), expected)

    def test_segments_that_are_gone(self):
        """After an interruption, what is missing is written again."""
        process = self.start("hls", 7)
        try:
            self.wait_until_named("video-00000001.webm")
        finally:
            self.end(process)
        (self.dir / "out/video-00000000.webm").write_bytes(b"")
        self.works(self.film, "-o", "out", "--segments", "hls", *OPTIONS)
        self.assertEqual(self.contents(), self.contents(self.published("hls")))

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for a small file system")
        small = self.dir / "small"
        small.mkdir()
        harness.must("mount", "-t", "tmpfs", "-o", "size=44k", "tmpfs", small)
        try:
            text = self.fails(self.film, "-o", "small/out", "--work", "work", "--segments", "dash", *OPTIONS)
            names = named(small / "out")
            self.assertIn("video-00000000.webm", names)
            for name in names:
                self.assertEqual((small / "out" / name).read_bytes(), (self.published("dash") / name).read_bytes())
            self.assertEqual([name for name in os.listdir(small / "out") if name.endswith("part")], [])
            harness.must("mount", "-o", "remount,size=400k", small)
            self.works(self.film, "-o", "small/out", "--work", "work", "--segments", "dash", *OPTIONS)
            self.assertEqual(self.contents("small/out"), self.contents(self.published("dash")))
        finally:
            harness.must("umount", small)
        self.assertRegex(text.splitlines()[-1], r"excamera: small/out/\S+: cannot be written: No space left on device; "
                                                "the work is kept in work, and the same command goes on from there")


class Directories(SegmentCase):
    def test_an_earlier_film_is_replaced(self):
        self.works(self.film, "-o", "out", "--segments", "hls", *OPTIONS)
        self.works(self.film, "-o", "out", "--segments", "dash", *OPTIONS, "--trim", "0-0.8", "--no-audio")
        self.assertEqual(set(os.listdir(self.dir / "out")), {
            "film.mpd", "video-init.webm", "video-00000000.webm", "video-00000001.webm"})

    def test_refused(self):
        (self.dir / "mine").mkdir()
        self.write("mine/letter.txt", b"Dear")
        for output, reason in (("out.webm", "names a file"), ("out.mkv", "names a file"), ("mine", "has other files"),
                               ("no/where", "no such directory"), ("mine/letter.txt", "is no directory")):
            with self.subTest(output):
                text = self.fails(self.film, "-o", output, "--segments", "dash", *OPTIONS)
                self.assertIn(reason, text.splitlines()[-1])
        self.assertEqual((self.dir / "mine/letter.txt").read_bytes(), b"Dear")
        self.assertEqual(self.excamera(self.film, "-o", "out", "--segments", "smooth").returncode, 2)
        self.assertIn("does not end in", self.fails(self.film, "-o", "out"))

    def test_its_own_segments(self):
        """The film that is to be encoded is not removed."""
        self.works(self.film, "-o", "out", "--segments", "dash", *OPTIONS, "--no-audio")
        before = self.contents()
        text = self.fails("film.mpd", "-o", "../out", "--segments", "dash", cwd=self.dir / "out")
        self.assertIn("is the film to be encoded", text)
        self.assertEqual(self.contents(), before)

    def test_other_segments_do_not_mix(self):
        process = self.start("dash", 7)
        self.wait_until_held(process)
        self.end(process)
        self.assertIn("with another segments", self.fails(self.film, "-o", "out", *OPTIONS, "--segments", "hls"))
