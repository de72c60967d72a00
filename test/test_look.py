# SPDX-License-Identifier: BSD-2-Clause
"""Looking into streams: xc-framesize, xc-ssim, xc-diff, comp-states, xc-dissect, xc-decode-bundle,
xc-zero-out-residues, vp8decode and xc-dump --id.

test/original/ has what the original's tools print for vectors of the standard. They were built from commit
23afb288d9ddd1ab35053232e0d9c5cded92f428 of github.com/excamera/alfalfa (autogen.sh; configure --disable-vp8play; make).
Each test says by which command. Where an output is long, the file has its SHA-256."""
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import struct

import harness
from harness import BIN, Case

ORIGINAL = pathlib.Path(__file__).resolve().parent / "original"


def vector(number):
    """A vector of the standard, by the last two digits of its name."""
    return next(path for path in harness.vectors() if path.name == f"vp80-00-comprehensive-0{number}.ivf")


def original(name):
    return (ORIGINAL / name).read_text()


def stream(frames=8, **keywords):
    return harness.vpxenc(harness.film(frames=frames, **keywords), "--good", "--cpu-used=5", "--target-bitrate=200")


class LikeTheOriginal(Case):
    def test_framesize(self):
        """xc-framesize 001"""
        self.assertEqual(self.xc("xc-framesize", vector("01")).decode(), original("xc-framesize.txt"))

    def test_dissect(self):
        """xc-dissect -p -f 2 010"""
        self.assertEqual(self.xc("xc-dissect", "-p", "-f", 2, vector("10")).decode(), original("xc-dissect.txt"))

    def test_whole_outputs(self):
        """Each line of sums.txt is: SHA-256, vector, command."""
        for line in original("sums.txt").splitlines():
            digest, name, command = line.split(maxsplit=2)
            tool, *options = shlex.split(command)
            with self.subTest(name, command=command):
                output = self.xc(tool, *options, vector(name[-6:-4]))
                self.assertEqual(hashlib.sha256(output).hexdigest(), digest)

    def test_ssim(self):
        """xc-ssim -a -1 ivf -2 ivf 001 017; it counts in floats, so the sixth digit may be another."""
        output = self.xc("xc-ssim", "-a", "-1", "ivf", "-2", "ivf", vector("01"), vector("17")).decode()
        ours, theirs = ([line.split("\t") for line in text.splitlines()] for text in (output, original("xc-ssim.txt")))
        self.assertEqual([len(line) for line in ours], [len(line) for line in theirs])
        for a, b in zip(sum(ours, []), sum(theirs, [])):
            self.assertAlmostEqual(float(a), float(b), delta=2e-6)

    def test_states(self):
        """xc-dump -f 0 001 01, the same for 002 and 017; then xc-diff and comp-states. (After a key frame references
        are one picture. The original's files have no other states.)"""
        for number in ("01", "02", "17"):
            self.xc("xc-dump", "-f", 0, vector(number), number)
        for block in original("states.txt").split("# ")[1:]:
            pair, expected = block.split("\n", 1)
            tools = ["xc-diff", "comp-states"][:expected.count("exit")]
            output = ""
            for tool in tools:
                done = harness.run(BIN / tool, *pair.split(), cwd=self.dir)
                output += f"{done.stdout.decode()}exit {done.returncode}\n"
            self.assertEqual(output, expected, pair)

    def test_zero_out_residues(self):
        """MD5 of the pictures (by vpxdec) of what xc-zero-out-residues writes."""
        for line in original("zero-out-residues.txt").splitlines():
            digest, name = line.split()
            self.xc("xc-zero-out-residues", vector(name[-6:-4]), "out.ivf")
            self.assertEqual(harness.vpxdec_md5(self.dir / "out.ivf"), digest, name)

    def test_films(self):
        """vp8decode and xc-decode-bundle; the original always writes F24:1, which this film has."""
        header = b"YUV4MPEG2 W176 H144 F24:1 Ip A1:1 C420 XYSCSS=420\n"
        path = stream()
        self.xc("vp8decode", "-o", "a.y4m", path)
        film = (self.dir / "a.y4m").read_bytes()
        self.assertEqual(film[:len(header)], header)
        self.assertEqual(self.xc("xc-decode-bundle", stdin=f"{path}\n".encode()), film)
        self.assertEqual(self.xc("xc-decode", "--y4m", path).split(b"\n", 1)[1], film.split(b"\n", 1)[1])


