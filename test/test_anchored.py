# SPDX-License-Identifier: BSD-2-Clause
"""The anchored structures: states are handed on before the chunks between them exist."""
import pathlib
import sys
import tempfile

import chain
import harness
import headers
from chain import SPAN, State, each_film, kind, still_film
from harness import Case, Ivf, number
from streams import stream

LONG = "scene cut in a long chunk"


def make(directory, chunks, batch, *options, structure="anchored", **environment):
    """Runs the generated makefile and keeps what lies between."""
    generator = pathlib.Path(__file__).parent.parent / "gen_makefile.py"
    text = harness.must(sys.executable, generator, 0, chunks - 1, batch, 22, "--structure", structure)
    (directory / "film.mk").write_bytes(text)
    harness.must("make", "-s", "-f", "film.mk", "KEEP=1", *options, cwd=directory,
                 env=harness.environment(**environment))


class Anchored(chain.Encoded):

    FILMS = {**chain.FILMS, LONG: ({"frames": 48, "cut": 30}, 24, 16)}

    @staticmethod
    def encode(directory, source, size, batch):
        chunks = harness.write_chunks(source, directory, size)
        make(directory, chunks, batch, "-j2")
        for i in {*range(batch - 1, chunks, batch), chunks - 1}:  # nobody needs the state behind a batch but the tests
            before = [] if i % batch == 0 else ["-I", f"{number(i - 1)}-anchors.state"]
            harness.must(harness.BIN / "xc-enc", "--anchors", "--cq-level=22", "--place", i % batch, *before, "-i",
                         "y4m", "-o", "again.ivf", "-O", f"{number(i)}-anchors.state", f"{number(i)}.y4m",
                         cwd=directory)

    def state(self, i):
        return self.dir / f"{number(i)}-anchors.state"

    def anchors(self, i):
        """The upper half of a timestamp names the picture."""
        frames = Ivf(self.dir / f"{number(i)}-anchors.ivf").frames
        return [(time & 0xffffffff, data) for time, data in frames]

    def sections(self, i):
        """The key frames and spans of a chunk: (1 if there is a key frame, where the span behind it starts and ends).
        Together they are no longer than a span."""
        keys = [time for time, data in self.anchors(i) if harness.is_key_frame(data)]
        scenes = sorted({0, *keys, self.pictures(i)})
        for begin, end in zip(scenes, scenes[1:]):
            for start in range(begin, end, SPAN):
                yield start in keys, start + (start in keys), min(start + SPAN, end)

    def layout(self, i):
        return [frame for key, start, end in self.sections(i)
                for frame in [(start - 1, "key")] * key + chain.span_layout(start, end)]

    def made_of_spans(self):
        return [(chunk, None if i % self.batch == 0 else self.state(i - 1)) for i, chunk in enumerate(self.chunks)]


class Prepared(Anchored):

    @staticmethod
    def encode(directory, source, size, batch):
        chunks = harness.write_chunks(source, directory, size)
        last = {*range(batch - 1, chunks, batch), chunks - 1}
        make(directory, chunks, batch, "-j2", "all", *(f"{number(i)}-anchors.state" for i in last),
             structure="prepared")


class After(harness.Case):
    """Anchors are averaged with the pictures after them, wherever these are."""

    def setUp(self):
        super().setUp()
        self.chunks = harness.write_chunks(harness.film(frames=48), self.dir, 12)

    def anchors(self, *options):
        self.xc("xc-enc", "--anchors", "-i", "y4m", "-o", "anchors.ivf", "-O", "after.state", *options)
        return [data for _, data in Ivf(self.dir / "anchors.ivf").frames]

    def film(self, *parts):
        """Frames of the film as a film of their own: (first, end)."""
        header, frames = harness.y4m_split(harness.film(frames=48).read_bytes())
        return self.write(f"{parts[0]}-{parts[1]}.y4m", header + b"".join(frames[slice(*parts)]))

    def test_borders_of_chunks_do_not_matter(self):
        """Two chunks of twelve pictures have the anchors of one of twenty-four."""
        together = self.anchors("--after", self.film(24, 36), self.film(0, 24))
        first = self.anchors("--after", self.film(12, 24), self.film(0, 12))
        (self.dir / "after.state").rename(self.dir / "before.state")
        second = self.anchors("--after", self.film(24, 36), "-I", "before.state", self.film(12, 24))
        self.assertEqual(first + second, together)

    def test_three_pictures_count(self):
        made = [self.anchors(*options, self.film(0, 12))
                for options in ([], *(["--after", self.film(12, end)] for end in (13, 14, 15, 16, 24)))]
        self.assertEqual(len({b"".join(frames) for frames in made[:4]}), 4)
        self.assertEqual(made[3:], [made[3]] * 3)

    def test_another_size(self):
        small = harness.film(width=32, height=32, frames=3)
        self.assertIn(f"{small}: is of 32x32, but ", self.refuses(
            "xc-enc", "--anchors", "--after", small, "-i", "y4m", "-o", "out.ivf", self.film(0, 6)))


