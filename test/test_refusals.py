# SPDX-License-Identifier: BSD-2-Clause
"""Bad input of every kind, to every tool: one clear line, a non-zero exit, nothing half-written, and never a crash."""
import fcntl
import os
import random
import re
import resource
import shutil
import struct
import signal
import subprocess
import termios
import unittest

import harness
from harness import BIN, Case, Ivf, number

# Each tool as it is used, with a word in braces for each input. The outputs go to the current directory.
COMMANDS = {
    "xc-decode": "-S {state} --i420 -o out.i420 {inter}",
    "xc-dissect": "-s {state} --overlay out.png {inter}",
    "xc-dump": "-S {state} {inter} out.state",
    "xc-enc": "-W -w 0.75 -i y4m -o out.ivf -r -I {state} -p {key} -O out.state {raw}",
    "xc-enc, primary": "-i y4m -y 40 -I {state} -o out.ivf -O out.state {raw}",
    "xc-enc, rebasing": "-W -i y4m -o out.ivf -r -I {state} -p {inter} -S {pred_state} -O out.state {raw}",
    "xc-enc, anchors": "--anchors --after {after} --cq-level 30 -i y4m -I {state} -o out.ivf -O out.state {raw}",
    "xc-enc, following": "--follow {anchors} --cq-level 30 -i y4m -I {state} -o out.ivf {raw}",
    "xc-enc, guessing": "--guess out.y4m --before {near} --key {first} --cq-level 30 -i y4m -o out.ivf {raw}",
    "xc-merge": "-o out.ivf {before} {inter}",
    "xc-rebase": "-o out.ivf -I {state} -p {inter} -S {pred_state} -O out.state {raw}",
    "xc-rebase, anchors": "--anchors --cq-level 30 -i y4m -I {state} -p {guess} -o out.ivf -O out.state {targets}",
    "xc-split": "-s 3 -d out {raw}",
    "xc-terminate-chunk": "{key} out.ivf out.state",
    "xc-vpxenc": "--ivf --codec=vp8 --good --cpu-used=5 -o out.ivf {raw}",
    "xc-zero-out-residues": "-S {state} {inter} out.ivf",
}
# Of these, xc-decode writes the pictures that are whole, before it fails (test_tools.Damaged). xc-enc reads only the
# first pictures of the film after a chunk.
NO_MATTER = {("xc-decode", "inter", "last frame cut short"), ("xc-decode", "inter", "a byte too many"),
             ("xc-enc, anchors", "after", "a byte too many")}
OUTPUTS = {"xc-split": {"out"}}  # the others write files whose names begin with out.
KIND = {"state": "state", "pred_state": "state", "inter": "ivf", "key": "ivf", "before": "ivf", "anchors": "ivf",
        "raw": "y4m", "after": "y4m", "near": "y4m", "first": "y4m", "targets": "y4m", "guess": "ivf"}


class Refusals(Case):
    def setUp(self):
        super().setUp()
        self.inputs = inputs()
        (self.dir / "out").mkdir()  # xc-split makes it otherwise, which is no harm, but noise here

    def command(self, name, **changed):
        """The tool and its arguments, some of the inputs replaced."""
        words = {**self.inputs, **changed}
        return name.partition(",")[0], *(word.format(**words) for word in COMMANDS[name].split())

    def each(self, kind):
        """(command's name, input's name) for every input of a kind."""
        for name, text in COMMANDS.items():
            for key in re.findall(r"{(\w+)}", text):
                if kind in (None, KIND[key]):
                    yield name, key

    def check_all(self, kind, variants):
        """Every command refuses every variant (name -> bytes) of each of its inputs of this kind."""
        for variant, data in variants.items():
            path = self.write(f"bad.{kind}", data)
            for name, key in self.each(kind):
                if (name, key, variant) in NO_MATTER:
                    continue
                with self.subTest(name, input=key, variant=variant):
                    message = self.refuses(*self.command(name, **{key: path}))
                    self.assertIn(path.name, message)


