# SPDX-License-Identifier: BSD-2-Clause
"""What each tool promises beyond the published pipeline: cutting and joining, dumping midway, primary encoding,
pipes."""
import os
import shutil
import struct
import subprocess
import time

import harness
from harness import BIN, Case, Ivf, number
from streams import MATRIX, stream


class Split(Case):
    def check(self, film, size, *arguments, first=0, **options):
        summary = self.xc("xc-split", "-s", size, "-d", "chunks", *arguments, **options).decode()
        expected = self.dir / "expected"
        expected.mkdir()
        chunks = harness.write_chunks(film, expected, size)
        header, frames = harness.y4m_split(film.read_bytes())
        width, height = harness.y4m_size(header)
        self.assertEqual(summary, f"chunks {chunks} frames {len(frames)} size {width}x{height} rate 24:1\n")
        names = set(harness.snapshot(self.dir / "chunks"))
        self.assertEqual(names, {f"{number(i + first)}.y4m" for i in range(chunks)})
        for i in range(chunks):
            self.assertEqual((self.dir / f"chunks/{number(i + first)}.y4m").read_bytes(),
                             (expected / f"{number(i)}.y4m").read_bytes())

    def test_whole_chunks(self):
        film = harness.film(frames=12)
        self.check(film, 4, film)

    def test_last_chunk_shorter(self):
        film = harness.film(width=33, height=17, frames=13)
        self.check(film, 6, film)

    def test_standard_input(self):
        film = harness.film(frames=7)
        self.check(film, 3, "-", stdin=film.read_bytes())

    def test_numbers_from(self):
        film = harness.film(frames=7)
        self.check(film, 3, "--start=41", film, first=41)

    def test_skipped(self):
        """The other chunks, and the summary, are those of the whole film."""
        film = harness.film(frames=13)
        for skipped in (0, 3, 5, 9):
            with self.subTest(skipped=skipped):
                summary = self.xc("xc-split", "-s", 3, "-d", "chunks", "--start", 7, "--skip", skipped, film)
                self.assertRegex(summary, rb"^chunks 5 frames 13 ")
                written = harness.snapshot(self.dir / "chunks")
                self.assertEqual(set(written), {f"{number(7 + i)}.y4m" for i in range(skipped, 5)})
                shutil.rmtree(self.dir / "chunks")
                self.xc("xc-split", "-s", 3, "-d", "chunks", "--start", 7, film)
                self.assertEqual(written, {name: data for name, data in harness.snapshot(self.dir / "chunks").items()
                                           if name in written})
                shutil.rmtree(self.dir / "chunks")

    def split_at_most(self, film, most):
        return subprocess.Popen([BIN / "xc-split", "-s", "2", "-d", self.dir / "chunks", f"--at-most={most}", film],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_at_most(self):
        """It goes on as chunks are removed, and never goes further."""
        film = harness.film(frames=13)
        process = self.split_at_most(film, 3)
        for i in range(7):
            path = self.dir / "chunks" / f"{number(i)}.y4m"
            harness.wait_for(path.exists)
            self.assertLessEqual(len(list(path.parent.glob("*.y4m"))), 3)
            path.unlink()
        self.assertRegex(process.communicate(timeout=harness.TIMEOUT)[0], rb"^chunks 7 frames 13 ")
        process = self.split_at_most(film, 3)
        harness.wait_for((self.dir / "chunks" / f"{number(2)}.y4m").exists)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        self.assertEqual(set(harness.snapshot(self.dir / "chunks")), {f"{number(i)}.y4m" for i in range(3)})
        process.terminate()
        process.communicate()

    def test_at_most_with_nobody_left(self):
        process = self.split_at_most(harness.film(frames=13), 3)
        harness.wait_for((self.dir / "chunks" / f"{number(2)}.y4m").exists)
        process.stdout.close()
        process.stdout = None
        message = process.communicate(timeout=harness.TIMEOUT)[1].decode()
        self.assertRegex(message, r"\Axc-split: standard output: nobody reads it any more, [^\n]+\n\Z")
        self.assertEqual(process.returncode, 1)

    def test_chunks_appear_as_they_are_complete(self):
        """A film that goes on and on: finished chunks are there while it does, and a stopped split leaves only such."""
        header, frames = harness.y4m_split(harness.film(frames=12).read_bytes())
        process = subprocess.Popen([BIN / "xc-split", "-s", "5", "-d", self.dir / "chunks", "-"], stdin=subprocess.PIPE)
        process.stdin.write(header + b"".join(frames))
        process.stdin.flush()
        harness.wait_for(lambda: (self.dir / f"chunks/{number(1)}.y4m").exists())
        process.terminate()
        process.stdin.close()
        self.assertNotEqual(process.wait(harness.TIMEOUT), 0)
        self.assertEqual(set(harness.snapshot(self.dir / "chunks")), {f"{number(0)}.y4m", f"{number(1)}.y4m"})

    def test_constant_memory(self):
        """256 frames, 10 MB in all, in chunks of 200: no more memory than for 16 frames in chunks of 2."""
        peaks = []
        for frames, size in ((16, 2), (256, 200)):
            script = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=-3); "
                      "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
            peaks.append(int(harness.must("python3", "-c", script, BIN / "xc-split", "-s", size,
                                          "-d", self.dir / "chunks", harness.film(frames=frames))))
        self.assertLess(peaks[1], peaks[0] + 1024)