class Chain(chain.Chain):

    encoded = Anchored

    @each_film
    def test_golden_is_the_latest_key_frame(self, film):
        key = None
        for i in range(len(film.chunks)):
            shown = self.decoded(film, i)
            for time, data in film.anchors(i):
                if harness.is_key_frame(data):
                    key = shown[time]
            self.assertEqual(State(film.state(i)).golden, key, f"chunk {i}")


class PreparedChain(Chain):

    encoded = Prepared

    @each_film
    def test_replayed_anchors_lead_to_the_states(self, film):
        """As they do where each chunk is made in another place."""
        for batch in film.batches():
            before = []
            for i in batch:
                self.xc("xc-dump", "--anchors", "--cq-level=22", *before, film.dir / f"{number(i)}-anchors.ivf",
                        f"{number(i)}.state")
                replayed, made = (path.read_bytes() for path in (self.dir / f"{number(i)}.state", film.state(i)))
                self.assertEqual(replayed, made, f"chunk {i}")
                before = ["-S", f"{number(i)}.state"]
            self.xc("xc-dump", "--anchors", "--cq-level=22", *(film.dir / f"{number(i)}-anchors.ivf" for i in batch),
                    "all.state")
            self.assertEqual((self.dir / "all.state").read_bytes(), film.state(batch[-1]).read_bytes())

    @each_film
    def test_replayed_by_rebasing(self, film):
        """xc-rebase makes the same of the state before the last anchors as of the state after them."""
        for batch in film.batches():
            for i in batch[1:]:
                name = film.dir / number(i)
                before = [] if i == batch[1] else ["-I", film.state(i - 2)]
                replayed = film.dir / f"{number(i - 1)}-anchors.ivf"
                self.xc("xc-rebase", "--anchors", "--cq-level=22", "--replay", replayed, *before, "-p",
                        f"{name}-guess.ivf", "-o", "out.ivf", "-O", "out.state", f"{name}-targets.y4m")
                for made, expected in (("out.ivf", f"{name}-anchors.ivf"), ("out.state", film.state(i))):
                    self.assertEqual((self.dir / made).read_bytes(), pathlib.Path(expected).read_bytes(), f"chunk {i}")


class Playback(chain.Playback):

    encoded = Anchored

    @each_film
    def test_key_frames_are_where_scenes_begin(self, film):
        if not film.is_tiny:
            keys = [i * film.size + time for i, chunk in enumerate(film.chunks)
                    for time, data in Ivf(chunk).frames if harness.is_key_frame(data)]
            self.assertEqual(keys, sorted({batch.start * film.size for batch in film.batches()} | {film.cut or 0}))


class PreparedPlayback(Playback):

    encoded = Prepared


class Spans(chain.Spans):

    encoded = Anchored

    @each_film
    def test_anchors_are_the_last_pictures_of_spans(self, film):
        for i, chunk in enumerate(film.chunks):
            anchors, frames = film.anchors(i), Ivf(chunk).frames
            expected = [at for key, start, end in film.sections(i)
                        for at in [start - 1] * key + [end - 1] * (end > start)]
            self.assertEqual([time for time, _ in anchors], expected, f"chunk {i}")
            coded = [data for _, data in anchors]
            self.assertEqual([data for _, data in frames if data in coded], coded, f"chunk {i}")

    def test_a_long_chunk(self):
        film = Anchored(LONG)
        anchors = [[(time, kind(data)) for time, data in film.anchors(i)] for i in range(2)]
        self.assertEqual(anchors, [[(0, "key"), (11, "hidden"), (23, "hidden")],
                                   [(5, "hidden"), (6, "key"), (17, "hidden"), (23, "hidden")]])


class PreparedSpans(Spans):

    encoded = Prepared