def inputs():
    """One set of intact files, which all commands take. Made once."""
    def make(directory):
        directory.mkdir()
        harness.encode(directory, harness.film(width=80, height=64, frames=9), 3, 16)
        harness.must(BIN / "xc-enc", "--anchors", "--cq-level=30", "-i", "y4m", "-I", f"{number(0)}-0.state",
                     "-o", "anchors.ivf", f"{number(1)}.y4m", cwd=directory)
        harness.must(BIN / "xc-enc", "--guess", "targets.y4m", "--before", f"{number(0)}.y4m", "--key",
                     f"{number(0)}.y4m", "--cq-level=30", "-i", "y4m", "-o", "guess.ivf", f"{number(1)}.y4m",
                     cwd=directory)
    where = harness.cached(make, "refusals", suffix="")
    return {"state": where / f"{number(0)}-0.state", "pred_state": where / f"{number(0)}-0.state",
            "before": where / f"{number(0)}.ivf", "inter": where / f"{number(1)}.ivf",
            "key": where / f"{number(1)}-0.ivf", "anchors": where / "anchors.ivf", "raw": where / f"{number(1)}.y4m",
            "after": where / f"{number(2)}.y4m",
            "near": where / f"{number(0)}.y4m", "first": where / f"{number(0)}.y4m", "guess": where / "guess.ivf",
            "targets": where / "targets.y4m"}


class Commands(Refusals):
    def test_they_work(self):
        """Intact inputs are taken: what the other tests see refused is refused for what they changed."""
        for name in COMMANDS:
            with self.subTest(name):
                done = harness.run(BIN / self.command(name)[0], *self.command(name)[1:], cwd=self.dir)
                self.assertEqual((done.returncode, done.stderr), (0, b""))