class Merge(Case):
    def setUp(self):
        super().setUp()
        source = harness.film(frames=16)
        self.a = harness.vpxenc(source, "--good", "--cpu-used=5", "--target-bitrate=200")
        self.b = stream("hidden alt-ref")

    def test_header_and_times(self):
        self.xc("xc-merge", "-o", "ab.ivf", self.a, self.b)
        a, b, ab = Ivf(self.a), Ivf(self.b), Ivf(self.dir / "ab.ivf")
        self.assertEqual([f for _, f in ab.frames], [f for _, f in a.frames + b.frames])
        self.assertEqual(ab.stated, ab.duration())
        self.assertEqual((ab.rate, ab.expected_state), (a.rate, 0))
        times = [time for time, data in ab.frames if harness.is_shown(data)]
        self.assertEqual(times, list(range(len(times))))
        self.assertEqual(sorted(t for t, _ in ab.frames), [t for t, _ in ab.frames])

    def test_the_original_form(self):
        self.xc("xc-merge", "-o", "expected.ivf", self.a, self.b)
        self.xc("xc-merge", self.a, self.b, "third.ivf")
        self.xc("xc-merge", self.a, self.b)
        for name in ("third.ivf", "output.ivf"):
            self.assertEqual((self.dir / name).read_bytes(), (self.dir / "expected.ivf").read_bytes())

    def test_to_a_pipe(self):
        self.xc("xc-merge", "-o", "ab.ivf", self.a, self.b)
        self.assertEqual(self.xc("xc-merge", "-o", "-", self.a, self.b), (self.dir / "ab.ivf").read_bytes())

    def test_sizes_and_rates_must_be_equal(self):
        self.refuses("xc-merge", "-o", "out.ivf", self.a, stream("size 175x143"))
        ivf = Ivf(self.b)
        ivf.header = ivf.header[:16] + struct.pack("<II", 25, 1) + ivf.header[24:]
        self.refuses("xc-merge", "-o", "out.ivf", self.a, self.write("rate.ivf", ivf.bytes()))