class Determinism(Case):
    """Invariant 4."""

    structure = "anchored"

    def outputs(self, *options, **environment):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        chunks = harness.write_chunks(harness.film(frames=18, cut=9), directory, 6)
        make(directory, chunks, 16, *options, structure=self.structure, **environment)
        return {p.name: p.read_bytes() for p in directory.glob("*.ivf")}

    def test_jobs_and_instruction_sets(self):
        expected = self.outputs("-j1")
        self.assertEqual(len(expected), 6 if self.structure == "anchored" else 8)
        for name, options, environment in (("-j4", ["-j4"], {}), ("C", [], {"XC_CPU": "c"}),
                                           ("SSSE3", [], {"XC_CPU": "ssse3"}),
                                           ("threads", ["ANCHORED_OPTIONS=--threads 3"], {})):
            with self.subTest(name):
                self.assertEqual(self.outputs(*options, **environment), expected)


class PreparedDeterminism(Determinism):

    structure = "prepared"


class Compression(Case):
    """What makes the chunks small: who is how fine, and what is left of noise (docs/compression.md)."""

    def anchors(self, film, *options):
        """The key frames and anchors of a chunk without a state."""
        self.xc("xc-enc", "--anchors", *options, "-i", "y4m", "-o", "anchors.ivf", film)
        return [data for _, data in Ivf(self.dir / "anchors.ivf").frames]

    def followers(self, film, *options):
        anchors = self.anchors(film, *options)
        self.xc("xc-enc", "--follow", "anchors.ivf", *options, "-i", "y4m", "-o", "chunk.ivf", film)
        return [data for _, data in Ivf(self.dir / "chunk.ivf").frames if data not in anchors]

    def quantizers(self, *arguments):
        return [headers.parse(data).quantizer for data in self.anchors(*arguments)]

    def test_levels_are_vpxencs(self):
        for level in (1, 20, 62):
            with self.subTest(level):
                theirs = {headers.parse(data).quantizer for _, data in Ivf(stream(f"quantizer {level}")).frames}
                ours = {headers.parse(data).quantizer for data in self.followers(still_film(5), "--cq-level", level)}
                self.assertEqual(ours, theirs)

    def test_weights(self):
        """Of 49, the index of level 35. At level 8, of 9, but there the same part of a step is finer. For key frames,
        if nothing is known of what comes after them."""
        for level, weight, quantizer in ((35, 0.2, 10), (35, 0.4, 20), (35, 1, 49), (8, 0.2, 1), (8, 0.4, 3),
                                         (8, 1, 9)):
            with self.subTest(level, weight=weight):
                _, anchor = self.quantizers(still_film(7), "--cq-level", level, "--anchor-weight", weight)
                [key] = self.quantizers(still_film(1), "--cq-level", level, "--key-weight", weight)
                self.assertEqual((anchor, key), (quantizer, quantizer))

    def test_default_options(self):
        film = harness.film(width=96, height=80, frames=7)
        self.assertEqual(self.anchors(film),
                         self.anchors(film, "--cq-level", 22, "--key-weight", 0.25, "--anchor-weight", 0.3))

    def test_the_less_changes_the_finer_is_the_key_frame(self):
        moving = harness.film(width=96, height=80, frames=7)
        still, moving, alone = (self.quantizers(film, "--cq-level", 20, "--key-weight", 1)[0]
                                for film in (still_film(7), moving, still_film(1)))
        self.assertLess(still, 5)
        self.assertTrue(still < moving < alone, (still, moving, alone))

    def test_what_lasts_is_finer(self):
        """Of 25, the index of level 20: what a cut follows soon is worth no fine quantizer."""
        header, (one, other) = harness.y4m_split(harness.film(width=96, height=80, frames=2, cut=1).read_bytes())

        def quantizers(cut):
            film = self.write("film.y4m", header + cut * one + 9 * other)
            return self.quantizers(film, "--cq-level", 20)
        self.assertEqual(quantizers(1)[0], 25)
        [key, anchor, *behind] = quantizers(3)
        self.assertEqual((key, anchor), (round(25 / 3), round(25 / 2)))
        self.assertEqual(behind, quantizers(1)[1:])
        self.assertTrue(behind[0] < key and behind[1] < anchor)

    def test_noise_is_not_worth_a_fine_quantizer(self):
        """Nor is it a reason for one that is coarser than asked for."""
        quiet, noisy, snow = (self.quantizers(still_film(7, sigma), "--cq-level", 40) for sigma in (0, 6, 25))
        level = headers.parse(self.followers(still_film(5), "--cq-level", 40)[0]).quantizer
        for i, frame in enumerate(("key frame", "anchor")):
            with self.subTest(frame):
                self.assertTrue(quiet[i] < noisy[i] < snow[i] == level, (quiet[i], noisy[i], snow[i], level))

    def test_noise_is_averaged_out(self):
        """Key frame and anchor are nearer to the film without noise than the raw pictures are, by 6 dB."""
        film, size = still_film(7, 2), 96 * 80
        self.anchors(film, "--cq-level", 0)
        ivf = Ivf(self.dir / "anchors.ivf")
        ivf.frames = [(time, bytes([data[0] | 0x10]) + data[1:]) for time, data in ivf.frames]
        self.xc("xc-decode", "--y4m", "-o", "anchors.y4m", self.write("visible.ivf", ivf.bytes()))
        raw, (clean, *_), (key, anchor) = (harness.y4m_split(path.read_bytes())[1]
                                           for path in (film, still_film(7), self.dir / "anchors.y4m"))
        for name, coded, noisy in (("key frame", key, raw[0]), ("anchor", anchor, raw[6])):
            with self.subTest(name):
                coded, noisy = (sum((a - b) ** 2 for a, b in zip(picture[6:6 + size], clean[6:6 + size])) / size
                                for picture in (coded, noisy))
                self.assertLess(coded, noisy / 4)

    def test_quality(self):
        film = harness.film(width=96, height=80, frames=4)
        for step in (self.anchors, self.followers):
            with self.subTest(step.__name__):
                self.assertEqual(step(film), step(film, "-q", "best"))
                self.assertNotEqual(step(film), step(film, "-q", "rt"))


