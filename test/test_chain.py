# SPDX-License-Identifier: BSD-2-Clause
"""The classic structure, by the published commands, one after the other."""
import pathlib
import tempfile

import chain
import harness
import headers
from chain import SPAN, State, each_film, kind, still_film
from harness import Case, Ivf, number

KEY_FRAMES = "key frames inside the chunks"
LONG = "chunks of several spans"


class Classic(chain.Encoded):

    COPIES_SCENES = True

    # The last in each row: options for vpxenc beyond the published ones.
    FILMS = {
        **chain.FILMS,
        KEY_FRAMES: ({"frames": 18, "cut": 9}, 6, 16, "--kf-max-dist=3 "),
        "hidden alt-ref frames": ({"frames": 48}, 16, 16, "--lag-in-frames=12 --arnr-maxframes=5 --arnr-strength=3 "),
        "hidden alt-ref frames behind a cut": ({"frames": 108, "cut": 86}, 36, 16, "--lag-in-frames=12 "),
        "segments": ({"frames": 36}, 12, 16, "--passes=1 --rt --cpu-used=-6 --end-usage=cbr --error-resilient=1 "
                                             "--target-bitrate=200 "),
        "eight partitions, profile 3": ({"frames": 18}, 6, 16, "--token-parts=3 --profile=3 "),
    }

    @staticmethod
    def encode(directory, source, size, batch, vpxenc_too=""):
        harness.encode(directory, source, size, batch, vpxenc_too=vpxenc_too)

    def state(self, i):
        return self.dir / f"{number(i)}-{0 if i % self.batch == 0 else 1}.state"

    def theirs(self, i):
        """The kinds of the frames that vpxenc made of a chunk."""
        return [kind(data) for _, data in Ivf(self.dir / f"{number(i)}-vpxenc.ivf").frames]

    def layout(self, i):
        """Spans, up to where vpxenc began a scene; from there on, and in the first chunk of a batch, what vpxenc made,
        whose hidden frames have the timestamp of the next picture."""
        kept, spans = self.theirs(i), []
        if i % self.batch:
            cut = kept.index("key", 1) if "key" in kept[1:] else len(kept)
            pictures, kept = cut - kept[:cut].count("hidden"), kept[cut:]
            for start in range(0, pictures, SPAN):
                spans += chain.span_layout(start, min(start + SPAN, pictures))
        shown = sum(what != "hidden" for _, what in spans)
        return spans + [(shown + at - kept[:at].count("hidden"), what) for at, what in enumerate(kept)]

    def made_of_spans(self):
        """The second chunks of the batches; the others before they are rebased."""
        return [(self.dir / f"{number(i)}{'' if i == batch.start + 1 else '-1'}.ivf", self.guess(i - 1))
                for batch in self.batches() for i in batch[1:]]

    def guess(self, i):
        """The state that chunk i left when it was alone."""
        return self.dir / f"{number(i)}-0.state"


class Chain(chain.Chain):

    encoded = Classic

    @each_film
    def test_a_finished_chunk_leaves_one_picture(self, film):
        """The state behind a chunk is written once, not three times: that is what terminate is for."""
        for i in range(len(film.chunks)):
            self.assertEqual(len(State(film.state(i)).pictures), 1, f"chunk {i}")


class Playback(chain.Playback):

    encoded = Classic

    def test_key_frames(self):
        """One per batch; the others of vpxenc's are replaced where a chunk begins, and stay within it."""
        for name, expected in (("four chunks", 1), ("three batches of two", 3)):
            with self.subTest(name):
                frames = [data for chunk in Classic(name).chunks for _, data in Ivf(chunk).frames]
                self.assertEqual(sum(map(harness.is_key_frame, frames)), expected)
        film = Classic(KEY_FRAMES)
        for i, chunk in enumerate(film.chunks):
            with self.subTest(KEY_FRAMES, chunk=i):
                theirs = [what == "key" for what in film.theirs(i) if what != "hidden"]
                self.assertIn(True, theirs[1:])
                ours = [harness.is_key_frame(data) for _, data in Ivf(chunk).frames if harness.is_shown(data)]
                self.assertEqual(ours, [i == 0] + theirs[1:])


class Spans(chain.Spans):

    encoded = Classic

    def test_a_long_chunk(self):
        """Of 25 pictures: two whole spans, and one of a single picture."""
        for name in (f"{number(1)}.ivf", f"{number(2)}-1.ivf", f"{number(2)}.ivf"):
            with self.subTest(name):
                frames = Ivf(Classic(LONG).dir / name).frames
                self.assertEqual([time for time, data in frames if not harness.is_shown(data)], [0, 12])