class MergingChunks(Case):
    """What xc-merge must not do to chunks: overwrite one, or join those that do not belong together."""

    @classmethod
    def setUpClass(cls):
        def make(directory):
            directory.mkdir()
            harness.encode(directory, harness.film(width=80, height=64, frames=9), 3, 16)
        cls.chunks = harness.cached(make, "merging chunks", suffix="")

    def setUp(self):
        super().setUp()
        for i in range(3):
            shutil.copy(self.chunks / f"{number(i)}.ivf", self.dir / f"{i}.ivf")

    def test_forgotten_output(self):
        text = self.refuses("xc-merge", "0.ivf", "1.ivf", "2.ivf")
        self.assertIn("2.ivf: begins with an interframe", text)
        self.assertIn("-o", text)
        (self.dir / "link.ivf").symlink_to("0.ivf")
        os.link(self.dir / "1.ivf", self.dir / "hard.ivf")
        for third in ("0.ivf", "./0.ivf", "link.ivf", "hard.ivf"):
            with self.subTest(third):
                self.assertIn(f"{third}: is an input", self.refuses("xc-merge", "0.ivf", "1.ivf", third))
        self.xc("xc-merge", "0.ivf", "1.ivf")
        self.assertIn("output.ivf: is an input", self.refuses("xc-merge", "output.ivf", "2.ivf"))
        self.xc("xc-merge", "-o", "all.ivf", "output.ivf", "2.ivf")

    def test_outputs_by_position(self):
        """What is no chunk is overwritten, as ever: an earlier output, or something else."""
        self.xc("xc-merge", "-o", "expected.ivf", "0.ivf", "1.ivf")
        for before in ((self.dir / "0.ivf").read_bytes(), b"", b"DKIF", b"notes\n" * 20):
            with self.subTest(before[:8]):
                self.write("out.ivf", before)
                self.xc("xc-merge", "0.ivf", "1.ivf", "out.ivf")
                self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())

    def test_both_files_are_named(self):
        text = self.refuses("xc-merge", "-o", "out.ivf", "0.ivf", "2.ivf")
        self.assertRegex(text, r"2\.ivf: expects state [0-9a-f]{8}, but 0\.ivf, which is before it, leaves state")
        self.xc("xc-dump", "0.ivf", "0.state")
        text = self.refuses("xc-merge", "-S", "0.state", "-o", "out.ivf", "2.ivf")
        self.assertRegex(text, r"2\.ivf: expects state [0-9a-f]{8}, but 0\.state is state [0-9a-f]{8}")
        other = harness.vpxenc(harness.film(width=64, height=64, frames=3), "--target-bitrate=100")
        self.assertIn("is 64x64, but 0.ivf is 80x64", self.refuses("xc-merge", "-o", "out.ivf", "0.ivf", other))

    def test_a_chunk_that_names_no_state(self):
        ivf = Ivf(self.dir / "1.ivf")
        ivf.header = ivf.header[:28] + bytes(4)
        self.write("nameless.ivf", ivf.bytes())
        text = self.refuses("xc-merge", "-o", "out.ivf", "0.ivf", "nameless.ivf")
        self.assertIn("nameless.ivf: begins with an interframe and names no state, so it may not belong after 0.", text)
        self.assertIn("name the state before it with -S", self.refuses("xc-merge", "-o", "out.ivf", "nameless.ivf"))
        self.xc("xc-merge", "-o", "expected.ivf", "0.ivf", "1.ivf")
        self.xc("xc-merge", "--no-check", "-o", "out.ivf", "0.ivf", "nameless.ivf")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())
        self.xc("xc-dump", "0.ivf", "0.state")
        self.xc("xc-merge", "-S", "0.state", "-o", "out.ivf", "nameless.ivf", "2.ivf")

    def test_copied_by_ffmpeg(self):
        """Each picture keeps its time in another container: hidden frames take none."""
        harness.need("ffmpeg", "ffprobe")
        self.xc("xc-merge", "-o", "film.ivf", *(f"{i}.ivf" for i in range(3)))
        self.assertGreater(len(Ivf(self.dir / "film.ivf").frames), 9)
        for name in ("film.webm", "film.mkv"):
            with self.subTest(name):
                harness.must("ffmpeg", "-v", "error", "-i", "film.ivf", "-c", "copy", name, cwd=self.dir)
                text = harness.must("ffprobe", "-v", "error", "-show_entries", "frame=pts", "-of", "csv=p=0", name,
                                    cwd=self.dir)
                times = [int(line.strip(",")) for line in text.decode().split()]
                self.assertEqual(times, [round(i * 1000 / 24) for i in range(9)])


