# SPDX-License-Identifier: BSD-2-Clause
"""What holds for a chain of chunks in both structures (docs/architecture.md): test_chain.py and test_anchored.py encode
the same films, each in its own way, and make these tests their own. Then every state, every picture and every frame is
compared with what it must be."""
import functools
import hashlib
import pathlib
import random
import tempfile

import harness
import headers
from harness import Case, Ivf

SPAN = 12  # pictures, at the most

# name: (the film, frames per chunk, chunks per batch)
FILMS = {
    "four chunks": ({"frames": 24}, 6, 16),
    "scene cut inside a chunk": ({"frames": 24, "cut": 15}, 6, 16),
    "scene cut between chunks": ({"frames": 24, "cut": 12}, 6, 16),
    "scene cut before the last frame of a chunk": ({"frames": 24, "cut": 17}, 6, 16),
    "chunks of several spans": ({"width": 96, "height": 80, "frames": 75, "cut": 0}, 25, 16),
    "odd size": ({"width": 175, "height": 143, "frames": 15}, 5, 16),
    "last chunk of one frame": ({"frames": 13}, 6, 16),
    "last chunk shorter": ({"frames": 15}, 6, 16),
    "chunks of one frame": ({"width": 64, "height": 48, "frames": 5}, 1, 16),
    "a key frame each": ({"frames": 12}, 4, 1),
    "three batches of two": ({"frames": 24}, 4, 2),
    "two batches, the last of one chunk": ({"frames": 16}, 4, 3),
    "sixteen chunks": ({"width": 96, "height": 80, "frames": 64, "seed": 2, "cut": 44}, 4, 16),
    "tiny": ({"width": 1, "height": 1, "frames": 6}, 2, 16),
}


class Encoded:
    """A film, encoded once for all tests. A structure has a class of its own that adds the methods below."""

    FILMS = FILMS
    COPIES_SCENES = False  # from a key frame inside a chunk on, its frames are vpxenc's

    def __init__(self, name):
        film, self.size, self.batch, *self.options = self.FILMS[name]
        self.name = name
        self.source = harness.film(**film)
        self.frames = film["frames"]
        self.cut = film.get("cut")
        self.is_tiny = film.get("width") == 1  # too small for SSIM, and each sample of noise is a new scene
        self.dir = self.directory(name)
        self.chunks = sorted(self.dir.glob("????????.ivf"))

    @classmethod
    @functools.cache
    def directory(cls, name):
        made = pathlib.Path(tempfile.mkdtemp(dir=harness.cache()))
        film, size, batch, *options = cls.FILMS[name]
        cls.encode(made, harness.film(**film), size, batch, *options)
        return made

    @staticmethod
    def encode(directory, source, size, batch):
        """Makes the chunks of a film, and all the states behind them."""
        raise NotImplementedError

    def state(self, i):
        """The file of the state that the step which finished chunk i handed on."""
        raise NotImplementedError

    def layout(self, i):
        """(timestamp, kind) of each frame that chunk i must have."""
        raise NotImplementedError

    def made_of_spans(self):
        """The chunks that xc-enc made of spans, each with the state that it follows, or None."""
        raise NotImplementedError

    def batches(self):
        return [range(s, min(s + self.batch, len(self.chunks))) for s in range(0, len(self.chunks), self.batch)]

    def pictures(self, i):
        """How many pictures chunk i has."""
        return min(self.size, self.frames - i * self.size)


def kind(data):
    if harness.is_key_frame(data):
        return "key"
    return "shown" if harness.is_shown(data) else "hidden"


def span_layout(start, end):
    """The frames of a span, the pictures from start to before end: the anchor, unless it is alone, comes first."""
    hidden = [(start, "hidden")] if end - start > 1 else []
    return hidden + [(at, "shown") for at in range(start, end)]


