"""The chain of chunks: invariants 2 to 5. Films are encoded by the published commands, one after the other; then every
state, every picture and every byte is compared with what it must be."""
import pathlib
import shutil
import tempfile

import harness
from harness import Case, Ivf, number

KEY_FRAMES = "key frames inside the chunks"

# name: (the film, frames per chunk, chunks per batch, options for vpxenc beyond the published ones)
FILMS = {
    "four chunks": ({"frames": 24}, 6, 16, ""),
    "scene cut inside a chunk": ({"frames": 24, "cut": 15}, 6, 16, ""),
    KEY_FRAMES: ({"frames": 18, "cut": 9}, 6, 16, "--kf-max-dist=3 "),
    "hidden alt-ref frames": ({"frames": 48}, 16, 16, "--lag-in-frames=12 --arnr-maxframes=5 --arnr-strength=3 "),
    "segments": ({"frames": 36}, 12, 16, "--passes=1 --rt --cpu-used=-6 --end-usage=cbr --error-resilient=1 "
                                         "--target-bitrate=200 "),
    "eight partitions, profile 3": ({"frames": 18}, 6, 16, "--token-parts=3 --profile=3 "),
    "odd size": ({"width": 175, "height": 143, "frames": 15}, 5, 16, ""),
    "last chunk of one frame": ({"frames": 13}, 6, 16, ""),
    "last chunk shorter": ({"frames": 15}, 6, 16, ""),
    "chunks of one frame": ({"width": 64, "height": 48, "frames": 5}, 1, 16, ""),
    "a key frame each": ({"frames": 12}, 4, 1, ""),
    "three batches of two": ({"frames": 24}, 4, 2, ""),
    "two batches, the last of one chunk": ({"frames": 16}, 4, 3, ""),
    "sixteen chunks": ({"width": 96, "height": 80, "frames": 64}, 4, 16, ""),
    "tiny": ({"width": 1, "height": 1, "frames": 6}, 2, 16, ""),
}


def setUpModule():
    """Each film is encoded once, for all tests."""
    global work
    work = pathlib.Path(tempfile.mkdtemp(prefix="excamera-test-"))


def tearDownModule():
    shutil.rmtree(work)


class Encoded:
    """A film, encoded."""

    def __init__(self, name):
        film, size, self.batch, more = FILMS[name]
        self.source = harness.film(**film)
        self.dir = work / name.replace(" ", "-")
        if not self.dir.is_dir():
            begun = pathlib.Path(tempfile.mkdtemp(dir=work))
            harness.encode(begun, self.source, size, self.batch, vpxenc_too=more)
            begun.rename(self.dir)
        self.chunks = sorted(self.dir.glob("????????.ivf"))
        self.frames = film["frames"]

    def batches(self):
        return [range(s, min(s + self.batch, len(self.chunks))) for s in range(0, len(self.chunks), self.batch)]

    def state(self, i):
        """The state that the step which finished chunk i wrote."""
        return self.dir / f"{number(i)}-{0 if i % self.batch == 0 else 1}.state"


each_film = harness.each(FILMS, Encoded)