class BadFiles(Refusals):
    def test_missing(self):
        for name, key in self.each(None):
            with self.subTest(name, input=key):
                self.assertIn("No such file", self.refuses(*self.command(name, **{key: "missing"})))

    def test_directory(self):
        for name, key in self.each(None):
            with self.subTest(name, input=key):
                self.refuses(*self.command(name, **{key: "/"}))

    def test_another_kind(self):
        """A file of one kind where another one belongs."""
        for kind, other in (("ivf", "raw"), ("y4m", "state"), ("state", "key")):
            self.check_all(kind, {"a file of another kind": self.inputs[other].read_bytes()})

    def test_reference(self):
        """It says how to get the data that it stands for. A command that a shell would read otherwise is not shown."""
        for first, message in (("XCREF xc-lambda fetch", "remote data; fetch it with: xc-lambda fetch {}"),
                               ("XCREF rm -rf ~; fetch", "not an IVF file"), ("XCREF " + "x" * 100, "not an IVF file")):
            with self.subTest(first):
                path = self.write("reference", f"{first}\nsha256 0\n".encode())
                self.assertIn(message.format(path), self.refuses("xc-decode", path))

    def test_ivf(self):
        data = self.inputs["key"].read_bytes()
        first = 44 + int.from_bytes(data[32:36], "little")
        self.check_all("ivf", {
            "empty": b"", "magic only": data[:4], "header cut short": data[:31], "no frames": data[:32],
            "frame header cut short": data[:40], "first frame cut short": data[:first - 1],
            "last frame cut short": data[:-1], "a byte too many": data + b"x",
            "wrong magic": b"RIFF" + data[4:], "VP9": data[:8] + b"VP90" + data[12:],
            "frame of 4 GB": data[:32] + b"\xff" * 4 + data[36:], "version 7": data[:4] + b"\7\0" + data[6:],
            "begins with an interframe": data[:32] + data[first:],
            "bad start code": data[:47] + b"\0\0\0" + data[50:], "size 0x0": data[:50] + b"\0\0\0\0" + data[54:],
            "first partition beyond the frame": data[:44] + bytes([data[44] | 0xe0, 0xff, 0xff]) + data[47:],
        })

    def test_terminating_without_a_state(self):
        """No picture is needed then, but a damaged chunk is not passed on."""
        ivf = Ivf(self.inputs["key"])
        ivf.frames[1] = (ivf.frames[1][0], ivf.frames[1][1][:-len(ivf.frames[1][1]) // 2])
        self.refuses("xc-terminate-chunk", self.write("bad.ivf", ivf.bytes()), "out.ivf")

    def test_state(self):
        data = self.inputs["state"].read_bytes()
        variants = {"empty": b"", "a byte too many": data + b"x", "cut short": data[:-1], "half": data[:len(data) // 2],
                    "wrong magic": b"x" + data[1:], "header only": data[:40]}
        variants |= {f"byte {i} changed": data[:i] + bytes([data[i] ^ 1]) + data[i + 1:]
                     for i in range(0, len(data), 997)}
        self.check_all("state", variants)

    def test_y4m(self):
        data = self.inputs["raw"].read_bytes()
        header, frames = harness.y4m_split(data)
        plain = b"YUV4MPEG2 W80 H64 F24:1"
        bodies = b"".join(frames)
        self.check_all("y4m", {
            "empty": b"", "no frames": header, "header without end": plain, "frame cut short": data[:-1],
            "frame header cut short": header + b"FRA", "no FRAME": header + bodies.replace(b"FRAME", b"FRAMX"),
            "4:2:2": plain + b" C422\n" + bodies, "4:4:4": plain + b" C444\n" + bodies,
            "grey": plain + b" Cmono\n" + bodies, "10 bits": plain + b" C420p10 XYSCSS=420P10\n" + bodies,
            "interlaced": plain + b" It\n" + bodies,
            "mixed": plain + b" Im\n" + bodies, "no width": b"YUV4MPEG2 H64\n" + bodies,
            "width 0": b"YUV4MPEG2 W0 H64\n" + bodies, "huge": b"YUV4MPEG2 W99999999 H99999999\n" + bodies,
            "garbage": bytes(range(256)) * 40,
        })

    def test_messages_say_what_is_wrong(self):
        plain = b"YUV4MPEG2 W80 H64 F24:1"
        for text, word in ((b" C422", "422"), (b" C420p10", "420p10"), (b" It", "interlaced")):
            path = self.write("bad.y4m", plain + text + b"\n")
            self.assertIn(word, self.refuses(*self.command("xc-split", raw=path)))


class OtherSizes(Refusals):
    """Files that are fine, of different sizes."""

    def test_other_size(self):
        other = {"ivf": harness.vpxenc(harness.film(width=64, height=64, frames=3), "--target-bitrate=100"),
                 "y4m": harness.film(width=64, height=64, frames=3)}
        self.xc("xc-dump", other["ivf"], "other.state")
        other["state"] = self.dir / "other.state"
        for name, key in self.each(None):
            alone = len(re.findall("{", COMMANDS[name])) == 1
            if alone or key == "inter" and name in ("xc-decode", "xc-dissect", "xc-dump", "xc-zero-out-residues"):
                continue  # one file can have any size, and what begins with a key frame needs no state
            with self.subTest(name, input=key):
                self.refuses(*self.command(name, **{key: other[KIND[key]]}))

    def test_headers_that_lie(self):
        """An interframe has the size of the state that it was made for, whatever the file says."""
        data = bytearray(self.inputs["inter"].read_bytes())
        data[12:16] = struct.pack("<HH", 64, 64)
        lying = self.write("lying.ivf", data)
        other = {"raw": self.write("other.y4m", harness.film(width=64, height=64, frames=3).read_bytes())}
        self.xc("xc-enc", "-i", "y4m", "-y", "40", "-o", "other.ivf", "-O", "other.state", other["raw"])
        for name in ("xc-rebase", "xc-enc, rebasing"):
            with self.subTest(name):
                message = self.refuses(*self.command(name, inter=lying, state=self.dir / "other.state", **other))
                self.assertIn(self.inputs["pred_state"].name, message)


class BadValues(Refusals):
    def test_numbers(self):
        raw, key, state = (str(self.inputs[k]) for k in ("raw", "key", "state"))
        enc = ("-i", "y4m", "-o", "out.ivf")
        cases = {
            "xc-split": [("-s", v, "-d", "out", raw) for v in ("0", "-1", "x", "", "6x", "1e3", "9" * 20)],
            "xc-dump": [("-f", v, key, "out.state") for v in ("-1", "x", "", "99", "4294967296")]
            + [("--threads", v, key, "out.state") for v in ("0", "-1", "x", "1000000")],
            "xc-enc": [("-y", v, *enc, raw) for v in ("-1", "128", "x", "")]
            + [("-s", v, *enc, raw) for v in ("-0.1", "1.5", "nan", "x")]
            + [("-i", "avi", "-y", "40", "-o", "out.ivf", raw), ("-q", "slow", "-y", "40", *enc, raw)]
            + [("-r", *enc, raw), ("-r", "-I", state, *enc, raw), ("-p", key, "-y", "40", *enc, raw)]
            + [("-W", "-r", "-I", state, "-p", key, "-w", v, *enc, raw) for v in ("-1", "2", "inf", "x")],
            "xc-vpxenc": [(f"--cq-level={v}", "-o", "out.ivf", raw) for v in ("-1", "64", "x")]
            + [("--codec=vp9", "-o", "out.ivf", raw), ("--end-usage=best", "-o", "out.ivf", raw), (raw,)],
            "xc-merge": [(), (key,), ("-o", "out.ivf"), (key, key, "out.ivf", "more")],
            "xc-decode": [("--md5", "--frame-md5", key), ("--threads=0", key), (key, key)],
            "xc-terminate-chunk": [(key,), (key, "out.ivf", "out.state", "more")],
            "xc-rebase": [("-o", "out.ivf", raw), ("-I", state, "-o", "out.ivf", raw)],
        }
        for tool, rows in cases.items():
            for arguments in rows:
                with self.subTest(tool, arguments=" ".join(arguments[:3])):
                    self.refuses(tool, *arguments)

    def test_frame_sizes(self):
        for text in (b"\n", b" 900\n", b"-900\n", b" -900\n", b"900 \n", b"900\r800\n", b"0\n", b"x\n", b"9" * 20):
            with self.subTest(text):
                sizes = self.write("sizes", text)
                message = self.refuses("xc-enc", "-F", sizes, "-i", "y4m", "-o", "out.ivf", self.inputs["raw"])
                self.assertRegex(message, r"sizes: '[^\r]*' is not a size in bytes")
        for sizes, words in ((self.write("empty", b""), "empty: has no line"), (self.dir, "Is a directory")):
            message = self.refuses("xc-enc", "-F", sizes, "-i", "y4m", "-o", "out.ivf", self.inputs["raw"])
            self.assertIn(words, message)

    def test_options_of_another_mode(self):
        sizes = self.write("sizes", b"900\n")
        for options in (["-y", 40, "-s", 0.5], ["-y", 40, "-F", sizes], ["-s", 0.5, "-F", sizes],
                        ["--anchors", "-s", 0.5], ["--anchors", "-w", 0.3], ["--anchors", "-e"], ["-y", 40, "-w", 1],
                        ["-y", 40, "--cq-level", 22], ["--key-weight", 0.2], ["--anchor-weight", 0.3], ["--place", 1],
                        ["--anchors", "--fit-bytes", 900], ["--fit-ssim", 0.9]):
            with self.subTest(options):
                text = self.refuses("xc-enc", *options, "-i", "y4m", "-o", "out.ivf", self.inputs["raw"])
                self.assertRegex(text, "exclude each other|go(es)? with")
        for options in (["-s", 0.9], ["-y", 40], ["-F", sizes]):
            with self.subTest(options):
                text = self.refuses(*self.command("xc-enc"), *options)
                self.assertIn("exclude each other", text)

    def test_ssim_of_small_pictures(self):
        for width, height in ((7, 50), (50, 7), (1, 1)):
            raw = harness.film(width=width, height=height, frames=1)
            for options in ([], ["-s", 0.5]):
                with self.subTest(size=(width, height), options=options):
                    self.assertIn("too small for SSIM", self.refuses("xc-enc", *options, "-i", "y4m", raw))
            self.xc("xc-enc", "-y", 40, "-i", "y4m", raw)
        self.xc("xc-enc", "-s", 0.5, "-i", "y4m", harness.film(width=8, height=8, frames=1))

    def test_timestamps_beyond_64_bits(self):
        text = self.refuses("xc-vpxenc", "--fps=1/1000000", "--timebase=1/1000000", "--skip=9399990", "-o", "out.ivf",
                            self.inputs["raw"])
        self.assertIn("timestamp", text)

    def test_unknown_cpu(self):
        self.refuses("xc-decode", self.inputs["key"], env=harness.environment(XC_CPU="z80"))


class StandardInput(Refusals):
    """It is read once, and from its beginning."""

    def test_named_twice(self):
        for name in ("xc-enc", "xc-enc, primary", "xc-rebase"):
            with self.subTest(name):
                text = self.refuses(*self.command(name, state="-", raw="-"), stdin=self.inputs["raw"].read_bytes())
                self.assertIn("-: named for two inputs", text)

    def test_waiting_for_its_end(self):
        """Without -W, xc-enc -r would find nothing left to read."""
        for name, keys in (("xc-enc", ("state", "key", "raw")), ("xc-enc, rebasing", ("pred_state",))):
            for key in keys:
                with self.subTest(key):
                    words = [word for word in self.command(name, **{key: "-"}) if word != "-W"]
                    self.assertIn("-W", self.refuses(*words, stdin=self.inputs[key].read_bytes()))

    def test_reading_twice(self):
        for name in ("-", "/dev/stdin"):
            with self.subTest(name):
                text = self.refuses(*self.command("xc-merge", before=name), stdin=self.inputs["before"].read_bytes())
                self.assertIn(f"{name}: cannot be read twice", text)

    def test_closed(self):
        """Reading from it is an error; the film, which is opened before, does not take its place."""
        tool, *arguments = self.command("xc-rebase", state="-")
        done = harness.run("sh", "-c", 'exec "$@" <&-', "sh", BIN / tool, *arguments, cwd=self.dir)
        self.assertEqual((done.returncode, done.stderr), (1, b"xc-rebase: -: Bad file descriptor\n"))


class Forgotten(Refusals):
    """Whoever has left something out is told what."""

    def check(self, words, tool, *arguments):
        self.assertRegex(self.refuses(tool, *arguments), words)

    def test_state(self):
        state, inter, anchors, raw = (self.inputs[k] for k in ("state", "inter", "anchors", "raw"))
        needed = r"expects state [0-9a-f]{8}; name its file with "
        self.check(f"{inter}: {needed}-S", "xc-decode", inter)
        self.check(f"{inter}: {needed}-S", "xc-dump", inter, "out.state")
        self.check(f"{inter}: {needed}-S", "xc-merge", "-o", "out.ivf", inter, inter)
        self.check(f"{inter}: {needed}-S", "xc-enc", "-W", "-r", "-i", "y4m", "-I", state, "-p", inter, raw)
        self.check(f"{anchors}: {needed}-I", "xc-enc", "--follow", anchors, "-i", "y4m", raw)
        self.check(f"{inter}: must begin with a key frame", "xc-enc", "-y", 40, inter)

    def test_input_format(self):
        raw = self.inputs["raw"]
        self.check(f"{raw}: is Y4M.* -i y4m", "xc-enc", "-y", 40, raw)
        self.check(f"{raw}: is Y4M.* -1 y4m", "xc-ssim", raw, raw)
        for tool, more in (("xc-dump", ["out.state"]), ("xc-framesize", []), ("xc-terminate-chunk", ["out.ivf"])):
            self.check(f"{raw}: is Y4M, not IVF; xc-enc and xc-vpxenc encode it", tool, raw, *more)

    def test_films_as_people_have_them(self):
        """The command that is named makes a file that the tool takes."""
        harness.need("ffmpeg")
        for name, kind in (("film.webm", "WebM or Matroska"), ("film.mkv", "WebM or Matroska"), ("film.mp4", "MP4")):
            with self.subTest(name):
                path = self.dir / name
                harness.must("ffmpeg", "-v", "error", "-i", self.inputs["key"],
                             *(["-c:v", "mpeg4"] if kind == "MP4" else ["-c", "copy"]), path)
                self.check(f"{path}: is {kind}, not IVF; .*: ffmpeg -i {path} -c copy OUT.ivf", "xc-framesize", path)
                self.check(f"{path}: is {kind}, not Y4M; .*: ffmpeg -i {path} -pix_fmt yuv420p OUT.y4m", "xc-split",
                           "-s", 2, "-d", "chunks", path)
        for command, tool in (("-i film.webm -c copy OUT.ivf", ["xc-framesize", "OUT.ivf"]),
                              ("-i film.mp4 -pix_fmt yuv420p OUT.y4m", ["xc-split", "-s", 2, "-d", ".", "OUT.y4m"])):
            harness.must("ffmpeg", "-v", "error", *command.split(), cwd=self.dir)
            self.xc(*tool)

    def test_states(self):
        """Both files are named, whichever gives the state."""
        inter, key = self.inputs["inter"], self.inputs["key"]
        self.xc("xc-dump", key, "key.state")
        for tool, option, output in (("xc-decode", "-S", []), ("xc-dump", "-S", ["out.state"]),
                                     ("xc-zero-out-residues", "-S", ["out.ivf"]), ("xc-dissect", "-s", [])):
            self.check(f"{inter}: expects state [0-9a-f]{{8}}, but key.state, which is before it, gives state", tool,
                       option, "key.state", inter, *output)
        done = self.refuses("xc-decode-bundle", "-o", "out.y4m", stdin=f"{key}\n\n{inter}\n".encode())
        self.assertRegex(done, f"{inter}: expects state [0-9a-f]{{8}}, but {key}, which is before it, gives state")

    def test_names(self):
        """Messages name the files that do not go together."""
        raw, state = harness.film(width=64, height=64, frames=3), self.inputs["state"]
        self.check(f"{raw}: is of 64x64, but the state {state} is of 80x64", "xc-enc", "-y", 40, "-I", state, "-i",
                   "y4m", raw)
        huge = self.write("huge.y4m", b"YUV4MPEG2 W16369 H16 F24:1\n")
        self.check("huge.y4m: width 16369 is not between 1 and 16368", "xc-enc", "-y", 40, "-i", "y4m", huge)

    def test_full_range(self):
        raw = harness.film(width=64, height=64, frames=3).read_bytes()
        full = self.write("full.y4m", raw.replace(b"\n", b" XCOLORRANGE=FULL\n", 1))
        for command in (("xc-split", "-s", 6, "-d", "chunks"), ("xc-vpxenc", "-o", "out.ivf"),
                        ("xc-enc", "-y", 40, "-i", "y4m")):
            self.check(f"{full}: full range .*scale=out_range=tv", *command, full)


class ExtraFrame(Refusals):
    """xc-enc -e"""

    def cut(self, name, key, frames):
        """The first frames of an input."""
        if KIND[key] == "y4m":
            header, bodies = harness.y4m_split(self.inputs[key].read_bytes())
            return self.write(name, header + b"".join(bodies[:frames]))
        ivf = Ivf(self.inputs[key])
        ivf.frames = ivf.frames[:frames]
        return self.write(name, ivf.bytes())

    def test_nothing_else(self):
        command = self.command("xc-enc", key=self.cut("one.ivf", "key", 1), raw=self.cut("one.y4m", "raw", 1))
        self.assertIn("one.ivf: shows no picture", self.refuses(*command, "-e"))

    def test_no_key_frame(self):
        self.assertIn("does not begin with a key frame", self.refuses(*self.command("xc-enc, rebasing"), "-e"))


class Outputs(Refusals):
    """The output cannot be written, or not to its end."""

    def with_outputs(self, name, where):
        """The command with its outputs, one at a time, elsewhere."""
        tool, *arguments = self.command(name)
        for i, word in enumerate(arguments):
            if word in OUTPUTS.get(name, ()) or word.startswith("out."):
                yield word, (tool, *arguments[:i], where.format(word), *arguments[i + 1:])

    def check(self, where, names=tuple(COMMANDS), **options):
        for name in names:
            for output, command in self.with_outputs(name, where):
                with self.subTest(name, output=output):
                    yield command, self.refuses(*command, **options)

    def test_full_device(self):
        for _, message in self.check("/dev/full", [name for name in COMMANDS if name not in OUTPUTS]):
            self.assertIn("No space left", message)

    def test_output_is_an_input(self):
        """By the same name, by another one, or as one of the chunks of xc-split."""
        key, raw = (shutil.copy(self.inputs[name], self.dir) for name in ("key", "raw"))
        os.link(key, self.dir / "hard.ivf")
        for output in (key, "hard.ivf"):
            for command in (("xc-decode", "-o", output, key), ("xc-merge", "-o", output, key),
                            ("xc-terminate-chunk", key, output), ("xc-enc", "-y", 40, "-o", output, key)):
                with self.subTest(command=command[0], output=output):
                    self.assertIn(f"{output}: is an input, which would be lost", self.refuses(*command))
        os.rename(raw, self.dir / f"{number(0)}.y4m")
        self.assertIn("is an input", self.refuses("xc-split", "-s", 2, "-d", ".", f"{number(0)}.y4m"))

    def test_no_such_directory(self):
        for _, message in self.check("missing/{}", [name for name in COMMANDS if name not in OUTPUTS]):
            self.assertIn("No such file", message)

    def test_output_is_a_directory(self):
        (self.dir / "directory").mkdir()
        for _ in self.check("directory", [name for name in COMMANDS if name not in OUTPUTS]):
            pass

    def test_two_under_one_name(self):
        (self.dir / "link").symlink_to("out")
        for one, other in (("same", "same"), ("same", "./same"), ("out/same", "link/../out/same"),
                           ("out/same", "link/same"), ("-", "-")):
            with self.subTest(one=one, other=other):
                text = self.refuses("xc-enc", "-i", "y4m", "-y", 40, "-o", one, "-O", other, self.inputs["raw"])
                self.assertIn("named for two outputs", text)

    def test_what_was_there_stays(self):
        """A failed tool leaves the files that have its outputs' names as they were."""
        for name in COMMANDS:
            for word in ("out.ivf", "out.state", "out.i420"):
                self.write(word, b"precious")
            with self.subTest(name):
                key = re.findall(r"{(\w+)}", COMMANDS[name])[-1]
                data = self.inputs[key].read_bytes()
                self.refuses(*self.command(name, **{key: self.write("cut", data[:100])}))

    def test_file_size_limit(self):
        """Writing fails in the middle, as on a full disk."""
        for name in COMMANDS:
            with self.subTest(name):
                command = self.command(name)
                before = harness.snapshot(self.dir)
                done = subprocess.run([BIN / command[0], *command[1:]], cwd=self.dir, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, preexec_fn=lambda: limit_file_size(200))
                self.check_failed_whole(command, done, before)

    def test_full_disk(self):
        """The same on a real file system of 16 KB."""
        disk = self.dir / "disk"
        disk.mkdir()
        mounted = harness.run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk) if os.getuid() == 0 else None
        if not mounted or mounted.returncode:
            raise unittest.SkipTest("mounting a file system needs root, and a container that allows it")
        self.addCleanup(harness.must, "umount", disk)
        (disk / "filler").write_bytes(bytes(12288))
        for name in COMMANDS:
            if name not in OUTPUTS:
                with self.subTest(name):
                    command = self.command(name)
                    done = subprocess.run([BIN / command[0], *command[1:]], cwd=disk, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE)
                    if done.returncode == 0:  # an output so small that it fits
                        for path in disk.glob("out*"):
                            path.unlink()
                        self.assertIn(name, ("xc-merge", "xc-vpxenc", "xc-enc, following", "xc-zero-out-residues"))
                    else:
                        self.assertRegex(done.stderr.decode(), rf"\A{command[0]}: [^\n]*No space left[^\n]*\n\Z")
                    self.assertEqual(set(harness.snapshot(disk)), {"filler"})

    def check_failed_whole(self, command, done, before):
        self.assertGreater(done.returncode, 0, f"{command}: exit {done.returncode}")
        self.assertRegex(done.stderr.decode(), rf"\A{command[0]}: [^\n]+\n\Z")
        self.assertEqual(harness.snapshot(self.dir), before)

    def test_read_only_directory(self):
        """As somebody else than root, whom nothing stops."""
        locked = self.dir / "locked"
        locked.mkdir()
        locked.chmod(0o555)
        self.dir.chmod(0o755)
        prefix = []
        if os.getuid() == 0:
            harness.need("setpriv")
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        readable = harness.run(*prefix, "cat", self.inputs["raw"], BIN / "xc-dump")
        if readable.returncode:
            raise unittest.SkipTest("another user cannot read the tools or the test's files")
        for name in COMMANDS:
            with self.subTest(name):
                command = self.command(name)
                done = harness.run(*prefix, BIN / command[0], *command[1:], cwd=locked)
                self.assertGreater(done.returncode, 0)
                self.assertRegex(done.stderr.decode(), rf"\A{command[0]}: [^\n]*Permission denied[^\n]*\n\Z")
                self.assertEqual(harness.snapshot(locked), {})


def limit_file_size(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def waiting_bytes(pipe):
    """How many bytes nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


class Killed(Refusals):
    """However a tool ends, its output is there whole or not at all."""

    def test_signals(self):
        """Ended while it waits for the rest of its input, with output already begun."""
        header, frames = harness.y4m_split(self.inputs["raw"].read_bytes())
        for number_of_signal in (1, 2, 15, 9):
            for tool, arguments in (("xc-split", "-s 100 -d out -"), ("xc-vpxenc", "-o out/x.ivf -"),
                                    ("xc-enc", "-i y4m -y 40 -o out/x.ivf -O out/x.state -")):
                with self.subTest(tool, signal=number_of_signal):
                    out = self.dir / "out"
                    process = subprocess.Popen([BIN / tool, *arguments.split()], cwd=self.dir, stdin=subprocess.PIPE,
                                               stderr=subprocess.PIPE,
                                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
                    process.stdin.write(header + b"".join(frames))
                    process.stdin.flush()
                    harness.wait_for(lambda: not waiting_bytes(process.stdin))  # noqa: B023
                    self.assertIsNone(process.poll())
                    process.send_signal(number_of_signal)
                    process.communicate()
                    self.assertEqual(process.returncode, -number_of_signal)
                    left = set(harness.snapshot(out))
                    if number_of_signal == 9:  # nobody can clean up behind this one, but no name is taken
                        self.assertFalse([name for name in left if name.endswith((".y4m", ".ivf", ".state"))])
                    else:
                        self.assertEqual(left, set())
                    for path in out.iterdir():
                        path.unlink()

    def test_reader_goes_away(self):
        """A pipe whose reader has had enough."""
        path = harness.vpxenc(harness.film(frames=40), "--rt")
        process = subprocess.Popen([BIN / "xc-decode", "--i420", "-o", "-", path], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.read(100)
        process.stdout.close()
        process.wait(harness.TIMEOUT)
        self.assertNotEqual(process.returncode, 0)
        self.assertLess(len(process.stderr.read().splitlines()), 2)
        process.stderr.close()


class Fuzz(Refusals):
    """Random damage, which need not be noticed: the tool works, or it refuses as it should. unit_fuzz.c goes deeper."""

    def test_random_damage(self):
        rng = random.Random(2017)
        for name, key in self.each(None):
            data = self.inputs[key].read_bytes()
            for round_ in range(12):
                damaged = bytearray(data)
                for _ in range(rng.randint(1, 4)):
                    reach = len(data) if rng.random() < 0.5 else min(len(data), 120)
                    damaged[rng.randrange(reach)] = rng.randrange(256)
                if rng.random() < 0.2:
                    del damaged[rng.randrange(len(damaged)):]
                if KIND[key] == "ivf":
                    keep_small(damaged)
                path = self.write("damaged", bytes(damaged))
                with self.subTest(name, input=key, round=round_):
                    self.check_survives(*self.command(name, **{key: path}))

    def check_survives(self, tool, *arguments):
        done = harness.run(BIN / tool, *arguments, cwd=self.dir)
        if done.returncode == 0:
            self.assertEqual(done.stderr, b"")
        else:
            self.assertGreater(done.returncode, 0)
            self.assertRegex(done.stderr.decode(errors="replace"), rf"\A{tool}: [^\n]+\n\Z")

    def test_short_reads(self):
        """Input that comes a few bytes at a time is the same input."""
        data = self.inputs["before"].read_bytes()
        expected = self.xc("xc-decode", "--frame-md5", self.inputs["before"])
        process = subprocess.Popen([BIN / "xc-decode", "--frame-md5", "-"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        for i in range(0, len(data), 100):
            process.stdin.write(data[i:i + 100])
            process.stdin.flush()
        output, _ = process.communicate()
        self.assertEqual(harness.md5_words(output), harness.md5_words(expected))
        self.assertEqual(Ivf(self.inputs["before"]).expected_state, 0)


def keep_small(ivf):
    """Puts back the size that a key frame states: a damaged one, up to 16383x16383, would only take time."""
    if len(ivf) > 54:
        ivf[50:54] = bytes([80, 0, 64, 0])