class Damaged(Case):
    """Files that are cut short, or whose frames are damaged: what is whole is decoded, and nothing else is made of
    them."""

    def decodes(self, path, shown, *options):
        """xc-decode fails, but has written the pictures that libvpx shows before the damage, so many."""
        done = harness.run(BIN / "xc-decode", *options, "--i420", "-o", self.dir / "ours.i420", path)
        self.assertRegex(done.stderr.decode(), rf"\Axc-decode: {path}: [^\n]+; the {shown} pictures before that are ")
        self.assertEqual(done.returncode, 1)
        return (self.dir / "ours.i420").read_bytes()

    def test_cut_short(self):
        source, picture = stream("size 175x143"), 175 * 143 + 2 * 88 * 72
        whole = harness.must("vpxdec", "--codec=vp8", "--i420", "-o", "-", source)
        data, at = source.read_bytes(), 32
        for i, (_, frame) in enumerate(Ivf(source).frames):
            for cut in (at + 1, at + 12, at + 11 + len(frame)) if i in (1, 5) else ():
                with self.subTest(frame=i, bytes=cut):
                    self.assertEqual(self.decodes(self.write("cut.ivf", data[:cut]), i), whole[:i * picture])
            at += 12 + len(frame)

    def test_to_a_pipe(self):
        path = self.write("cut.ivf", stream("size 175x143").read_bytes()[:-1])
        expected = harness.vpxdec_frames(path)
        for options in (["--frame-md5"], ["--threads=4", "--frame-md5"]):
            done = harness.run(BIN / "xc-decode", *options, path)
            self.assertEqual((done.returncode, harness.md5_words(done.stdout)), (1, expected))
        done = harness.run(BIN / "xc-decode", "--md5", path)
        self.assertEqual(harness.md5_words(done.stdout), [harness.vpxdec_md5(path)])
        done = harness.run(BIN / "xc-decode", "--y4m", path)
        self.assertEqual(len(harness.y4m_split(done.stdout)[1]), len(expected))

    def test_no_picture_is_whole(self):
        data = stream("published").read_bytes()
        for size in (32, 40, 60):
            self.refuses("xc-decode", "--y4m", "-o", "out.y4m", self.write("cut.ivf", data[:size]))
        self.refuses("xc-decode", self.write("cut.ivf", data[:-1]))

    def test_a_frame_that_cannot_be_decoded(self):
        ivf = Ivf(stream("published"))
        ivf.frames[7] = (7, ivf.frames[7][1][:-9])
        path = self.write("bad.ivf", ivf.bytes())
        whole = harness.must("vpxdec", "--codec=vp8", "--i420", "-o", "-", stream("published"))
        self.assertEqual(self.decodes(path, 7), whole[:7 * 176 * 144 * 3 // 2])

    def test_the_last_frame_is_missing(self):
        """The file ends where a frame does; only the header tells that there were more."""
        chunks = harness.write_chunks(harness.film(width=80, height=64, frames=9), self.dir, 3)
        self.assertEqual(chunks, 3)
        for command in harness.published_commands(3, 16, 22, all_states=True):
            harness.must(*command.split(), cwd=self.dir)
        self.write("raw.y4m", (self.dir / f"{number(2)}.y4m").read_bytes())
        for name in (number(0), f"{number(2)}-1"):
            ivf = Ivf(self.dir / f"{name}.ivf")
            size = len(ivf.frames[-1][1]) + 12
            self.write(f"{name}-cut.ivf", (self.dir / f"{name}.ivf").read_bytes()[:-size])
        first, later = f"{number(0)}-cut.ivf", f"{number(2)}-1-cut.ivf"
        rebase = ("-I", f"{number(1)}-1.state", "-S", f"{number(1)}-0.state")
        for tool, *arguments in (
                ("xc-merge", "-o", "out.ivf", first, f"{number(1)}.ivf"),
                ("xc-merge", "--no-check", "-o", "out.ivf", f"{number(0)}.ivf", later),
                ("xc-dump", first, "out.state"), ("xc-terminate-chunk", first, "out.ivf"),
                ("xc-rebase", *rebase, "-p", later, "-o", "out.ivf", "raw.y4m"),
                ("xc-enc", "-W", "-r", "-i", "y4m", *rebase, "-p", later, "-o", "out.ivf", "raw.y4m"),
                ("xc-enc", "-y", 40, "-o", "out.ivf", first)):
            with self.subTest(tool):
                self.assertRegex(self.refuses(tool, *arguments), r"-cut\.ivf: truncated: has \d of the \d frames that")

    def test_counts_of_other_writers(self):
        """FFmpeg writes something else where libvpx writes the number of frames."""
        harness.need("ffmpeg")
        for name in ("hidden alt-ref", "published", "size 1x1"):
            expected = harness.vpxdec_frames(stream(name))
            harness.must("ffmpeg", "-v", "error", "-i", stream(name), "-c", "copy", "-y", self.dir / "a.webm")
            harness.must("ffmpeg", "-v", "error", "-i", self.dir / "a.webm", "-c", "copy", "-y", self.dir / "b.ivf")
            piped = harness.must("ffmpeg", "-v", "error", "-i", self.dir / "a.webm", "-c", "copy", "-f", "ivf", "-")
            self.assertNotEqual(Ivf(self.dir / "b.ivf").stated, len(Ivf(self.dir / "b.ivf").frames))
            for path in (self.dir / "b.ivf", self.write("c.ivf", piped)):
                with self.subTest(name, path=path.name):
                    self.assertEqual(harness.our_frames(path), expected)
                    self.xc("xc-terminate-chunk", path, "out.ivf")


class Dump(Case):
    def test_every_frame(self):
        """The state behind frame N is the state behind the first N + 1 frames; decoding goes on from it as if nothing
        were."""
        for name in ("hidden alt-ref", "segments", "error resilient 1"):
            ivf = Ivf(stream(name))
            pictures = harness.our_frames(stream(name))
            for n in (0, 1, 7, len(ivf.frames) - 1):
                with self.subTest(name, frame=n):
                    self.xc("xc-dump", "-f", n, stream(name), "a.state")
                    head, tail = Ivf(stream(name)), Ivf(stream(name))
                    head.frames, tail.frames = ivf.frames[:n + 1], ivf.frames[n + 1:]
                    self.xc("xc-dump", self.write("head.ivf", head.bytes()), "b.state")
                    self.assertEqual((self.dir / "a.state").read_bytes(), (self.dir / "b.state").read_bytes())
                    rest = harness.our_frames(self.write("tail.ivf", tail.bytes()), "-S", self.dir / "a.state")
                    self.assertEqual(rest, pictures[len(pictures) - tail.shown():])

    def test_frame_number_too_large(self):
        ivf = Ivf(stream("published"))
        self.refuses("xc-dump", "-f", len(ivf.frames), stream("published"), "out.state")

    def test_pipes(self):
        self.xc("xc-dump", stream("published"), "a.state")
        state = (self.dir / "a.state").read_bytes()
        self.assertEqual(self.xc("xc-dump", "-", "-", stdin=stream("published").read_bytes()), state)


class Terminate(Case):
    def test_pictures_stay(self):
        for name in ("published", "hidden alt-ref", "segments", "error resilient 1", "profile 3, 8 partitions",
                     "size 1x1"):
            with self.subTest(name):
                self.xc("xc-terminate-chunk", stream(name), "out.ivf", "out.state")
                self.assertEqual(harness.vpxdec_frames(self.dir / "out.ivf"), harness.vpxdec_frames(stream(name)))
                self.xc("xc-dump", "out.ivf", "dumped.state")
                self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "dumped.state").read_bytes())
                before, after = Ivf(stream(name)), Ivf(self.dir / "out.ivf")
                self.assertEqual(after.frames[:-1], before.frames[:-1])
                self.assertEqual((after.header[:24], after.frames[-1][0]), (before.header[:24], before.frames[-1][0]))
                self.assertEqual((after.stated, after.expected_state), (before.shown(), 0))

    def test_one_picture_is_left(self):
        """The state behind a terminated chunk holds one picture; behind the same chunk before, two or three."""
        picture = 176 * 144 * 3 // 2
        self.xc("xc-dump", stream("hidden alt-ref"), "before.state")
        self.xc("xc-terminate-chunk", stream("hidden alt-ref"), "out.ivf", "after.state")
        before, after = ((self.dir / f"{name}.state").stat().st_size for name in ("before", "after"))
        self.assertEqual((before - after) % picture, 0)
        self.assertIn((before - after) // picture, (1, 2))
        self.assertLess(after, 2 * picture)

    def test_twice_is_once(self):
        self.xc("xc-terminate-chunk", stream("published"), "once.ivf")
        self.xc("xc-terminate-chunk", "once.ivf", "twice.ivf")
        self.assertEqual((self.dir / "once.ivf").read_bytes(), (self.dir / "twice.ivf").read_bytes())

    def test_a_key_frame_alone(self):
        ivf = Ivf(stream("published"))
        ivf.frames = ivf.frames[:1]
        path = self.write("key.ivf", ivf.bytes())
        self.xc("xc-terminate-chunk", path, "out.ivf")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), path.read_bytes())

    def test_it_must_begin_with_a_key_frame(self):
        ivf = Ivf(stream("published"))
        ivf.frames = ivf.frames[1:]
        self.refuses("xc-terminate-chunk", self.write("inter.ivf", ivf.bytes()), "out.ivf")
        ivf.frames = []
        self.refuses("xc-terminate-chunk", self.write("none.ivf", ivf.bytes()), "out.ivf")