class Chain(Case):
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
        starts = [batch.start for batch in film.batches()]
        expected = [Ivf(chunk).expected_state for chunk in film.chunks]
        self.assertEqual([i for i, e in enumerate(expected) if e == 0], starts)
        others = [e for e in expected if e]
        self.assertEqual(len(set(others)), len(others))

    @each_film
    def test_a_finished_chunk_leaves_one_picture(self, film):
        """The state behind a chunk is written once, not three times: that is what terminate is for."""
        for i in range(len(film.chunks)):
            header, frames = harness.y4m_split((film.dir / f"{number(i)}.y4m").read_bytes())
            width, height = harness.y4m_size(header)
            picture = (width + 15) // 16 * ((height + 15) // 16) * 384
            self.assertLess(film.state(i).stat().st_size, picture + picture // 384 + 2000)


class Playback(Case):
    """Invariant 3: what plays is what the encoder believed in, everywhere, one picture per source frame."""

    @each_film
    def test_decoders_agree(self, film):
        self.plays_everywhere(film.chunks, film.frames)

    def test_concatenated_without_our_help(self):
        """Plain concatenation of the frames is a stream, too: nothing but the frames matters to a decoder."""
        film = Encoded("four chunks")
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
        pictures = []
        for i, chunk in enumerate(film.chunks):
            start = [] if i % film.batch == 0 else ["-S", film.state(i - 1)]
            pictures += harness.our_frames(chunk, *start)
        self.assertEqual(pictures, harness.our_frames(self.dir / "film.ivf"))

    @each_film
    def test_it_is_the_film(self, film):
        if film.source != harness.film(**FILMS["tiny"][0]):  # too small for SSIM's windows
            self.looks_like(film.chunks, film.source)

    def test_key_frames(self):
        """One per batch; the others of vpxenc's are replaced where a chunk begins, and stay within it."""
        for name, expected in (("four chunks", 1), ("three batches of two", 3)):
            with self.subTest(name):
                frames = [data for chunk in Encoded(name).chunks for _, data in Ivf(chunk).frames]
                self.assertEqual(sum(map(harness.is_key_frame, frames)), expected)
        film = Encoded(KEY_FRAMES)
        for i, chunk in enumerate(film.chunks):
            with self.subTest(KEY_FRAMES, chunk=i):
                theirs = [harness.is_key_frame(data) for _, data in Ivf(film.dir / f"{number(i)}-vpxenc.ivf").frames]
                self.assertIn(True, theirs[1:])
                self.assertEqual([harness.is_key_frame(data) for _, data in Ivf(chunk).frames], [i == 0] + theirs[1:])


class Determinism(Case):
    """Invariant 4, one tool at a time; test_makefile.py has whole makefiles at different -j."""

    def outputs(self, *options, **changes):
        """The finished chunks and states of a short film whose commands run with these options and this environment."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        chunks = harness.write_chunks(harness.film(frames=8, cut=3), directory, 2)
        env = harness.environment(**changes)
        for command in harness.published_commands(chunks, 16, 30, all_states=True):
            words = command.split()
            more = options if words[0] in ("xc-enc", "xc-dump") else ()
            harness.must(words[0], *more, *words[1:], cwd=directory, env=env)
        return harness.snapshot(directory)

    def test_instruction_sets_and_threads(self):
        expected = self.outputs()
        for cpu in harness.CPUS:
            with self.subTest(cpu=cpu):
                self.assertEqual(self.outputs(XC_CPU=cpu), expected)
        for threads in (2, 4):
            with self.subTest(threads=threads):
                self.assertEqual(self.outputs("--threads", threads), expected)


class Safety(Case):
    """Invariant 5: files that do not belong together are not taken for ones that do."""

    def setUp(self):
        super().setUp()
        self.film = Encoded("four chunks")
        self.stranger = Encoded("three batches of two")

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

    def test_rebase(self):
        n = number(2)
        for tool in ("xc-enc", "xc-rebase"):
            with self.subTest(tool):
                message = self.refuses(tool, "-W", "-w", "0.75", "-i", "y4m", "-o", "out.ivf", "-r",
                                       "-I", self.film.state(1), "-p", self.film.dir / f"{n}-1.ivf",
                                       "-S", self.stranger.state(0), "-O", "out.state", self.film.dir / f"{n}.y4m")
                prediction = Ivf(self.film.dir / f"{n}-1.ivf").expected_state
                for word in (f"{n}-1.ivf", f"{prediction:08x}", self.names(1)[1]):
                    self.assertIn(word, message)

    def test_merge(self):
        message = self.refuses("xc-merge", "-o", "out.ivf", self.film.chunks[0], self.film.chunks[2])
        self.assertIn(self.names(2)[0], message)
        self.refuses("xc-merge", "-o", "out.ivf", *self.film.chunks[1:])
        self.refuses("xc-merge", "-o", "out.ivf", self.film.chunks[1], self.film.chunks[0])

    def test_sizes(self):
        """A state of another size than the film's."""
        odd = Encoded("odd size")
        n = number(1)
        self.refuses("xc-enc", "-W", "-i", "y4m", "-o", "out.ivf", "-r", "-I", odd.state(0),
                     "-p", self.film.dir / f"{n}-0.ivf", "-O", "out.state", self.film.dir / f"{n}.y4m")
        self.refuses("xc-merge", "-o", "out.ivf", self.film.chunks[0], odd.chunks[0])

    def test_other_frame_counts(self):
        """The raw film must have a picture for every shown frame of the prediction."""
        n = number(1)
        header, frames = harness.y4m_split((self.film.dir / f"{n}.y4m").read_bytes())
        for count in (0, 1, 5, 7):
            raw = self.write("raw.y4m", header + b"".join((frames + frames)[:count]))
            for film in (self.film, Encoded(KEY_FRAMES)):
                with self.subTest("xc-enc", frames=count, film=film.dir.name):
                    self.refuses("xc-enc", "-W", "-i", "y4m", "-o", "out.ivf", "-r", "-I", film.state(0), "-p",
                                 film.dir / f"{n}-0.ivf", "-O", "out.state", raw)
                with self.subTest("xc-rebase", frames=count, film=film.dir.name):
                    self.refuses("xc-rebase", "-o", "out.ivf", "-I", film.state(1),
                                 "-p", film.dir / f"{number(2)}-1.ivf", "-S", film.dir / f"{n}-0.state",
                                 "-O", "out.state", raw)
