# SPDX-License-Identifier: BSD-2-Clause
"""Our decoder shows the very pictures that the standard's and libvpx's decoder show: invariant 1."""
import pathlib
import shutil
import struct

import harness
from harness import BUILD, Case, Ivf
from streams import MATRIX, stream


class Vectors(Case):
    """The 61 streams of the standard, picture by picture."""

    def test_every_picture(self):
        for path in harness.vectors():
            with self.subTest(path.stem):
                expected = harness.md5_words(pathlib.Path(f"{path}.md5").read_bytes())
                self.assertEqual(harness.our_frames(path), expected)

    def test_whole_film(self):
        for path in harness.vectors():
            with self.subTest(path.stem):
                self.assertEqual(harness.md5_words(self.xc("xc-decode", "--md5", path)), [harness.vpxdec_md5(path)])

    def test_all_are_there(self):
        self.assertEqual(len(harness.vectors()), 61)


class FetchVectors(Case):
    """test/fetch-vectors, from a directory that stands for the WebM project's server."""

    def setUp(self):
        super().setUp()
        harness.need("curl", "sha256sum")
        harness.vectors()
        self.server, self.got = self.dir / "server", self.dir / "got"
        shutil.copytree(harness.VECTORS, self.server)

    def fetch(self):
        return harness.run(harness.ROOT / "test/fetch-vectors", self.got,
                           env=harness.environment(XC_VECTORS_URL=self.server.as_uri()))

    def test_all_are_fetched_and_those_at_hand_kept(self):
        for what in ("all", "one"):
            with self.subTest(what):
                done = self.fetch()
                self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
                for path in harness.vectors():
                    for name in (path.name, path.name + ".md5"):
                        self.assertEqual((self.got / name).read_bytes(), (harness.VECTORS / name).read_bytes())
                shutil.rmtree(self.server)
                self.server.mkdir()
                shutil.move(self.got / harness.vectors()[7].name, self.server)

    def test_a_file_that_is_another_is_refused(self):
        first = harness.vectors()[0].name
        with open(self.server / first, "ab") as file:
            file.write(b"\0")
        done = self.fetch()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"fetch-vectors: {first}: ", done.stderr.decode())
        self.assertEqual(list(self.got.iterdir()), [])


class Matrix(Case):
    """Streams that libvpx's encoder makes on the spot."""

    def test_every_picture(self):
        for name in MATRIX:
            with self.subTest(name):
                path = stream(name)
                expected = harness.vpxdec_frames(path)
                self.assertGreater(len(expected), 0)
                self.assertEqual(harness.our_frames(path), expected)
                self.assertEqual(harness.md5_words(self.xc("xc-decode", "--md5", path)), [harness.vpxdec_md5(path)])

    def test_the_matrix_holds_what_it_names(self):
        frames = {name: [data for _, data in Ivf(stream(name)).frames] for name in MATRIX}
        for p in range(4):
            self.assertEqual({harness.profile(f) for f in frames[f"profile {p}, 1 partitions"]}, {p})
        for name in ("hidden alt-ref", "hidden alt-ref, odd size", "hidden alt-ref, scene cut"):
            self.assertTrue(any(not harness.is_shown(f) for f in frames[name]), name)
        self.assertGreater(sum(map(harness.is_key_frame, frames["key frame every 3"])), 3)
        self.assertEqual(sum(map(harness.is_key_frame, frames["no key frames"])), 1)
        sizes = {f[6:10] for f in frames["resized on the way"] if harness.is_key_frame(f)}
        self.assertGreater(len(sizes), 1, "libvpx did not resize")


class Handmade(Case):
    """Streams that no encoder makes: parsed frames, their headers changed at random, serialized again."""

    def test_variants(self):
        for name in ("published", "hidden alt-ref", "size 175x143", "error resilient 3", "profile 3, 8 partitions"):
            for seed in range(1, 9):
                with self.subTest(stream=name, seed=seed):
                    path = self.dir / "variant.ivf"
                    harness.must(BUILD / "make-variants", seed, stream(name), path)
                    expected = harness.vpxdec_frames(path)
                    self.assertGreater(len(expected), 0)
                    self.assertEqual(harness.our_frames(path), expected)

    def test_lost_frame(self):
        """A frame of no bytes stands for one that was lost: the state stays as it is, and nothing is shown."""
        ivf = Ivf(stream("published"))
        ivf.frames.insert(5, (5, b""))
        path = self.write("lost.ivf", ivf.bytes())
        self.assertEqual(harness.our_frames(path), harness.vpxdec_frames(stream("published")))

    def test_size_of_the_key_frame_counts(self):
        """The IVF header's size is only informative."""
        ivf = Ivf(stream("size 175x143"))
        ivf.header = ivf.header[:12] + struct.pack("<HH", 64, 64) + ivf.header[16:]
        path = self.write("size.ivf", ivf.bytes())
        self.assertEqual(harness.our_frames(path), harness.our_frames(stream("size 175x143")))