class PrimaryEncoding(Case):
    """xc-enc without an example to go after."""

    def setUp(self):
        super().setUp()
        self.film = harness.film(frames=6)

    def check(self, name, *decode_options):
        """The film is in self.dir/name, whatever decodes it; returns its SSIM."""
        ours = harness.our_frames(self.dir / name, *decode_options)
        self.assertEqual(len(ours), 6)
        if not decode_options:
            self.assertEqual(harness.vpxdec_frames(self.dir / name), ours)
        self.xc("xc-decode", *decode_options, "--y4m", "-o", "decoded.y4m", name)
        return harness.ssim(self.dir / "decoded.y4m", self.film)

    def test_quantizer(self):
        """A coarser quantizer makes it smaller and worse; each frame has the index that was asked for, or libvpx's
        nearest."""
        sizes, likeness = [], []
        for q in (4, 40, 110):
            self.xc("xc-enc", "-i", "y4m", "-y", q, "-o", "out.ivf", "-O", "out.state", self.film)
            likeness.append(self.check("out.ivf"))
            sizes.append((self.dir / "out.ivf").stat().st_size)
            self.xc("xc-dump", "out.ivf", "dumped.state")
            self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "dumped.state").read_bytes())
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertEqual(likeness, sorted(likeness, reverse=True))
        self.assertGreater(likeness[0], 0.98)

    def test_from_a_state(self):
        """No key frame, and it expects the state that it was made for."""
        self.xc("xc-dump", stream("published"), "start.state")
        self.xc("xc-enc", "-i", "y4m", "-y", 30, "-I", "start.state", "-o", "out.ivf", "-O", "out.state", self.film)
        self.assertGreater(self.check("out.ivf", "-S", self.dir / "start.state"), 0.9)
        ivf = Ivf(self.dir / "out.ivf")
        self.assertFalse(any(harness.is_key_frame(data) for _, data in ivf.frames))
        self.assertNotEqual(ivf.expected_state, 0)
        self.xc("xc-merge", "-o", "film.ivf", stream("published"), "out.ivf")
        self.assertEqual(harness.vpxdec_frames(self.dir / "film.ivf"), harness.our_frames(self.dir / "film.ivf"))
        self.xc("xc-dump", "film.ivf", "dumped.state")
        self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "dumped.state").read_bytes())

    def test_ssim(self):
        sizes = []
        for target in (0.8, 0.97):
            self.xc("xc-enc", "-i", "y4m", "-s", target, "-o", "out.ivf", self.film)
            self.assertGreater(self.check("out.ivf"), target - 0.02)
            sizes.append((self.dir / "out.ivf").stat().st_size)
        self.assertLess(sizes[0], sizes[1])

    def test_input_ivf(self):
        """The raw pictures may come from an IVF file, which is the default."""
        self.xc("xc-enc", "-i", "y4m", "-y", 10, "-o", "first.ivf", self.film)
        self.xc("xc-decode", "--y4m", "-o", "first.y4m", "first.ivf")
        self.xc("xc-enc", "-y", 50, "-o", "a.ivf", "first.ivf")
        self.xc("xc-enc", "-i", "y4m", "-y", 50, "-o", "b.ivf", "first.y4m")
        self.assertEqual(Ivf(self.dir / "a.ivf").frames, Ivf(self.dir / "b.ivf").frames)

    def test_pipes(self):
        self.xc("xc-enc", "-i", "y4m", "-y", 50, "-o", "a.ivf", self.film)
        out = self.xc("xc-enc", "-i", "y4m", "-y", 50, "-o", "-", "-", stdin=self.film.read_bytes())
        self.assertEqual(out, (self.dir / "a.ivf").read_bytes())

    def test_frame_sizes(self):
        """-F: no frame may be larger than the file says, as far as any quantizer makes it so."""
        self.write("sizes", b"9000\n" + b"1500\n" * 5)
        self.xc("xc-enc", "-i", "y4m", "-F", "sizes", "-o", "out.ivf", self.film)
        self.check("out.ivf")
        sizes = [len(data) for _, data in Ivf(self.dir / "out.ivf").frames]
        self.assertTrue(all(size <= limit for size, limit in zip(sizes, [9000] + [1500] * 5)), sizes)
        self.write("sizes", b"9000\r\n1500")  # the last size goes on
        self.xc("xc-enc", "-i", "y4m", "-F", "sizes", "-o", "again.ivf", self.film)
        self.assertEqual((self.dir / "again.ivf").read_bytes(), (self.dir / "out.ivf").read_bytes())