class Ssim(Case):
    def test_equals_ffmpeg(self):
        harness.need("ffmpeg")
        film = harness.film(width=171, height=133, frames=8)
        path = harness.vpxenc(film, "--good", "--cpu-used=5", "--target-bitrate=60")
        self.xc("xc-decode", "--y4m", "-o", "b.y4m", path)
        graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]ssim=stats_file=-"
        # With its vector instructions, FFmpeg's figures for narrow planes are a little off.
        text = harness.must("ffmpeg", "-cpuflags", 0, "-v", "error", "-i", film, "-i", "b.y4m", "-lavfi", graph, "-f",
                            "null", "-", cwd=self.dir).decode()
        theirs = [[float(x) for x in found] for found in re.findall(r"Y:(\S+) U:(\S+) V:(\S+)", text)]
        ours = json.loads(self.xc("xc-ssim", "-a", "--json", "-1", "y4m", film, path))
        self.assertEqual(len(theirs), 8)
        for frame, expected in zip(ours["frames"], theirs):
            for plane, value in zip("yuv", expected):
                self.assertAlmostEqual(frame[plane], value, delta=2e-6)
        for plane, values in zip("yuv", zip(*theirs)):
            self.assertAlmostEqual(ours["mean"][plane], sum(values) / 8, delta=2e-6)

    def test_psnr(self):
        """What FFmpeg's psnr filter says, of each frame and of the film. Equal pictures have libyuv's limit."""
        film = harness.film(width=171, height=133, frames=8)
        path = harness.vpxenc(film, "--good", "--cpu-used=5", "--target-bitrate=60")
        self.xc("xc-decode", "--y4m", "-o", "b.y4m", path)
        graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]psnr=stats_file=frames"
        text = harness.run("ffmpeg", "-i", film, "-i", "b.y4m", "-lavfi", graph, "-f", "null", "-",
                           cwd=self.dir).stderr.decode()
        theirs = [[float(x) for x in found] for found in re.findall(
            r"psnr_y:(\S+) psnr_u:(\S+) psnr_v:(\S+)", (self.dir / "frames").read_text())]
        mean = re.search(r"PSNR y:(\S+) u:(\S+) v:(\S+)", text).groups()
        ours = json.loads(self.xc("xc-ssim", "-a", "--psnr", "--json", "-1", "y4m", film, path))
        self.assertEqual(len(theirs), 8)
        for frame, expected in zip([*ours["frames"], ours["mean"]], [*theirs, mean]):
            for plane, value in zip("yuv", expected):
                self.assertAlmostEqual(frame[f"psnr_{plane}"], float(value), delta=0.006)  # it prints two decimals
        lines = self.xc("xc-ssim", "--psnr", "-1", "y4m", film, path).decode().splitlines()
        self.assertEqual([line.split("\t")[1] for line in lines],
                         [f"{frame['psnr_y']:g}" for frame in ours["frames"]])
        self.assertEqual(self.xc("xc-ssim", "--psnr", path, path), b"1\t128\n" * 8)

    def test_films_that_do_not_fit(self):
        self.refuses("xc-ssim", stream(8), stream(6))
        self.refuses("xc-ssim", stream(8), stream(8, width=160))
        self.refuses("xc-ssim", "-1", "avi", stream(8), stream(8))


