# SPDX-License-Identifier: BSD-2-Clause
"""Every tool explains itself, and takes the options that are published, short and long."""
import re
import shutil
import subprocess

import harness
from harness import BIN, Case

# The options that each tool must have: those of the published command lines and of the original tools, and our own. A
# new tool needs an entry, if only an empty one.
OPTIONS = {
    "xc-check": "--sums --list",
    "xc-decode-bundle": "-o --output -v --verbose --json --threads",
    "xc-diff": "-a --amounts --json",
    "xc-dissect": "-m --macroblocks -p --probability-tables -c --coefficients -f --frame -s --initial-state -b --bits "
                  "--overlay --json",
    "xc-framesize": "--json",
    "xc-ssim": "-a --all-planes -1 --video1-format -2 --video2-format --psnr --json",
    "xc-zero-out-residues": "-S --input-state --json",
    "xc-decode": "-S --input-state --i420 --y4m --md5 --frame-md5 -o --output --threads",
    "xc-dump": "-f --frame-number -S --input-state -z --compress --anchors --cq-level --id --json --threads",
    "xc-enc": "-W --no-wait -w --kf-q-weight -i --input-format -o --output -r --reencode -I --input-state -p "
              "--pred-ivf -S --pred-state -O --output-state -e --extra-frame-chunk -y --y-ac-qi -s --ssim --threads "
              "--anchors --guess --after --before --key --follow --cq-level --place --fit-bytes --fit-ssim --speed",
    "xc-merge": "-o --output --threads",
    "xc-png2y4m": "-o --output --chroma-444 --chroma-422 -s --aspect-numerator -S --aspect-denominator -f "
                  "--framerate-numerator -F --framerate-denominator --no-dither -d -i",
    "xc-rebase": "-w --kf-q-weight -i --input-format -o --output -I --input-state -p --pred-ivf -S --pred-state "
                 "-O --output-state -r --reencode -W --no-wait --anchors --cq-level --replay "
                 "--replay-cq-level --threads",
    "xc-split": "-s -d --start --skip --at-most --scenes --scenes-to --scenes-from",
    "xc-terminate-chunk": "",
    "xc-timed": "",
    "xc-unpack": "-o --output --first --last --next --decoder",
    "xc-vpxenc": "--ivf --codec --good --best --rt --cpu-used --end-usage --min-q --max-q --cq-level --buf-initial-sz "
                 "--buf-optimal-sz --buf-sz --undershoot-pct -p --passes --auto-alt-ref -t --threads --token-parts "
                 "--tune --target-bitrate -o --output",
}


class Tools(Case):
    def test_help(self):
        for tool, options in OPTIONS.items():
            with self.subTest(tool):
                text = self.xc(tool, "--help").decode()
                self.assertRegex(text, rf"\AUsage: {tool} ")
                words = set(text.replace(",", " ").replace("=", " ").split())
                self.assertEqual(set((options + " --help --version").split()) - words, set())
                explanation = re.sub(r"\nExamples?:\n(  .*\n)+", "", text[text.index("\n\n"):])
                self.assertLessEqual(max(map(len, explanation.splitlines())), 80)

    def test_examples(self):
        """The commands in --help work, in a directory in which chunks were made by the published commands."""
        harness.need("ffmpeg")
        made = self.dir / "made"
        made.mkdir()
        film = harness.film(width=64, height=48, frames=12)
        harness.encode(made, film, 4, 3)
        (made / "film.y4m").write_bytes(film.read_bytes())
        self.xc("xc-merge", "-o", "film.ivf", *(f"{harness.number(i)}.ivf" for i in range(3)), cwd=made)
        harness.must("ffmpeg", "-v", "error", "-i", film, made / "film.mp4", made / "%08d.png")
        for tool in OPTIONS:
            scratch = self.dir / tool
            shutil.copytree(made, scratch)
            text = self.xc(tool, "--help").decode()
            examples = re.search(r"\nExamples?:\n((?:  .*\n)+)\Z", text)
            self.assertIsNotNone(examples, tool)
            for command in examples[1].splitlines():
                with self.subTest(command.strip()):
                    self.assertRegex(command, rf"\b{tool} ")
                    done = harness.run("bash", "-c", f"set -o pipefail; {command}", cwd=scratch)
                    self.assertEqual(done.returncode, int(tool == "xc-diff"), done.stderr.decode())

    def test_version(self):
        for tool in OPTIONS:
            with self.subTest(tool):
                self.assertRegex(self.xc(tool, "--version").decode(), rf"\A{tool} \d+\.\d+\.\d+\n\Z")

    def test_all_tools_are_tested(self):
        tools = {p.name for p in BIN.glob("xc-*")}
        self.assertEqual(tools - set(OPTIONS), set(), "add these tools, with their options, to OPTIONS in "
                         "test/test_cli.py, and bad input for them to test/test_refusals.py")
        self.assertEqual(set(OPTIONS) - tools, set(), "remove these tools from OPTIONS in test/test_cli.py, or build "
                         "them")

    def test_usage_errors(self):
        for tool in OPTIONS:
            for arguments in ((), ("--no-such-option",), ("-Z",), ("--help=yes",)):
                with self.subTest(tool, arguments=arguments):
                    self.refuses(tool, *arguments)

    def test_help_on_a_full_disk(self):
        for tool in OPTIONS:
            with self.subTest(tool), open("/dev/full", "w") as full:
                done = subprocess.run([BIN / tool, "--help"], stdout=full, stderr=subprocess.PIPE)
                self.assertGreater(done.returncode, 0)
                self.assertRegex(done.stderr.decode(), rf"\A{tool}: [^\n]+\n\Z")

    def test_long_and_short_options_mean_the_same(self):
        path = harness.vpxenc(harness.film(frames=8), "--good", "--cpu-used=5", "--target-bitrate=200")
        self.xc("xc-dump", "-f", 3, path, "a.state")
        self.xc("xc-dump", "--frame-number=3", path, "b.state")
        self.xc("xc-dump", "--frame-number", 3, "--", path, "c.state")
        self.assertEqual((self.dir / "a.state").read_bytes(), (self.dir / "b.state").read_bytes())
        self.assertEqual((self.dir / "a.state").read_bytes(), (self.dir / "c.state").read_bytes())