class Reencoding(Case):
    """xc-enc -r: each frame is as fine as the prediction says."""

    PREDICTED = [9, 41, 33, 25, 45, 41]  # the key frame's quantizer, and those of the frames behind it

    def predict(self, film):
        """Makes prediction.ivf, and 0.state behind its first frame."""
        header, frames = harness.y4m_split(film.read_bytes())
        state = []
        for i, (frame, quantizer) in enumerate(zip(frames, self.PREDICTED)):
            self.xc("xc-enc", "-q", "rt", "-y", quantizer, "-i", "y4m", *state, "-O", f"{i}.state", "-o", f"{i}.ivf",
                    self.write("picture.y4m", header + frame))
            state = ["-I", f"{i}.state"]
        self.xc("xc-merge", "-o", "prediction.ivf", *(f"{i}.ivf" for i in range(len(frames))))

    def encode(self, film, *options):
        self.xc("xc-enc", "-r", "-W", *options, "-i", "y4m", "-I", "0.state", "-p", "prediction.ivf", "-o", "out.ivf",
                film)
        return [data for _, data in Ivf(self.dir / "out.ivf").frames]

    def quantizers(self, *arguments):
        return [headers.parse(data).quantizer for data in self.encode(*arguments)]

    def test_weight(self):
        """The anchor lies between the key frame and the frame that showed its picture, which is what shows it again;
        the first follower takes after the second one. With -e, the key frame has no follower in its place."""
        film = harness.film(width=96, height=80, frames=6)
        self.predict(film)
        _, second, *others = self.PREDICTED
        for weight, anchor in ((0, 41), (0.25, 33), (0.5, 25), (1, 9)):
            with self.subTest(weight):
                self.assertEqual(self.quantizers(film, "-w", weight), [anchor, second, second, *others])
                self.assertEqual(self.quantizers(film, "-w", weight, "-e"), [anchor, second, *others])

    def test_noise(self):
        """It makes the anchor coarser, but no coarser than the frame that showed its picture."""
        anchors = []
        for sigma in (0, 5, 25):
            film = still_film(6, sigma)
            self.predict(film)
            anchors.append(self.quantizers(film, "-w", 1)[0])
        self.assertTrue(9 == anchors[0] < anchors[1] < anchors[2] == 41, anchors)

    def test_quality(self):
        film = harness.film(width=96, height=80, frames=6)
        self.predict(film)
        self.assertEqual(self.encode(film), self.encode(film, "-q", "best"))
        self.assertNotEqual(self.encode(film), self.encode(film, "-q", "rt"))


class Noise(Case):

    def test_it_is_averaged_out(self):
        """Where a film stands still, the anchor of a chunk that is encoded again, and of one that is rebased, is nearer
        to the film without noise than the raw picture is, by 3 dB. The frame that shows it again adds no noise."""
        film, clean = still_film(18, 1.5), still_film(18)
        harness.encode(self.dir, film, 6, 3, q=0)
        raw, clean = (harness.y4m_split(path.read_bytes())[1] for path in (film, clean))
        for chunk, state in ((1, f"{number(0)}-0.state"), (2, f"{number(1)}-1.state")):
            with self.subTest(chunk):
                self.xc("xc-decode", "-S", state, "--y4m", "-o", "shown.y4m", f"{number(chunk)}.ivf")
                anchor, last = harness.y4m_split((self.dir / "shown.y4m").read_bytes())[1][-1], 6 * chunk + 5
                coded, noisy = (sum((a - b) ** 2 for a, b in zip(picture, clean[last]))
                                for picture in (anchor, raw[last]))
                self.assertLess(coded, noisy / 2)