class Appending(Case):
    """A file that is opened for appending is written like a pipe."""

    def test_vpxenc(self):
        film = harness.film(frames=4)
        expected = self.xc("xc-vpxenc", "--rt", "--cpu-used=-5", "-o", "-", film)
        harness.must("sh", "-c", 'exec "$@" >>out.ivf', "sh", BIN / "xc-vpxenc", "--rt", "--cpu-used=-5", "-o", "-",
                     film, cwd=self.dir)
        self.assertTrue((self.dir / "out.ivf").read_bytes() == expected)


class Reencoding(Case):
    """xc-enc -r: what the published pipeline does not exercise."""

    def setUp(self):
        super().setUp()
        self.chunks = harness.write_chunks(harness.film(frames=15), self.dir, 5)
        for command in harness.published_commands(2, 16, 22):
            if not command.startswith("xc-enc"):
                harness.must(*command.split(), cwd=self.dir)

    def encode(self, *options, **more):
        self.xc("xc-enc", *options, "-i", "y4m", "-r", "-I", f"{number(0)}-0.state", "-o", "out.ivf", **more)
        return (self.dir / "out.ivf").read_bytes()

    def test_default_weight(self):
        """1.0 as published: the first frame is as fine as the key frame was. Less makes it coarser, hence smaller."""
        rest = ("-W", "-p", f"{number(1)}-0.ivf", f"{number(1)}.y4m")
        self.assertEqual(self.encode(*rest), self.encode("-w", "1.0", *rest))
        fine = len(Ivf(self.dir / "out.ivf").frames[0][1])
        self.encode("-w", "0.5", *rest)
        self.assertLess(len(Ivf(self.dir / "out.ivf").frames[0][1]), fine)

    def test_waiting_for_standard_input(self):
        """Without -W, xc-enc begins when standard input ends: the state may be there only then."""
        (self.dir / f"{number(0)}-0.state").rename(self.dir / "later.state")
        process = subprocess.Popen([BIN / "xc-enc", "-i", "y4m", "-r", "-I", f"{number(0)}-0.state", "-o", "out.ivf",
                                    "-p", f"{number(1)}-0.ivf", f"{number(1)}.y4m"],
                                   cwd=self.dir, stdin=subprocess.PIPE)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        (self.dir / "later.state").rename(self.dir / f"{number(0)}-0.state")
        process.stdin.close()
        self.assertEqual(process.wait(harness.TIMEOUT), 0)
        waited = (self.dir / "out.ivf").read_bytes()
        self.assertEqual(self.encode("-W", "-p", f"{number(1)}-0.ivf", f"{number(1)}.y4m"), waited)

    def test_closed_standard_input(self):
        """Its end has come, and the film, larger than what is read at once, does not take its place."""
        film = harness.film(width=640, height=360, frames=2)
        self.xc("xc-enc", "-q", "rt", "-i", "y4m", "-y", 60, "-o", "first.ivf", "-O", "first.state", film)
        harness.must("sh", "-c", 'exec "$@" <&-', "sh", BIN / "xc-enc", "-q", "rt", "-i", "y4m", "-r",
                     "-I", "first.state", "-p", "first.ivf", "-o", "out.ivf", film, cwd=self.dir)
        self.assertEqual(len(harness.our_frames(self.dir / "out.ivf", "-S", self.dir / "first.state")), 2)

    def test_extra_frame(self):
        """-e: prediction and film begin with one frame more, that of the chunk before, which is not encoded."""
        header, frames = harness.y4m_split((self.dir / f"{number(1)}.y4m").read_bytes())
        _, before = harness.y4m_split((self.dir / f"{number(0)}.y4m").read_bytes())
        longer = self.write("longer.y4m", header + before[-1] + b"".join(frames))
        options = harness.PUBLISHED_VPXENC.format(q=22).split()
        harness.must("vpxenc", *options, "-o", "longer.ivf", longer, cwd=self.dir)
        self.encode("-W", "-e", "-p", "longer.ivf", longer)
        shown = harness.our_frames(self.dir / "out.ivf", "-S", self.dir / f"{number(0)}-0.state")
        self.assertEqual(len(shown), 5)

    def test_rebase_is_xc_enc_with_pred_state(self):
        harness.must(*"xc-dump 00000001-0.ivf 00000001-0.state".split(), cwd=self.dir)
        for command in harness.published_commands(3, 16, 22, all_states=True):
            if "00000002" in command and " -S " not in command or "xc-enc" in command and " -S " not in command:
                harness.must(*command.split(), cwd=self.dir)
        arguments = ("-I", f"{number(1)}-1.state", "-p", f"{number(2)}-1.ivf", "-S", f"{number(1)}-0.state")
        for tool in ("xc-enc", "xc-rebase"):
            self.xc(tool, "-r", "-W", "-i", "y4m", "-o", f"{tool}.ivf", "-O", f"{tool}.state", *arguments,
                    f"{number(2)}.y4m")
        self.xc("xc-rebase", "-o", "plain.ivf", "-O", "plain.state", *arguments, f"{number(2)}.y4m")
        for kind in ("ivf", "state"):
            expected = (self.dir / f"xc-enc.{kind}").read_bytes()
            self.assertEqual((self.dir / f"xc-rebase.{kind}").read_bytes(), expected)
            self.assertEqual((self.dir / f"plain.{kind}").read_bytes(), expected)