class Partitions(Case):
    """Partitions that are cut, empty or of other sizes than the frame says: libvpx's pictures where it shows them
    without an error, and a refusal where it does not."""

    def variants(self, frame):
        """(name, data) of changed frames."""
        start = 10 if harness.is_key_frame(frame) else 3
        tag = int.from_bytes(frame[:3], "little")
        first = tag >> 5
        for cut in (1, 2, 3, 4, 6, 9, 14, 20, 40, len(frame) - start - first, len(frame) - start - first + 1):
            if cut < len(frame):
                yield f"{cut} bytes cut", frame[:-cut]
        for size in (0, first - 4, first - 2, first - 1, first + 1, first + 30, len(frame) - start, len(frame)):
            if size >= 0:
                tagged = (tag & 31 | size << 5).to_bytes(3, "little") + frame[3:]
                yield f"first partition of {size} bytes", tagged
                yield f"first partition of {size} bytes, and two cut", tagged[:-2]
        for place in range(7):
            at = start + first + 3 * place
            for size in (0, 1, 1 << 20):
                changed = frame[:at] + size.to_bytes(3, "little") + frame[at + 3:]
                yield f"token partition {place} of {size} bytes", changed[:len(frame)]

    def check(self, source, number):
        """Returns how many variants of a frame of this stream libvpx takes, and how many not."""
        counts = [0, 0]
        for name, data in self.variants(Ivf(source).frames[number][1]):
            with self.subTest(frame=number, variant=name):
                ivf = Ivf(source)
                ivf.frames[number] = (number, data)
                path = self.write("variant.ivf", ivf.bytes())
                theirs = harness.run("vpxdec", "--codec=vp8", "--i420", "--md5", path)
                counts[theirs.returncode != 0] += 1
                if theirs.returncode:
                    self.refuses("xc-decode", path)
                else:
                    ours = self.xc("xc-decode", "--md5", path)
                    self.assertEqual(harness.md5_words(ours), harness.md5_words(theirs.stdout))
        return counts

    def test_as_libvpx_judges(self):
        harness.need("vpxdec")
        for width, height, partitions in ((16, 16, 3), (48, 40, 2)):
            with self.subTest(size=(width, height), partitions=1 << partitions):
                source = harness.vpxenc(harness.film(width=width, height=height, frames=3), "--good", "--cpu-used=4",
                                        f"--token-parts={partitions}", "--target-bitrate=200")
                for number in (0, 2):
                    taken, refused = self.check(source, number)
                    self.assertGreater(taken, 3)
                    self.assertGreater(refused, 3)

    def test_no_partitions_for_missing_rows(self):
        """A frame of one row of macroblocks: seven of its eight token partitions are not there."""
        film = harness.film(width=48, height=16, frames=3)
        source = harness.vpxenc(film, "--good", "--cpu-used=4", "--token-parts=3")
        ivf = Ivf(source)
        for i, (time, frame) in enumerate(ivf.frames):
            sizes = (10 if harness.is_key_frame(frame) else 3) + (int.from_bytes(frame[:3], "little") >> 5)
            ivf.frames[i] = (time, frame[:sizes + 21 + int.from_bytes(frame[sizes:sizes + 3], "little")])
        path = self.write("short.ivf", ivf.bytes())
        self.assertLess(path.stat().st_size, source.stat().st_size)
        expected = harness.ffmpeg_frames(source)
        self.assertEqual(harness.our_frames(path), expected)
        self.assertEqual(harness.vpxdec_frames(path), expected)


class Formats(Case):
    """What xc-decode writes besides MD5s."""

    def test_i420(self):
        for name in ("size 175x143", "hidden alt-ref"):
            with self.subTest(name):
                path = stream(name)
                harness.must("vpxdec", "--i420", "-o", self.dir / "theirs", path)
                theirs = (self.dir / "theirs").read_bytes()
                self.xc("xc-decode", "--i420", "-o", "ours", path)
                self.assertEqual((self.dir / "ours").read_bytes(), theirs)
                self.assertEqual(self.xc("xc-decode", "--i420", "-o", "-", path), theirs)
                self.assertEqual(self.xc("xc-decode", "--i420", "-o", "-", "-", stdin=path.read_bytes()), theirs)

    def test_y4m(self):
        path = stream("size 175x143")
        self.xc("xc-decode", "--y4m", "-o", "ours.y4m", path)
        text = harness.must("ffmpeg", "-v", "error", "-i", self.dir / "ours.y4m", "-f", "framemd5", "-")
        self.assertEqual(harness.md5_words(text), harness.vpxdec_frames(path))

    def test_kernels_and_threads_change_nothing(self):
        path = stream("profile 0, 8 partitions")
        expected = harness.our_frames(path)
        for cpu in harness.CPUS:
            for threads in (1, 2, 5):
                with self.subTest(cpu=cpu, threads=threads):
                    frames = harness.our_frames(path, "--threads", threads, env=harness.environment(XC_CPU=cpu))
                    self.assertEqual(frames, expected)