class Fit(Case):
    """--fit-bytes and --fit-ssim bring a chunk to a size or a quality; here of two mini-GOPs, one after a scene cut."""

    def setUp(self):
        super().setUp()
        self.film = harness.film(width=160, height=128, frames=30, cut=11)
        self.options = ["--cq-level", 30, "-i", "y4m"]
        self.xc("xc-enc", "--anchors", *self.options, "-o", "anchors.ivf", "-O", "after.state", self.film)
        self.plain = self.follow()

    def follow(self, *options, **more):
        self.xc("xc-enc", "--follow", "anchors.ivf", *self.options, *options, "-o", "out.ivf", self.film, **more)
        return self.dir / "out.ivf"

    def check_state(self):
        """Another chunk may follow, whatever the followers were."""
        self.xc("xc-dump", "out.ivf", "out.state")
        self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "after.state").read_bytes())

    def test_bytes(self):
        plain = self.plain.stat().st_size
        for factor in (0.9, 1.1, 1.3):
            with self.subTest(factor):
                wanted = round(plain * factor)
                self.assertAlmostEqual(self.follow("--fit-bytes", wanted).stat().st_size / wanted, 1, delta=0.02)
                self.check_state()

    def test_ssim(self):
        plain = harness.ssim(self.plain, self.film)
        for factor in (0.8, 1.15):
            with self.subTest(factor):
                wanted = 1 - (1 - plain) * factor
                found = harness.ssim(self.follow("--fit-ssim", f"{wanted:.6f}"), self.film)
                self.assertAlmostEqual((1 - found) / (1 - wanted), 1, delta=0.03)
                self.check_state()

    def test_out_of_reach(self):
        """The nearest is made, and no anchor changes."""
        for goal, is_larger in ((["--fit-bytes", 1], False), (["--fit-ssim", 0], False), (["--fit-ssim", 1], True),
                                (["--fit-bytes", 10 ** 9], True)):
            with self.subTest(goal):
                plain = self.plain.stat().st_size
                self.assertEqual(self.follow(*goal).stat().st_size > plain, is_larger)
                self.check_state()
                self.follow()

    def test_the_same_on_any_machine(self):
        for goal in (["--fit-bytes", 20000], ["--fit-ssim", 0.95]):
            expected = self.follow(*goal).read_bytes()
            for cpu in ("c", "ssse3"):
                with self.subTest(goal, cpu=cpu):
                    found = self.follow(*goal, "--threads", 2, env=harness.environment(XC_CPU=cpu)).read_bytes()
                    self.assertEqual(found, expected)