def still_film(frames, sigma=0):
    """A film of one picture, 96x80, with Gaussian noise of this standard deviation in its luma."""
    def make(path):
        dice = random.Random(1)
        still = [60 + (x * x // 24 + y * (y | 7) // 9) % 130 for y in range(80) for x in range(96)]
        pictures = (bytes(min(255, max(0, round(dice.gauss(sample, sigma)))) for sample in still)
                    for _ in range(frames))
        path.write_bytes(b"YUV4MPEG2 W96 H80 F24:1\n" +
                         b"".join(b"FRAME\n" + luma + bytes([128]) * (len(luma) // 2) for luma in pictures))
    return harness.cached(make, "still", frames, sigma, suffix=".y4m")


class State:
    """A state file as Python sees it (docs/state-file.md)."""

    def __init__(self, path):
        data = path.read_bytes()
        self.width, self.height = (int.from_bytes(data[at:at + 2], "little") for at in (10, 12))
        self.columns, self.rows = (self.width + 15) // 16, (self.height + 15) // 16
        size, begin = self.columns * self.rows * 384, 1139 + self.columns * self.rows
        self.pictures = [data[at:at + size] for at in range(begin, len(data) - 8, size)]
        self.last, self.golden, self.altref = (self.shown(self.pictures[n]) for n in data[18:21])

    def shown(self, picture):
        """MD5 of what a decoder would show of a picture."""
        shown, at = b"", 0
        for shrunk in (1, 2, 2):
            stride = 16 * self.columns // shrunk
            for y in range((self.height + shrunk - 1) // shrunk):
                shown += picture[at + y * stride:][:(self.width + shrunk - 1) // shrunk]
            at += stride * 16 * self.rows // shrunk
        return hashlib.md5(shown).hexdigest()


def each_film(test):
    """Makes test(self, film) a test with a subtest per film of the structure."""
    @functools.wraps(test)
    def run_all(self):
        for name in self.encoded.FILMS:
            with self.subTest(name):
                test(self, self.encoded(name))
    return run_all


class Tests(Case):
    """encoded: the structure's class of films."""

    encoded = Encoded

    def decoded(self, film, i):
        """MD5s of the pictures that chunk i shows, decoded from the state handed on."""
        return harness.our_frames(film.chunks[i], *([] if i % film.batch == 0 else ["-S", film.state(i - 1)]))


class Chain(Tests):
    """Invariant 2: the states handed on are those of the finished chunks, played in order."""

    @each_film
    def test_states_follow(self, film):
        for batch in film.batches():
            for i in batch:
                self.xc("xc-merge", "-o", "joined.ivf", *film.chunks[batch.start:i + 1])
                self.xc("xc-dump", "joined.ivf", "joined.state")
                self.assertEqual((self.dir / "joined.state").read_bytes(), film.state(i).read_bytes(), f"chunk {i}")

    @each_film
    def test_one_chunk_at_a_time(self, film):
        for i in (i for batch in film.batches() for i in batch[1:]):
            self.xc("xc-dump", "-S", film.state(i - 1), film.chunks[i], "next.state")
            self.assertEqual((self.dir / "next.state").read_bytes(), film.state(i).read_bytes(), f"chunk {i}")

    @each_film
    def test_expected_states(self, film):
        """A chunk that starts with a key frame expects nothing, all others something, and each something else."""
        expected = [Ivf(chunk).expected_state for chunk in film.chunks]
        keys = [harness.is_key_frame(Ivf(chunk).frames[0][1]) for chunk in film.chunks]
        self.assertEqual([e == 0 for e in expected], keys)
        others = [e for e in expected if e]
        self.assertEqual(len(set(others)), len(others))

    @each_film
    def test_a_state_holds_the_last_picture(self, film):
        for i in range(len(film.chunks)):
            state, shown = State(film.state(i)), self.decoded(film, i)
            self.assertEqual((state.last, state.altref), (shown[-1], shown[-1]), f"chunk {i}")


class Playback(Tests):
    """Invariant 3: what plays is what the encoder believed in, everywhere, one picture per source frame."""

    @each_film
    def test_decoders_agree(self, film):
        self.plays_everywhere(film.chunks, film.frames)

    def test_concatenated_without_our_help(self):
        """Plain concatenation of the frames is a stream, too: nothing but the frames matters to a decoder."""
        film = self.encoded("four chunks")
        joined = Ivf(film.chunks[0])
        for chunk in film.chunks[1:]:
            joined.frames += Ivf(chunk).frames
        joined.frames = [(i, data) for i, (_, data) in enumerate(joined.frames)]
        path = self.write("joined.ivf", joined.bytes())
        self.xc("xc-merge", "-o", "merged.ivf", *film.chunks)
        self.assertEqual(harness.vpxdec_frames(path), harness.our_frames(self.dir / "merged.ivf"))

    @each_film
    def test_chunk_by_chunk(self, film):
        """Decoding a chunk from the state before it shows the same pictures as decoding the whole film."""
        self.xc("xc-merge", "-o", "film.ivf", *film.chunks)
        pictures = [picture for i in range(len(film.chunks)) for picture in self.decoded(film, i)]
        self.assertEqual(pictures, harness.our_frames(self.dir / "film.ivf"))

    @each_film
    def test_it_is_the_film(self, film):
        if not film.is_tiny:
            self.looks_like(film.chunks, film.source)

    def packets(self, path, *options):
        """Their timestamps, as FFmpeg has them."""
        text = harness.must("ffprobe", "-v", "error", *options, "-show_entries", "packet=pts", "-of", "csv=p=0", path)
        return [int(line.strip(",")) for line in text.decode().split()]

    @each_film
    def test_joined_by_ffmpeg(self, film):
        """No tool of ours is needed: each picture takes one unit of time, and hidden frames take none."""
        harness.need("ffmpeg", "ffprobe")
        self.xc("xc-merge", "-o", "film.ivf", *film.chunks)
        chunks = self.write("list", "".join(f"file '{path}'\n" for path in film.chunks).encode())
        concat = ("-f", "concat", "-safe", 0)
        text = harness.must("ffmpeg", "-v", "error", *concat, "-c:v", "vp8", "-i", chunks, "-fps_mode", "passthrough",
                            "-pix_fmt", "yuv420p", "-f", "framemd5", "-").decode()
        pictures = [line.replace(" ", "").split(",") for line in text.splitlines() if line[0] != "#"]
        self.assertEqual([int(picture[2]) for picture in pictures], list(range(film.frames)))
        self.assertEqual([picture[-1] for picture in pictures], harness.our_frames(self.dir / "film.ivf"))
        times = [time for time, _ in Ivf(self.dir / "film.ivf").frames]
        self.assertEqual(self.packets(chunks, *concat), times)
        self.assertEqual(self.packets(self.dir / "film.ivf"), times)
        harness.must("ffmpeg", "-v", "error", *concat, "-i", chunks, "-c", "copy", "-y", self.dir / "film.mkv")
        for name in ("film.ivf", "film.mkv"):
            duration = harness.must("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0",
                                    self.dir / name)
            self.assertAlmostEqual(float(duration), film.frames / 24, delta=0.002, msg=name)

    def test_a_chunk_alone_for_ffmpeg(self):
        harness.need("ffprobe")
        film = self.encoded("last chunk shorter")
        for i, chunk in enumerate(film.chunks):
            text = harness.must("ffprobe", "-v", "quiet", "-show_entries", "stream=start_pts,duration_ts", "-of",
                                "csv=p=0", chunk)
            self.assertEqual(text.decode().strip(), f"0,{film.pictures(i)}", f"chunk {i}")
            self.assertEqual(self.packets(chunk), [time for time, _ in Ivf(chunk).frames], f"chunk {i}")


class Spans(Tests):
    """What chunks are made of: key frames, and spans of pictures behind a hidden one."""

    @each_film
    def test_frames_and_their_timestamps(self, film):
        for i, chunk in enumerate(film.chunks):
            frames = [(time, kind(data)) for time, data in Ivf(chunk).frames]
            self.assertEqual(frames, film.layout(i), f"chunk {i}")

    @each_film
    def test_the_hidden_picture_is_shown_in_the_end(self, film):
        """With all frames made visible, each anchor appears twice, the second time as a frame of a few bytes."""
        for chunk, state in film.made_of_spans():
            ivf = Ivf(chunk)
            hidden = [at for at, (_, data) in enumerate(ivf.frames) if not harness.is_shown(data)]
            cuts = [at for at, (_, data) in enumerate(ivf.frames) if harness.is_key_frame(data) and at]
            ends = [*hidden, *cuts, len(ivf.frames)]
            anchors = [(at, min([at + SPAN] + [end - 1 for end in ends if end > at])) for at in hidden
                       if not (film.COPIES_SCENES and cuts and at > cuts[0])]
            for _, at in anchors:
                self.assertLess(len(ivf.frames[at][1]), 32)
            ivf.frames = [(time, bytes([data[0] | 0x10]) + data[1:]) for time, data in ivf.frames]
            visible = self.write("visible.ivf", ivf.bytes())
            pictures = harness.our_frames(visible, *(["-S", state] if state else []))
            for hidden, shown in anchors:
                self.assertEqual(pictures[hidden], pictures[shown], f"{chunk.name}, frames {hidden} and {shown}")

    @each_film
    def test_a_chunk_that_was_cut(self, film):
        """Where a file ends between two frames, only its header tells that there were more."""
        cuts = []
        for path in film.dir.glob("*.ivf"):
            whole, end = path.read_bytes(), 32
            for _, data in Ivf(path).frames[:-1]:
                end += 12 + len(data)
                cuts.append(f"{path.stem}-{end}.ivf")
                self.write(cuts[-1], whole[:end])
        if cuts:
            found = harness.must(harness.BIN / "xc-check", "--list", *cuts, cwd=self.dir).decode().split()
            self.assertEqual(found, cuts)

    def test_followers_know_that_altref_is_ahead(self):
        """By its sign bias: vectors into a picture to come point the other way."""
        film = self.encoded("four chunks")
        for chunk in film.chunks[1:]:
            _, *others = (headers.parse(data).sign_bias_altref for _, data in Ivf(chunk).frames)
            self.assertEqual(others, [1] * film.size, chunk.name)


class Safety(Tests):
    """Invariant 5: files that do not belong together are not taken for ones that do."""

    def setUp(self):
        super().setUp()
        self.film = self.encoded("four chunks")
        self.stranger = self.encoded("three batches of two")

    def names(self, i):
        """The id of the state that chunk i, 1 or later, expects, and that of a stranger."""
        stranger = Ivf(self.stranger.chunks[1]).expected_state
        return f"{Ivf(self.film.chunks[i]).expected_state:08x}", f"{stranger:08x}"

    def check(self, message, file, i):
        for word in (str(file), *self.names(i)):
            self.assertIn(word, message)

    def test_dump(self):
        message = self.refuses("xc-dump", "-S", self.stranger.state(0), self.film.chunks[1], "out.state")
        self.check(message, self.film.chunks[1], 1)
        self.assertIn(self.names(1)[0], self.refuses("xc-dump", self.film.chunks[1], "out.state"))

    def test_decode(self):
        message = self.refuses("xc-decode", "-S", self.stranger.state(0), "--i420", "-o", "out.i420",
                               self.film.chunks[2])
        self.check(message, self.film.chunks[2], 2)

    def test_merge(self):
        message = self.refuses("xc-merge", "-o", "out.ivf", self.film.chunks[0], self.film.chunks[2])
        self.assertIn(self.names(2)[0], message)
        self.refuses("xc-merge", "-o", "out.ivf", *self.film.chunks[1:])
        self.refuses("xc-merge", "-o", "out.ivf", self.film.chunks[1], self.film.chunks[0])
