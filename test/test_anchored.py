"""The anchored structure: the same invariants as the classic one (test_chain.py), with states that are handed on before
the chunks between them exist."""
import pathlib
import shutil
import sys
import tempfile

import harness
from harness import Case, Ivf, number

# name: (the film, frames per chunk, chunks per batch, pictures that begin a scene)
FILMS = {
    "four chunks": ({"frames": 24}, 6, 16, []),
    "scene cut inside a chunk": ({"frames": 24, "cut": 15}, 6, 16, [15]),
    "scene cut between chunks": ({"frames": 24, "cut": 12}, 6, 16, [12]),
    "scene cut before the last frame of a chunk": ({"frames": 24, "cut": 17}, 6, 16, [17]),
    "odd size": ({"width": 175, "height": 143, "frames": 15}, 5, 16, []),
    "last chunk of one frame": ({"frames": 13}, 6, 16, []),
    "chunks of one frame": ({"width": 64, "height": 48, "frames": 5}, 1, 16, []),
    "a key frame each": ({"frames": 12}, 4, 1, []),
    "three batches of two": ({"frames": 24}, 4, 2, []),
    "chunks with two anchors": ({"frames": 48, "cut": 30}, 24, 16, [30]),
    "sixteen chunks": ({"width": 96, "height": 80, "frames": 64, "cut": 40}, 4, 16, [40]),
    "tiny": ({"width": 1, "height": 1, "frames": 6}, 2, 16, []),
}


def make(directory, chunks, batch, *options, **environment):
    """Runs the generated makefile and keeps what lies between."""
    generator = pathlib.Path(__file__).parent.parent / "gen_makefile.py"
    text = harness.must(sys.executable, generator, 0, chunks - 1, batch, 22, "--structure", "anchored")
    (directory / "film.mk").write_bytes(text)
    harness.must("make", "-s", "-f", "film.mk", "KEEP=1", *options, cwd=directory,
                 env=harness.environment(**environment))


def setUpModule():
    """Each film is encoded once, for all tests."""
    global work
    work = pathlib.Path(tempfile.mkdtemp(prefix="excamera-test-"))


def tearDownModule():
    shutil.rmtree(work)


class Encoded:
    """A film, encoded."""

    def __init__(self, name):
        film, self.size, self.batch, self.cuts = FILMS[name]
        self.source = harness.film(**film)
        self.frames = film["frames"]
        self.dir = work / name.replace(" ", "-")
        if not self.dir.is_dir():
            begun = pathlib.Path(tempfile.mkdtemp(dir=work))
            make(begun, harness.write_chunks(self.source, begun, self.size), self.batch, "-j2")
            begun.rename(self.dir)
        self.chunks = sorted(self.dir.glob("????????.ivf"))

    def anchors(self, i):
        return Ivf(self.dir / f"{number(i)}-anchors.ivf")

    def state(self, i):
        return self.dir / f"{number(i)}-anchors.state"

    def first_of_batch(self, i):
        return i - i % self.batch


each_film = harness.each(FILMS, Encoded)


class Chain(Case):
    """Invariant 2: the states handed on are those behind the anchors, wherever the finished chunks are played."""

    @each_film
    def test_states_follow(self, film):
        for i in range(len(film.chunks)):
            if not film.state(i).exists():
                continue  # the last of a batch has nobody to hand it to
            first = film.first_of_batch(i)
            self.xc("xc-merge", "-o", "joined.ivf", *film.chunks[first:i + 1])
            last_anchor = (i - first) * film.size + film.anchors(i).frames[-1][0]
            self.xc("xc-dump", "-f", last_anchor, "joined.ivf", "joined.state")
            self.assertEqual((self.dir / "joined.state").read_bytes(), film.state(i).read_bytes(), f"chunk {i}")

    @each_film
    def test_chunks_follow_the_states_handed_on(self, film):
        """What lies between anchors leaves golden, alt-ref and all the rest alone: a chunk plays the same from the
        state that its predecessor's anchors left as from the one that its predecessor left."""
        self.xc("xc-merge", "-o", "film.ivf", *film.chunks)
        pictures = []
        for i, chunk in enumerate(film.chunks):
            start = [] if i == film.first_of_batch(i) else ["-S", film.state(i - 1)]
            pictures += harness.our_frames(chunk, *start)
        self.assertEqual(pictures, harness.our_frames(self.dir / "film.ivf"))

    def test_a_chunk_left_out_is_noticed(self):
        film = Encoded("four chunks")
        text = self.refuses("xc-merge", "-o", "film.ivf", film.chunks[0], film.chunks[2])
        self.assertRegex(text, r"expects state [0-9a-f]{8}.* [0-9a-f]{8}")