class Safety(chain.Safety):

    encoded = Anchored

    def setUp(self):
        super().setUp()
        self.follow = ["--cq-level", 22, "-i", "y4m", "-o", "out.ivf"]
        self.name = self.film.dir / number(1)

    def refuses_anchors(self, *options):
        return self.refuses("xc-enc", "--follow", *options[:1], *self.follow, *options[1:])

    def test_wrong_state(self):
        for state, chunk in ((0, 2), (2, 2), (1, 3)):
            with self.subTest(state=state, chunk=chunk):
                name = self.film.dir / number(chunk)
                text = self.refuses_anchors(f"{name}-anchors.ivf", "-I", self.film.state(state), f"{name}.y4m")
                self.assertRegex(text, r"expects state [0-9a-f]{8}.* [0-9a-f]{8}")

    def test_no_state(self):
        self.refuses_anchors(f"{self.name}-anchors.ivf", f"{self.name}.y4m")

    def test_other_frame_counts(self):
        header, frames = harness.y4m_split(pathlib.Path(f"{self.name}.y4m").read_bytes())
        for count, words in ((0, "has only 0 frames"), (1, "has only 1 frames"), (5, "has only 5 frames"),
                             (7, "has more frames than the 6")):
            with self.subTest(frames=count):
                raw = self.write("raw.y4m", header + b"".join((frames + frames)[:count]))
                text = self.refuses_anchors(f"{self.name}-anchors.ivf", "-I", self.film.state(0), raw)
                self.assertIn(f"raw.y4m: {words}", text)

    def test_other_pictures(self):
        """Those of another chunk, or one that was changed. Anchors that name no picture are taken."""
        header, frames = harness.y4m_split(pathlib.Path(f"{self.name}.y4m").read_bytes())
        anchors = f"{self.name}-anchors.ivf"
        _, others = harness.y4m_split((self.film.dir / f"{number(2)}.y4m").read_bytes())
        for name, pictures in (("another chunk", others),
                               ("the anchor is changed", frames[:-1] + [frames[-1][:-1] + b"?"])):
            with self.subTest(name):
                raw = self.write("raw.y4m", header + b"".join(pictures))
                text = self.refuses_anchors(anchors, "-I", self.film.state(0), raw)
                self.assertRegex(text, rf"raw.y4m: has another picture 5 than the one that {anchors} was made of; ")
        nameless = Ivf(anchors)
        nameless.frames = self.film.anchors(1)
        path = self.write("nameless.ivf", nameless.bytes())
        self.xc("xc-enc", "--follow", path, *self.follow, "-I", self.film.state(0), f"{self.name}.y4m")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.film.chunks[1].read_bytes())

    def test_anchors_out_of_order(self):
        """The timestamps of key frames and anchors say where they belong."""
        film = Anchored(LONG)
        name = film.dir / number(1)
        for times in ([5, 5, 17, 23], [5, 6, 5, 23], [5, 7, 17, 23], [5, 6, 23, 17], [2, 6, 17, 23], [6, 6, 17, 23],
                      [0, 6, 17, 23], [23, 6, 17, 23], [5, 6, 17, 24], [5, 6, 17, 1 << 32], [5, 6, 17, (1 << 64) - 1],
                      [5, 6, 17, 22], [1 << 63, 6, 17, 23]):
            with self.subTest(times):
                anchors = Ivf(f"{name}-anchors.ivf")
                anchors.frames = [(time, data) for time, (_, data) in zip(times, anchors.frames)]
                path = self.write("anchors.ivf", anchors.bytes())
                text = self.refuses_anchors(path, "-I", film.state(0), f"{name}.y4m")
                self.assertRegex(text, r"is for picture \d+, where picture \d+ is due|y4m: has ")

    def test_hidden_frames_that_are_no_anchors(self):
        """Frames behind which alt-ref is what it was: one of no bytes, and a follower."""
        (anchor, anchor_data), (_, follower) = Ivf(self.film.chunks[1]).frames[:2]
        hidden_follower = bytes([follower[0] & ~0x10]) + follower[1:]
        for frames in ([(anchor, b"")], [(anchor, anchor_data), (anchor + 1, hidden_follower)]):
            with self.subTest(frames=len(frames)):
                anchors = Ivf(f"{self.name}-anchors.ivf")
                anchors.frames = frames
                path = self.write("anchors.ivf", anchors.bytes())
                text = self.refuses_anchors(path, "-I", self.film.state(0), f"{self.name}.y4m")
                self.assertIn("hidden, but no anchor", text)

    def test_options_that_do_not_go_together(self):
        chunk = self.film.dir / f"{number(0)}.y4m"
        for options in (["--anchors", "--follow", self.film.chunks[0]], ["--anchors", "-r"], ["--anchors", "-y", 20],
                        ["--anchors", "--cq-level", 64]):
            with self.subTest(options):
                self.refuses("xc-enc", *options, "-i", "y4m", "-o", "out.ivf", chunk)