class Rebasing(Case):
    """xc-rebase on a chunk whose hidden frames stand for pictures to come."""

    def setUp(self):
        super().setUp()
        film = Classic(LONG)
        self.prediction, self.made_for = film.dir / f"{number(2)}-1.ivf", film.guess(1)
        self.other = film.state(0)  # a chunk earlier
        self.alone, self.raw = film.dir / f"{number(2)}-0.ivf", film.dir / f"{number(2)}.y4m"

    def rebase(self, output, onto, *source, prediction=None):
        """Returns the size of the frames."""
        self.xc("xc-rebase", "-o", output, "-I", onto, "-p", prediction or self.prediction, "-S", self.made_for,
                *(source or [self.raw]))
        return sum(len(data) for _, data in Ivf(self.dir / output).frames)

    def likeness(self, chunk, state, raw=None):
        self.xc("xc-decode", "-S", state, "--y4m", "-o", "shown.y4m", chunk)
        return harness.ssim(self.dir / "shown.y4m", raw or self.raw)

    def test_onto_the_same_state(self):
        """Rebased onto the state that it was made for, a chunk is as good as before for its size: what it takes in
        bytes it gains in likeness, and the other way round. What is counted is squared error, weighted by activity, so
        SSIM may be a little off: by 1 to 7 % in made films, by 2.5 % in this one."""
        size = [sum(len(data) for _, data in Ivf(self.prediction).frames), self.rebase("out.ivf", self.made_for)]
        loss = [1 - self.likeness(chunk, self.made_for) for chunk in (self.prediction, "out.ivf")]
        self.assertLess(abs(size[1] - size[0]), 0.1 * size[0])
        self.assertLess(size[1] * loss[1], 1.04 * size[0] * loss[0])

    def test_onto_another_state(self):
        self.rebase("out.ivf", self.other)
        self.assertGreater(self.likeness("out.ivf", self.other), 0.93)
        times = [[time for time, _ in Ivf(path).frames] for path in (self.dir / "out.ivf", self.prediction)]
        self.assertEqual(*times)

    def test_source_is_a_stream(self):
        self.xc("xc-decode", "--y4m", "-o", "decoded.y4m", self.alone)
        self.rebase("a.ivf", self.other, "decoded.y4m")
        self.rebase("b.ivf", self.other, "-i", "ivf", self.alone)
        self.assertEqual((self.dir / "a.ivf").read_bytes(), (self.dir / "b.ivf").read_bytes())

    def hidden_picture(self, chunk, state):
        """Which of the raw pictures 4 and 11 the first frame of a chunk, which is hidden, looks most like."""
        header, frames = harness.y4m_split(self.raw.read_bytes())
        hidden = Ivf(self.dir / chunk)
        data = hidden.frames[0][1]
        hidden.frames = [(0, bytes([data[0] | 0x10]) + data[1:])]
        self.write("hidden.ivf", hidden.bytes())
        likeness = {at: self.likeness("hidden.ivf", state, self.write("one.y4m", header + frames[at]))
                    for at in (4, 11)}
        return max(likeness, key=likeness.get)

    def test_an_anchor_becomes_like_the_picture_that_its_repeat_shows(self):
        """Whatever that is, and also if the chunk has been rebased before."""
        header, frames = harness.y4m_split(self.raw.read_bytes())
        other_film = self.write("other.y4m", header + b"".join([*frames[:11], frames[4], *frames[12:]]))
        self.rebase("out.ivf", self.other, other_film)
        self.assertEqual(self.hidden_picture("out.ivf", self.other), 4)
        self.rebase("once.ivf", self.other)
        self.assertEqual(self.hidden_picture("once.ivf", self.other), 11)
        self.xc("xc-rebase", "-o", "twice.ivf", "-I", self.made_for, "-p", "once.ivf", "-S", self.other, other_film)
        self.assertEqual(self.hidden_picture("twice.ivf", self.made_for), 4)

    def test_a_hidden_frame_that_nothing_repeats(self):
        """It becomes like what it was, even if the raw pictures say nothing about it."""
        header, frames = harness.y4m_split(self.raw.read_bytes())
        prediction = Ivf(self.prediction)
        prediction.frames = prediction.frames[:12]
        self.rebase("out.ivf", self.other, self.write("short.y4m", header + b"".join(frames[:11])),
                    prediction=self.write("prediction.ivf", prediction.bytes()))
        self.assertEqual(self.hidden_picture("out.ivf", self.other), 11)

    def test_a_film_that_ends_before_the_anchors_picture(self):
        film, n = Classic("four chunks"), number(2)
        header, frames = harness.y4m_split((film.dir / f"{n}.y4m").read_bytes())
        for count in (0, 1, 5):
            with self.subTest(count):
                text = self.refuses("xc-rebase", "-o", "out.ivf", "-O", "out.state", "-I", film.state(1),
                                    "-p", film.dir / f"{n}-1.ivf", "-S", film.guess(1),
                                    self.write("raw.y4m", header + b"".join(frames[:count])))
                self.assertIn(f"raw.y4m: has only {count} frames", text)


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


class Safety(chain.Safety):

    encoded = Classic

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

    def test_sizes(self):
        """A state of another size than the film's."""
        odd = Classic("odd size")
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
            for film in (self.film, Classic(KEY_FRAMES)):
                with self.subTest("xc-enc", frames=count, film=film.dir.name):
                    self.refuses("xc-enc", "-W", "-i", "y4m", "-o", "out.ivf", "-r", "-I", film.state(0), "-p",
                                 film.dir / f"{n}-0.ivf", "-O", "out.state", raw)
                with self.subTest("xc-rebase", frames=count, film=film.dir.name):
                    self.refuses("xc-rebase", "-o", "out.ivf", "-I", film.state(1),
                                 "-p", film.dir / f"{number(2)}-1.ivf", "-S", film.dir / f"{n}-0.state",
                                 "-O", "out.state", raw)