class Playback(Case):
    """Invariant 3."""

    @each_film
    def test_decoders_agree(self, film):
        self.plays_everywhere(film.chunks, film.frames)

    @each_film
    def test_it_is_the_film(self, film):
        if film.source != harness.film(**FILMS["tiny"][0]):  # too small for SSIM's windows
            self.looks_like(film.chunks, film.source)

    @each_film
    def test_key_frames_are_where_scenes_begin(self, film):
        if film.source == harness.film(**FILMS["tiny"][0]):
            return  # a single sample of noise is a new scene each time
        keys = [i * film.size + at for i, chunk in enumerate(film.chunks)
                for at, (_, data) in enumerate(Ivf(chunk).frames) if harness.is_key_frame(data)]
        batches = range(0, len(film.chunks) * film.size, film.batch * film.size)
        self.assertEqual(keys, sorted({*batches, *film.cuts}))

    def test_long_chunks_have_more_anchors(self):
        film = Encoded("chunks with two anchors")
        self.assertEqual([[at for at, _ in film.anchors(i).frames] for i in range(2)], [[0, 12], [0, 6, 18]])

    @each_film
    def test_chunks_are_anchors_and_what_follows(self, film):
        for i, chunk in enumerate(film.chunks):
            frames = [data for _, data in Ivf(chunk).frames]
            for at, data in film.anchors(i).frames:
                self.assertEqual(frames[at], data, f"chunk {i}, picture {at}")


class Determinism(Case):
    """Invariant 4."""

    def outputs(self, *options, **environment):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        chunks = harness.write_chunks(harness.film(frames=18, cut=9), directory, 6)
        make(directory, chunks, 16, *options, **environment)
        return {p.name: p.read_bytes() for p in directory.glob("*.ivf")}

    def test_jobs_and_instruction_sets(self):
        expected = self.outputs("-j1")
        self.assertEqual(len(expected), 6)
        for name, options, environment in (("-j4", ["-j4"], {}), ("C", [], {"XC_CPU": "c"}),
                                           ("SSSE3", [], {"XC_CPU": "ssse3"}),
                                           ("threads", ["ANCHORED_OPTIONS=--threads 3"], {})):
            with self.subTest(name):
                self.assertEqual(self.outputs(*options, **environment), expected)


class Safety(Case):
    """Invariant 5."""

    def setUp(self):
        super().setUp()
        self.film = Encoded("four chunks")
        self.follow = ["--cq-level", 22, "-i", "y4m", "-o", "out.ivf"]

    def test_wrong_state(self):
        for state, chunk in ((0, 2), (2, 2), (1, 3)):
            with self.subTest(state=state, chunk=chunk):
                name = self.film.dir / number(chunk)
                text = self.refuses("xc-enc", "--follow", f"{name}-anchors.ivf", *self.follow,
                                    "-I", self.film.state(state), f"{name}.y4m")
                self.assertRegex(text, r"expects state [0-9a-f]{8}.* [0-9a-f]{8}")

    def test_no_state(self):
        name = self.film.dir / number(1)
        self.refuses("xc-enc", "--follow", f"{name}-anchors.ivf", *self.follow, f"{name}.y4m")

    def test_too_few_pictures(self):
        film = Encoded("scene cut inside a chunk")
        name = film.dir / number(2)
        header, frames = harness.y4m_split(pathlib.Path(f"{name}.y4m").read_bytes())
        short = self.write("short.y4m", header + b"".join(frames[:3]))
        text = self.refuses("xc-enc", "--follow", f"{name}-anchors.ivf", *self.follow, "-I", film.state(1), short)
        self.assertIn("anchor for picture 3", text)

    def test_options_that_do_not_go_together(self):
        chunk = self.film.dir / f"{number(0)}.y4m"
        for options in (["--anchors", "--follow", self.film.chunks[0]], ["--anchors", "-r"], ["--anchors", "-y", 20],
                        ["--anchors", "--cq-level", 64]):
            with self.subTest(options):
                self.refuses("xc-enc", *options, "-i", "y4m", "-o", "out.ivf", chunk)