class Guess(Case):
    """xc-enc --guess and xc-rebase --anchors."""

    def setUp(self):
        super().setUp()
        self.film = Prepared("four chunks")
        self.name = self.film.dir / number(1)
        self.guess, self.targets = f"{self.name}-guess.ivf", f"{self.name}-targets.y4m"

    def rebase(self, *options):
        return ["xc-rebase", "--anchors", "--cq-level=22", "-o", "out.ivf", *options]

    def test_a_guess_is_no_part_of_the_film(self):
        """It names the state that it was made for, which no decoder has."""
        for tool in (["xc-decode"], ["xc-merge", "-o", "out.ivf"]):
            with self.subTest(tool[0]):
                self.assertIn("expects state 53455547", self.refuses(*tool, self.guess))

    def test_the_state_is_checked(self):
        self.assertIn("-I SOURCE.state is needed", self.refuses(*self.rebase("-p", self.guess, self.targets)))
        other = self.write("other.state", self.film.state(0).read_bytes()[:-1])
        self.refuses(*self.rebase("-I", other, "-p", self.guess, self.targets))

    def test_the_anchors_to_replay_are_checked(self):
        anchors = [self.film.dir / f"{number(i)}-anchors.ivf" for i in (0, 1)]
        given = ["-p", self.guess, self.targets]
        for words, options in (("-anchors.ivf: expects state", ["--replay", anchors[1]]),
                               ("which is before it, gives state", ["--replay", anchors[1], "-I", self.film.state(1)]),
                               ("No such file", ["--replay", "missing.ivf"]),
                               ("--replay-cq-level goes with --replay", ["--replay-cq-level", 9, "-I", anchors[0]])):
            with self.subTest(words):
                self.assertIn(words, self.refuses(*self.rebase(*options, *given)))
        self.assertIn("--replay goes with --anchors", self.refuses(
            "xc-rebase", "--replay", anchors[0], "-p", self.guess, "-S", self.film.state(0), self.targets))

    def test_the_level_of_the_anchors_to_replay(self):
        """Followers begin with a quantizer that comes from it."""
        made = []
        for level in (22, 63):
            replayed = self.film.dir / f"{number(0)}-anchors.ivf"
            self.xc(*self.rebase("--replay", replayed, "--replay-cq-level", level, "-p", self.guess, self.targets))
            made.append((self.dir / "out.ivf").read_bytes())
        expected = pathlib.Path(f"{self.name}-anchors.ivf").read_bytes()
        self.assertEqual([data == expected for data in made], [True, False])

    def test_only_guesses_are_taken(self):
        text = self.refuses(*self.rebase("-I", self.film.state(0), "-p", self.film.chunks[1], self.targets))
        self.assertIn("is no guess of anchors; xc-enc --guess makes them", text)

    def test_targets_that_do_not_fit(self):
        header, frames = harness.y4m_split(pathlib.Path(self.targets).read_bytes())
        small = harness.film(width=32, height=32, frames=len(frames))
        for words, film in (("has only", header + b"".join(frames[:-1])),
                            ("has more frames", header + b"".join([*frames, frames[-1]])),
                            ("is of", small.read_bytes())):
            with self.subTest(words):
                raw = self.write("raw.y4m", film)
                self.assertIn(words, self.refuses(*self.rebase("-I", self.film.state(0), "-p", self.guess, raw)))

    def test_options_that_do_not_go_together(self):
        raw = f"{self.name}.y4m"
        for options in (["--guess", "t.y4m"], ["--guess", "t.y4m", "--before", raw],
                        ["--guess", "t.y4m", "--before", raw, "--key", raw, "-I", self.film.state(0)],
                        ["--guess", "t.y4m", "--before", raw, "--key", raw, "--anchors"],
                        ["--anchors", "--before", raw], ["--after", raw],
                        ["--follow", self.guess, "--after", raw]):
            with self.subTest(options):
                self.refuses("xc-enc", *options, "-i", "y4m", "-o", "out.ivf", raw)
        small = harness.film(width=32, height=32, frames=1)
        self.assertIn("is of 32x32", self.refuses("xc-enc", "--guess", "t.y4m", "--before", small, "--key", raw,
                                                  "-i", "y4m", "-o", "out.ivf", raw))
        self.assertEqual([path.name for path in self.dir.glob("t.y4m*")], [])