class Rebasing(Case):
    """xc-rebase on frames that xc-enc does not make, but another encoder may: hidden ones, segments, every profile."""

    CASES = ("published", "hidden alt-ref", "hidden alt-ref, odd size", "segments", "error resilient 3",
             "key frame every 3", "profile 1, 8 partitions", "profile 2, 1 partitions", "profile 3, 4 partitions",
             "size 1x1", "static threshold")

    def prepare(self, name, first):
        """Splits a stream: prediction.ivf has its frames from number first on, prediction.state is the state before
        them, and source.state is a state as another encoder might have left it there; raw.y4m has the raw pictures."""
        film = harness.film(**MATRIX[name][0])
        ivf = Ivf(stream(name))
        self.xc("xc-dump", "-f", first - 1, stream(name), "prediction.state")
        shown_before = sum(harness.is_shown(data) for _, data in ivf.frames[:first])
        header, frames = harness.y4m_split(film.read_bytes())
        self.write("head.y4m", header + b"".join(frames[:shown_before]))
        self.write("raw.y4m", header + b"".join(frames[shown_before:]))
        self.xc("xc-enc", "-i", "y4m", "-y", 20, "-o", "head.ivf", "-O", "source.state", "head.y4m")
        ivf.frames = [(time - shown_before, data) for time, data in ivf.frames[first:]]
        self.write("prediction.ivf", ivf.bytes())
        return ivf, film

    def test_any_frames(self):
        for name in self.CASES:
            with self.subTest(name):
                prediction, film = self.prepare(name, 4)
                self.xc("xc-rebase", "-o", "out.ivf", "-I", "source.state", "-p", "prediction.ivf",
                        "-S", "prediction.state", "-O", "out.state", "raw.y4m")
                out = Ivf(self.dir / "out.ivf")
                for kind in (harness.is_key_frame, harness.is_shown):
                    expected = [kind(data) for _, data in prediction.frames]
                    self.assertEqual([kind(data) for _, data in out.frames], expected)
                self.xc("xc-dump", "-S", "source.state", "out.ivf", "dumped.state")
                self.assertEqual((self.dir / "out.state").read_bytes(), (self.dir / "dumped.state").read_bytes())
                self.xc("xc-merge", "-o", "film.ivf", "head.ivf", "out.ivf")
                theirs = harness.vpxdec_frames(self.dir / "film.ivf")
                self.assertEqual(harness.our_frames(self.dir / "film.ivf"), theirs)
                if MATRIX[name][0].get("width") != 1:  # too small for SSIM's windows
                    self.xc("xc-decode", "--y4m", "-o", "film.y4m", "film.ivf")
                    self.assertGreater(harness.ssim(self.dir / "film.y4m", film), 0.8)

    def test_onto_the_same_state(self):
        """Rebased onto the state that it was made for, a chunk looks as good as before, and is hardly larger."""
        prediction, film = self.prepare("published", 6)
        self.xc("xc-rebase", "-o", "out.ivf", "-I", "prediction.state", "-p", "prediction.ivf",
                "-S", "prediction.state", "raw.y4m")
        likeness = []
        for name in ("prediction", "out"):
            self.xc("xc-decode", "-S", "prediction.state", "--y4m", "-o", f"{name}.y4m", f"{name}.ivf")
            likeness.append(harness.ssim(self.dir / f"{name}.y4m", self.dir / "raw.y4m"))
        self.assertGreater(likeness[1], likeness[0] - 0.01)
        sizes = [sum(len(data) for _, data in ivf.frames) for ivf in (prediction, Ivf(self.dir / "out.ivf"))]
        self.assertLess(sizes[1], 1.1 * sizes[0])
