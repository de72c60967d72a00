# SPDX-License-Identifier: BSD-2-Clause
"""xc-png2y4m: every kind of PNG becomes the film that others make of it; patterns, the published options, bad input."""
import random
import struct
import zlib

import harness
from harness import BIN, Case

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(row, depth):
    """One row's samples as bytes, after the number of a filter that changes nothing."""
    if depth == 16:
        return b"\0" + struct.pack(f">{len(row)}H", *row)
    bits = "".join(f"{sample:0{depth}b}" for sample in row)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def png(width, height, rows, kind=RGB, depth=8, interlaced=False, extra=b""):
    """A PNG file. rows: for each row, the samples of all its pixels."""
    channels = CHANNELS[kind]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    data = b""
    for left, top, across, down in passes:
        for row in rows[top::down]:
            samples = [s for x in range(left, width, across) for s in row[channels * x:channels * (x + 1)]]
            data += pack_row(samples, depth) if samples else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
            + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def noise(width, height, kind=RGB, depth=8, seed=1, most=None):
    """Rows of samples: colours that change slowly from left to right, with noise."""
    rng = random.Random(seed)
    most = most or (1 << depth) - 1
    return [[min(most, max(0, int(most * (x // CHANNELS[kind]) / width + rng.gauss(0, most / 8))))
             for x in range(width * CHANNELS[kind])] for _ in range(height)]


def flattened(row, background=(0, 0, 0)):
    """Red, green, blue of each pixel of a row of red, green, blue, alpha with 8 bits, on a background."""
    pixels = [row[i:i + 4] for i in range(0, len(row), 4)]
    return [(c * a + b * (255 - a)) / 255 for *color, a in pixels for c, b in zip(color, background)]


def planes(rows, most, across, down):
    """The samples that BT.601 gives for rows of red, green, blue, a sample of chroma being the mean of across x down
    pixels."""
    height, width = len(rows), len(rows[0]) // 3

    def mean(x, y, across, down):
        places = [(min(x + i, width - 1), min(y + j, height - 1)) for i in range(across) for j in range(down)]
        r, g, b = (sum(rows[v][3 * u + c] for u, v in places) / len(places) / most for c in range(3))
        luma = 0.299 * r + 0.587 * g + 0.114 * b
        return 16 + 219 * luma, 128 + 224 * (b - luma) / 1.772, 128 + 224 * (r - luma) / 1.402

    wanted = [[mean(x, y, 1, 1)[0] for y in range(height) for x in range(width)]]
    wanted += [[mean(x, y, across, down)[c] for y in range(0, height, down) for x in range(0, width, across)]
               for c in (1, 2)]
    return [sample for plane in wanted for sample in plane]


class PngCase(Case):
    width, height = 37, 22  # odd ones, so that chroma has an edge

    def png(self, name, rows, kind=RGB, depth=8, interlaced=False, extra=b""):
        return self.write(name, png(self.width, self.height, rows, kind, depth, interlaced, extra))

    def picture(self, name, seed=1, depth=8):
        return self.png(name, noise(self.width, self.height, depth=depth, seed=seed), depth=depth)

    def film(self, name="out.y4m"):
        """The header line and the pictures of a film."""
        header, _, rest = (self.dir / name).read_bytes().partition(b"\n")
        chroma = {b"C444": self.width * self.height, b"C422jpeg": (self.width + 1) // 2 * self.height,
                  b"C420jpeg": (self.width + 1) // 2 * ((self.height + 1) // 2)}[header.split()[-1]]
        size = 6 + self.width * self.height + 2 * chroma
        frames = [rest[i:i + size] for i in range(0, len(rest), size)]
        self.assertEqual({(frame[:6], len(frame)) for frame in frames}, {(b"FRAME\n", size)})
        return header.decode(), [frame[6:] for frame in frames]

    def convert(self, *arguments):
        """The only picture of the film that is made."""
        self.xc("xc-png2y4m", "-o", "out.y4m", *arguments)
        frame, = self.film()[1]
        return frame

    def close(self, ours, theirs, most=1.0):
        self.assertEqual(len(ours), len(theirs))
        self.assertLessEqual(max(abs(a - b) for a, b in zip(ours, theirs)), most)


class Colours(PngCase):
    def by_ffmpeg(self, path, matrix):
        """The picture in 4:4:4 as FFmpeg decodes it and zimg converts it."""
        harness.need("ffmpeg")
        return harness.must("ffmpeg", "-v", "error", "-i", path, "-vf", f"format=gbrp16,zscale=m={matrix}:r=limited",
                            "-pix_fmt", "yuv444p", "-f", "rawvideo", "-")

    def test_every_kind(self):
        palette = chunk(b"PLTE", bytes(random.Random(3).randrange(256) for _ in range(3 * 16)))
        for kind, depth in ((RGB, 8), (RGB, 16), (GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (GREY, 16), (PALETTE, 4),
                            (PALETTE, 8)):
            most, extra = (15, palette) if kind == PALETTE else (None, b"")
            for interlaced in (False, True):
                with self.subTest(kind=kind, depth=depth, interlaced=interlaced):
                    rows = noise(self.width, self.height, kind, depth, most=most)
                    path = self.png("a.png", rows, kind, depth, interlaced, extra)
                    self.close(self.convert("--no-dither", "--chroma-444", path), self.by_ffmpeg(path, "170m"))

    def test_bt709(self):
        path = self.picture("a.png")
        self.close(self.convert("--rec709", "--chroma-444", path), self.by_ffmpeg(path, "709"))

    def test_chroma(self):
        for depth in (8, 16):
            rows = noise(self.width, self.height, depth=depth)
            path = self.png("a.png", rows, depth=depth)
            for options, tag, across, down in (((), "C420jpeg", 2, 2), (("--chroma-422",), "C422jpeg", 2, 1),
                                               (("--chroma-444",), "C444", 1, 1)):
                with self.subTest(tag, depth=depth):
                    frame = self.convert("--no-dither", *options, path)
                    self.assertEqual(self.film()[0].split()[-1], tag)
                    self.close(frame, planes(rows, (1 << depth) - 1, across, down), 0.51)

    def test_opacity(self):
        """Pixels lie on the file's background, or on black; a transparent colour is not seen."""
        rows = noise(self.width, self.height, RGBA)
        for extra, background in ((b"", (0, 0, 0)), (chunk(b"bKGD", struct.pack(">3H", 200, 90, 30)), (200, 90, 30))):
            with self.subTest(background=background):
                frame = self.convert(self.png("a.png", rows, RGBA, extra=extra))
                self.close(frame, planes([flattened(row, background) for row in rows], 255, 2, 2), 1.01)
        grey = [[100] * self.width for _ in range(self.height)]
        extra = chunk(b"tRNS", struct.pack(">H", 100)) + chunk(b"bKGD", struct.pack(">H", 255))
        frame = self.convert(self.png("a.png", grey, GREY, extra=extra))
        self.assertEqual(set(frame[:self.width * self.height]), {235})

    def test_grey_is_grey(self):
        for depth in (8, 16):
            most = (1 << depth) - 1
            for level, luma in ((0, 16), (most // 2 + 1, 126), (most, 235)):
                with self.subTest(depth=depth, level=level):
                    rows = [[level] * 3 * self.width for _ in range(self.height)]
                    frame = self.convert("--no-dither", self.png("a.png", rows, depth=depth))
                    self.assertEqual(set(frame[:self.width * self.height]), {luma})
                    self.assertEqual(set(frame[self.width * self.height:]), {128})


class Dither(PngCase):
    width, height = 96, 64

    def luma_of(self, level, *options):
        rows = [[level] * 3 * self.width for _ in range(self.height)]
        return self.convert(*options, self.png("a.png", rows, depth=16))[:self.width * self.height]

    def test_means_are_exact(self):
        """Levels between two steps keep their means, and no sample is off by more than the dither."""
        for level in (20000, 20070, 20140, 20210):
            exact = 16 + 219 * level / 65535
            luma = self.luma_of(level)
            self.assertAlmostEqual(sum(luma) / len(luma), exact, delta=0.03)
            self.assertLess(max(abs(sample - exact) for sample in luma), 1.51)
            self.assertGreater(len(set(luma)), 1)
            self.assertEqual(len(set(self.luma_of(level, "--no-dither"))), 1)

    def test_8_bits_stay_as_they_are(self):
        path = self.picture("a.png")
        self.assertEqual(self.convert(path), self.convert("--no-dither", path))

    def test_still_pictures_stay_still(self):
        for name in ("1.png", "2.png"):
            self.picture(name, depth=16)
        self.xc("xc-png2y4m", "-o", "out.y4m", "%d.png")
        first, second = self.film()[1]
        self.assertEqual(first, second)


class Names(PngCase):
    def setUp(self):
        super().setUp()
        self.frames = {}
        for number in (8, 9, 10, 11):
            name = f"{number:08d}.png"
            self.frames[number] = self.convert(self.picture(name, seed=number))
            (self.dir / f"{number}.png").write_bytes((self.dir / name).read_bytes())
        for other in ("00000012.jpg", "000000012.png", "0000012.png", "a0000012.png", "00000x12.png"):
            self.write(other, b"no picture")

    def frames_of(self, *operands):
        self.xc("xc-png2y4m", "-o", "out.y4m", *operands)
        return self.film()[1]

    def test_patterns(self):
        wanted = [self.frames[i] for i in (8, 9, 10, 11)]
        (self.dir / "12%").mkdir()
        (self.dir / "12%/5%-3.png").write_bytes((self.dir / "8.png").read_bytes())
        self.assertEqual(self.frames_of("%08d.png"), wanted)
        self.assertEqual(self.frames_of(f"{self.dir}/%08d.png"), wanted)
        self.assertEqual(self.frames_of("%d.png"), wanted)  # by number, not by letter
        self.assertEqual(self.frames_of("00000010.png", "00000009.png"), [self.frames[10], self.frames[9]])
        self.assertEqual(self.frames_of("12%/5%%-%d.png"), [self.frames[8]])
        self.assertEqual(self.frames_of("12%/5%-3.png"), [self.frames[8]])

    def test_standard_streams(self):
        data = (self.dir / "8.png").read_bytes()
        film = self.xc("xc-png2y4m", "-o", "-", "-", stdin=data)
        self.assertEqual(film.partition(b"FRAME\n")[2], self.frames[8])

    def test_what_is_no_pattern(self):
        for operand in ("%s.png", "%n%08d.png", "%08d%08d.png", "%99d.png", "%0d.png", "%08d", "no/%d.png", "%08d.gif",
                        "%", "%%", "%0999999999999999999d.png"):
            with self.subTest(operand):
                self.assertIn(operand, self.refuses("xc-png2y4m", "-o", "o.y4m", operand))

    def test_a_number_is_missing(self):
        (self.dir / "00000010.png").unlink()
        message = self.refuses("xc-png2y4m", "-o", "o.y4m", "%08d.png")
        self.assertIn("number 10 is missing, between 00000009.png and 00000011.png", message)


class Published(PngCase):
    """The command of mu's workers, and the options of the original."""

    def test_header(self):
        self.picture("00000001.png")
        for options, header in (("", "F24:1 Ip A0:0 C420jpeg"), ("-f 30000 -F 1001 -s 10 -S 11",
                                                                 "F30000:1001 Ip A10:11 C420jpeg")):
            self.convert(*options.split(), "%08d.png")
            self.assertEqual(self.film()[0], f"YUV4MPEG2 W37 H22 {header}")

    def test_as_mu_does(self):
        """mu's workers fetch a picture, go on with the film, and find the picture deleted."""
        wanted = []
        for number in range(1, 7):
            path = self.picture(f"{number:08d}.png", seed=number)
            wanted.append(self.convert(path))
            self.xc("png2y4m", "-i", "-d", "-o", "film.y4m", "%08d.png")
            self.assertFalse(path.exists())
        self.assertEqual(self.film("film.y4m")[1], wanted)
        self.xc("xc-split", "-s", 6, "-d", "chunks", "film.y4m")

    def test_a_film_that_cannot_go_on(self):
        self.picture("00000001.png")
        self.convert("%08d.png")
        whole = (self.dir / "out.y4m").read_bytes()
        for what, data in (("rate", whole.replace(b"F24", b"F25")), ("cut", whole[:-1]), ("other", b"hello\n")):
            with self.subTest(what):
                self.write("out.y4m", data)
                self.assertIn("out.y4m", self.refuses("xc-png2y4m", "-d", "-i", "-o", "out.y4m", "%08d.png"))


class Hostile(PngCase):
    def refused(self, data):
        self.write("bad.png", data)
        self.assertIn("bad.png", self.refuses("xc-png2y4m", "-d", "-o", "out.y4m", "bad.png"))

    def test_cut_short(self):
        data = png(self.width, self.height, noise(self.width, self.height), interlaced=True)
        for size in (*range(0, 60), len(data) // 2, len(data) - 20, len(data) - 1):
            with self.subTest(size=size):
                self.refused(data[:size])

    def test_damaged(self):
        """A byte that is another one is noticed, or, in what the picture does not need, does no harm."""
        data = png(self.width, self.height, noise(self.width, self.height, RGBA), RGBA,
                   extra=chunk(b"bKGD", struct.pack(">3H", 200, 90, 30)))
        rng = random.Random(5)
        for _ in range(60):
            bad = bytearray(data)
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            self.write("bad.png", bytes(bad))
            done = harness.run(BIN / "xc-png2y4m", "-o", "out.y4m", "bad.png", cwd=self.dir)
            self.assertIn(done.returncode, (0, 1))
            if done.returncode:
                self.assertRegex(done.stderr.decode(), r"\Axc-png2y4m: bad.png: [^\n]+\n\Z")

    def test_sizes(self):
        for width, height in ((0, 1), (16369, 1), (1, 16369), (2 ** 31 - 1, 2 ** 31 - 1)):
            with self.subTest(width=width, height=height):
                self.refused(png(width, height, []))

    def test_another_size(self):
        self.picture("1.png")
        self.width += 1
        self.picture("2.png")
        self.assertIn("2.png: has 38x22 pixels", self.refuses("xc-png2y4m", "-o", "out.y4m", "1.png", "2.png"))

    def test_what_is_no_picture(self):
        self.refused(b"")
        self.refused(b"GIF89a" + bytes(100))
        self.refused(b"XCREF xc-lambda fetch\n")

    def test_nothing_is_deleted_before_the_film_is_there(self):
        self.picture("1.png")
        self.write("2.png", b"no picture")
        self.refuses("xc-png2y4m", "-d", "-o", "out.y4m", "1.png", "2.png")
        self.refuses("xc-png2y4m", "-d", "-o", "no/out.y4m", "1.png")