class Dissect(Case):
    def test_bits(self):
        """What the kinds add up to is the frame's size, but for the rounding up of its partitions."""
        path = harness.vpxenc(harness.film(), "--good", "--cpu-used=5", "--target-bitrate=200", "--token-parts=2")
        frames = json.loads(self.xc("xc-dissect", "-m", "--json", path))["frames"]
        self.assertEqual([f["size"] for f in frames], [len(data) for _, data in harness.Ivf(path).frames])
        for frame in frames:
            bits = frame["bits"]
            self.assertLess(abs(sum(bits.values()) / 8 - frame["size"]), 3 * 5)
            for kind in set(bits) - {"header", "probabilities"}:
                self.assertAlmostEqual(sum(mb["bits"][kind] for mb in frame["macroblocks"]), bits[kind], delta=0.01)
            self.assertEqual(bits["vectors"] > 0, not frame["key_frame"])

    def test_json_says_what_the_text_says(self):
        path = stream()
        text = self.xc("xc-dissect", "-m", "-c", "-p", path).decode()
        frames = json.loads(self.xc("xc-dissect", "-m", "-c", "-p", "--json", path))["frames"]
        self.assertEqual([int(q) for q in re.findall(r"y_ac_qi = (\d+)", text)],
                         [f["header"]["quantizer"]["y_ac"] for f in frames])
        macroblocks = [mb for f in frames for mb in f["macroblocks"]]
        self.assertEqual(re.findall(r"<Y>\nPrediction Mode: (\w+)", text), [mb["mode"] for mb in macroblocks])
        vectors = re.findall(r"Base Motion Vector: \( (-?\d+), (-?\d+) \)", text)
        self.assertEqual([[int(a) / 2, int(b) / 2] for a, b in vectors],  # the text has eighths
                         [mb["vector"] for mb in macroblocks if "vector" in mb])
        levels = [[int(x) for x in found.split(", ")] for found in re.findall(r"coeffs: \{ (.*) \}", text)]
        self.assertEqual(sorted(levels), sorted(v for mb in macroblocks for v in mb["coefficients"].values()))

    def test_a_chunk_needs_its_state(self):
        path = stream()
        ivf = harness.Ivf(path)
        self.xc("xc-dump", "-f", 3, path, "a.state")
        state = self.xc("xc-dump", "--id", "a.state").split()[0]
        ivf.frames = ivf.frames[4:]
        ivf.header = ivf.header[:28] + struct.pack("<I", int(state, 16))
        tail = self.write("tail.ivf", ivf.bytes())
        self.assertIn("-s", self.refuses("xc-dissect", tail))
        whole = self.xc("xc-dissect", "-m", "-f", 5, path).split(b"\n", 1)[1]
        self.assertEqual(self.xc("xc-dissect", "-s", "a.state", "-m", "-f", 1, tail).split(b"\n", 1)[1], whole)
        self.xc("xc-dissect", "--overlay", "a.png", "-f", 5, path)
        self.xc("xc-dissect", "--overlay", "b.png", "-f", 1, "-s", "a.state", tail)
        self.assertEqual(self.pixels("a.png", 128 * 4), self.pixels("b.png", 128 * 4))
        self.refuses("xc-dissect", "-f", 8, path)

    def pixels(self, name, rows):
        """The first rows of an overlay of 11 columns, as RGB."""
        data = harness.must("ffmpeg", "-v", "error", "-i", name, "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
                            cwd=self.dir)
        return data[:rows * 176 * 4 * 3]

    def test_overlay(self):
        """Each macroblock is tinted by what it predicts from."""
        harness.need("ffmpeg")
        path = harness.vpxenc(harness.film(cut=4), "--good", "--cpu-used=5", "--target-bitrate=200")
        picture = harness.must("ffmpeg", "-v", "error", "-i", path, "-vf", "select=eq(n\\,1)", "-frames:v", 1, "-f",
                               "rawvideo", "-pix_fmt", "rgb24", "-")
        self.xc("xc-dissect", "--overlay", "a.png", "-f", 1, path)
        overlay = self.pixels("a.png", 144 * 4)
        self.assertEqual(len(overlay), 144 * 4 * 176 * 4 * 3)
        for mb in json.loads(self.xc("xc-dissect", "-m", "-f", 1, "--json", path))["frames"][0]["macroblocks"]:
            redder = 0
            for row in range(16):
                for column in range(16):
                    at = 3 * ((mb["row"] * 16 + row) * 176 + mb["column"] * 16 + column)
                    drawn = 3 * (((mb["row"] * 16 + row) * 4 + 2) * 704 + (mb["column"] * 16 + column) * 4 + 2)
                    redder += overlay[drawn] - overlay[drawn + 2] - picture[at] + picture[at + 2]
            if mb["reference"] == "LAST_FRAME":
                self.assertLess(redder, 0, mb)
            elif mb["reference"] == "CURRENT_FRAME":
                self.assertGreater(redder, 0, mb)


class States(Case):
    def test_id(self):
        path = stream()
        self.xc("xc-dump", path, "a.state")
        state, digest = self.xc("xc-dump", "--id", "a.state").decode().split()
        self.assertEqual(self.xc("xc-dump", "--id", path).decode().split(), [state, digest])
        self.assertEqual(json.loads(self.xc("xc-dump", "--id", "--json", "a.state")),
                         {"file": "a.state", "id": state, "hash": digest})
        film = harness.film(frames=8)
        self.xc("xc-enc", "-i", "y4m", "-o", "b.ivf", "-I", "a.state", "-y", 40, film)
        self.assertEqual(harness.Ivf(self.dir / "b.ivf").expected_state, int(state, 16))
        self.refuses("xc-dump", "--id", "a.state", "b.state")
        self.refuses("xc-dump", "--id", "-f", 1, "a.state")

    def test_compressed(self):
        """A compressed state is smaller, and to every tool the same state."""
        path, film = stream(), harness.film(frames=8)
        self.xc("xc-dump", path, "plain.state")
        self.xc("xc-dump", "-z", path, "small.state")
        plain, small = ((self.dir / f"{name}.state").read_bytes() for name in ("plain", "small"))
        self.assertLess(len(small), 0.7 * len(plain))
        self.assertEqual((plain[8], small[8]), (1, 2))
        self.xc("xc-diff", "plain.state", "small.state")
        self.assertEqual(self.xc("xc-dump", "--id", "plain.state"), self.xc("xc-dump", "--id", "small.state"))
        compressing = harness.environment(XC_COMPRESS_STATES="1")
        self.xc("xc-dump", path, "again.state", env=compressing)
        self.assertEqual((self.dir / "again.state").read_bytes(), small)
        for name, env in (("plain", None), ("small", compressing)):
            self.xc("xc-enc", "-i", "y4m", "-o", f"{name}.ivf", "-O", f"{name}-after.state", "-I", f"{name}.state",
                    "-y", 40, film, env=env)
        self.assertEqual((self.dir / "plain.ivf").read_bytes(), (self.dir / "small.ivf").read_bytes())
        self.assertEqual((self.dir / "small-after.state").read_bytes()[8], 2)
        self.xc("xc-diff", "plain-after.state", "small-after.state")
        self.xc("xc-check", "small.state", "small-after.state")
        self.assertIn("neither 0 nor 1", self.refuses("xc-dump", path, "b.state",
                                                      env=harness.environment(XC_COMPRESS_STATES="yes")))
        self.refuses("xc-dump", "-z", "--id", path)
        for size in (1200, len(small) // 2, len(small) - 1):
            cut = self.write("cut.state", small[:size])
            self.assertRegex(self.refuses("xc-dump", "--id", cut), "the state (ends|should have)")
            self.assertEqual(harness.run(BIN / "xc-check", cut).returncode, 1)

    def test_how_much_differs(self):
        """The amounts, counted from the pictures that the states hold."""
        path = stream()
        self.xc("xc-dump", "-f", 0, path, "a.state")
        self.xc("xc-dump", "-f", 1, path, "b.state")
        done = harness.run(BIN / "xc-diff", "--json", "a.state", "b.state", cwd=self.dir)
        self.assertEqual(done.returncode, 1)
        report = json.loads(done.stdout)
        last = {i: harness.y4m_split(self.xc("xc-decode", "--y4m", path))[1][i].split(b"\n", 1)[1] for i in (0, 1)}
        pairs = [abs(a - b) for a, b in zip(last[0], last[1])]
        found = report["references"]["last"]
        self.assertEqual((found["samples"], found["different"]), (len(pairs), sum(map(bool, pairs))))
        self.assertAlmostEqual(found["mean_difference"], sum(pairs) / sum(map(bool, pairs)), delta=1e-5)
        text = harness.run(BIN / "xc-diff", "-a", "a.state", "b.state", cwd=self.dir).stdout.decode()
        self.assertIn(f"Last references are different. ({found['different']} of {len(pairs)})", text)


class Bundle(Case):
    def test_chunks(self):
        harness.encode(self.dir, harness.film(frames=12), 4, 3)
        names = "".join(f"{harness.number(i)}.ivf\n" for i in range(3))
        self.xc("xc-merge", "-o", "all.ivf", *names.split())
        self.xc("vp8decode", "-o", "all.y4m", "all.ivf")
        whole = (self.dir / "all.y4m").read_bytes()
        self.assertEqual(self.xc("xc-decode-bundle", stdin=names.encode()), whole)
        report = json.loads(self.xc("xc-decode-bundle", "--json", "-o", "b.y4m", stdin=names.encode()))
        self.assertEqual((self.dir / "b.y4m").read_bytes(), whole)
        self.assertEqual([part["entering"] for part in report[1:]], [part["exiting"] for part in report[:-1]])
        self.xc("xc-dump", "00000000.ivf", "s")
        rest = names.split("\n", 1)[1].encode()
        self.assertEqual(self.xc("xc-decode-bundle", "s", stdin=rest), self.frames_from(whole, 4))
        self.refuses("xc-decode-bundle", stdin=rest)
        self.refuses("xc-decode-bundle", stdin=b"")
        self.refuses("xc-decode-bundle", stdin=b"nothing.ivf\n")

    def frames_from(self, film, first):
        header, frames = harness.y4m_split(film)
        return header + b"".join(frames[first:])


class ZeroOutResidues(Case):
    def test_interframes_only_predict(self):
        path = stream()
        report = json.loads(self.xc("xc-zero-out-residues", "--json", path, "out.ivf"))
        sizes = [len(data) for _, data in harness.Ivf(self.dir / "out.ivf").frames]
        self.assertEqual(sizes, [frame["size_without_residue"] for frame in report["frames"]])
        frames = json.loads(self.xc("xc-dissect", "-m", "-c", "--json", "out.ivf"))["frames"]
        before = json.loads(self.xc("xc-dissect", "-m", "--json", path))["frames"]
        for new, old in zip(frames, before):
            for key in ("mode", "reference"):
                self.assertEqual([mb[key] for mb in new["macroblocks"]], [mb[key] for mb in old["macroblocks"]])
            self.assertEqual(any(mb["coefficients"] for mb in new["macroblocks"]), new["key_frame"])
        self.assertEqual(harness.our_frames(self.dir / "out.ivf"), harness.vpxdec_frames(self.dir / "out.ivf"))


class Manual(Case):
    """Man pages and completions say what --help says."""

    def manual(self, *arguments):
        return harness.must(harness.ROOT / "mk/manual", *arguments).decode()

    def options(self, text):
        """The options of a --help text, long and short."""
        return {name for line in re.findall(r"(?m)^ {1,7}(-.*)$", text) for name in re.findall(
            r"(?:^|, )(--?[\w-]+)", re.split(r"  +\w", line)[0].replace("  ", " "))}

    def programs(self):
        return [*sorted(BIN.glob("xc-*")), BIN / "vp8decode", BIN / "comp-states", harness.ROOT / "excamera",
                harness.ROOT / "gen_makefile.py"]

    def others(self):
        """Programs with commands in place of options."""
        return [harness.ROOT / "hosts/xc-hosts", harness.ROOT / "lambda/xc-lambda"]

    def test_pages_of_programs_with_commands(self):
        """Every command has a paragraph, as has every option of one, under that."""
        for program in self.others():
            with self.subTest(program.name):
                text = harness.must(program, "--help").decode()
                page = self.manual("page", program, "1.2.3").replace("\\-", "-")
                terms = re.findall(r"(?m)^(?: {2}(?=xc-)| {4}(?=-))(\S+(?: \S+)*)", text[:text.find("\nVariables:")])
                terms = [term for term in terms if not re.search(r"ENGINE|\$", term)]
                self.assertGreater(len(terms), 3)
                self.assertEqual(re.findall(r"\.TP\n\\fB(xc-.*|-.*)\\fR", page), terms)
                script = self.write("excamera.bash", self.manual("bash", program).encode())
                verbs = sorted({term.split()[1] for term in terms if term.startswith("xc-")})
                offered = harness.must(
                    "bash", "-c", f'source {script}; COMP_CWORD=1; for letter in {{a..z}}; do _excamera {program.name} '
                    '$letter; printf "%s\\n" "${COMPREPLY[@]}"; done', cwd=self.dir)
                self.assertEqual(sorted(offered.decode().split()), sorted([*verbs, script.name]))

    def test_groups_of_options(self):
        page = self.manual("page", harness.ROOT / "excamera", "1.2.3")
        self.assertRegex(page, r"\n\.SS Quality\n\.TP\n\\fB\\-q\\fR")
        self.assertNotIn(".SS Options", page)

    def test_numbered_lists(self):
        page = self.manual("format", "excamera-state", harness.ROOT / "docs/state-file.md", "1")
        self.assertRegex(page, r"\n\.IP 1\. 3\nthe magic number, .*\n\.IP 2\. 3\nthe values")

    def test_pages(self):
        for program in self.programs():
            with self.subTest(program.name):
                page = self.manual("page", program, "1.2.3").replace("\\-", "-")
                found = set(re.findall(r"\\fB(--?\w[\w-]*)\\fR", page))
                self.assertEqual(found, self.options(harness.must(program, "--help").decode()))
                for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"):
                    self.assertIn(f"\n.SH {section}\n", page)

    def test_command(self):
        """excamera report has a page and completion of its own."""
        program = harness.ROOT / "excamera"
        wanted = self.options(harness.must(program, "report", "--help").decode())
        page = self.manual("page", program, "1.2.3", "report").replace("\\-", "-")
        self.assertEqual(set(re.findall(r"\\fB(--?\w[\w-]*)\\fR", page)), wanted)
        self.assertIn(".TH EXCAMERA-REPORT 1 ", page)
        self.assertIn("\\fBexcamera report\\fR [OPTION]... INPUT -o FILE.html", page)
        self.assertIn("\\fBexcamera-report\\fR(1)", self.manual("page", program, "1.2.3").replace("\\-", "-"))
        script = self.write("excamera.bash", self.manual("bash", *self.programs()).encode())
        complete = f'source {script}; COMP_WORDS=(excamera report -); COMP_CWORD=%d; _excamera excamera %s; ' \
                   'printf "%%s\\n" "${COMPREPLY[@]}"'
        self.assertEqual(set(harness.must("bash", "-c", complete % (2, "-")).decode().split()), wanted)
        self.assertEqual(harness.must("bash", "-c", complete % (1, "rep"), cwd=self.dir).decode().split(), ["report"])

    def test_troff_has_no_complaint(self):
        harness.need("man")
        pages = {f"{p.name}.1": self.manual("page", p, "1.2.3") for p in [*self.programs(), *self.others()]}
        pages["report.1"] = self.manual("page", harness.ROOT / "excamera", "1.2.3", "report")
        pages["ivf.5"] = self.manual("format", "excamera-ivf", harness.ROOT / "docs/ivf.md", "1")
        pages["state.5"] = self.manual("format", "excamera-state", harness.ROOT / "docs/state-file.md", "1")
        pages["timings.5"] = self.manual("format", "excamera-timings", harness.ROOT / "docs/latency.md", "1",
                                         "timings.tsv")
        for name, text in pages.items():
            with self.subTest(name):
                path = self.write(name, text.encode())
                done = harness.run("man", "--warnings", "-E", "UTF-8", "-l", path)
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_bash(self):
        harness.need("bash")
        script = self.write("excamera.bash", self.manual("bash", *self.programs()).encode())
        for program in self.programs():
            with self.subTest(program.name):
                command = f'source {script}; _excamera {program.name} -; printf "%s\\n" "${{COMPREPLY[@]}}"'
                words = harness.must("bash", "-c", command).decode().split()
                self.assertEqual(set(words), self.options(harness.must(program, "--help").decode()))

    def test_zsh(self):
        harness.need("zsh")
        script = self.write("_excamera", self.manual("zsh", *self.programs()).encode())
        harness.must("zsh", "-n", script)

    def typed(self, *lines):
        """What zsh has written when lines have been typed into a terminal, each with what it has to write for that."""
        self.write("_excamera", self.manual("zsh", *self.programs(), *self.others()).encode())
        child, terminal = pty.fork()
        if not child:
            os.chdir(self.dir)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb"})
        written = b""
        try:
            ready = f"fpath=({self.dir} $fpath); autoload -U compinit; compinit -u -D; echo $((20+3))\n", "23"
            for line, wanted in (ready, *lines):
                os.write(terminal, line.encode())
                before = len(written)
                while wanted.encode() not in written[before:]:
                    self.assertTrue(select.select([terminal], [], [], harness.TIMEOUT)[0], written)
                    written += os.read(terminal, 4096)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        return written.decode(errors="replace")

    def test_zsh_at_work(self):
        harness.need("zsh")
        kill = "\x15"
        text = self.typed(("excamera rep\t", "excamera report"), (f"{kill}excamera --seg\t", "--segments="),
                          ("h\t", "hls"), (f"{kill}xc-hosts ch\t", "xc-hosts check"))
        self.assertNotIn("bad option", text)

    def test_values(self):
        """Where an option takes one of a few words, those are offered."""
        script = self.write("excamera.bash", self.manual("bash", *self.programs()).encode())
        for program, option, typed, wanted in (
                ("excamera", "--segments", "", "hls dash"), ("excamera", "--structure", "a", "anchored"),
                ("xc-enc", "--quality", "", "best rt"), ("xc-enc", "-q", "r", "rt")):
            with self.subTest(option):
                command = f'source {script}; _excamera {program} "{typed}" {option}; echo "${{COMPREPLY[@]}}"'
                self.assertEqual(harness.must("bash", "-c", command).decode(), wanted + "\n")
