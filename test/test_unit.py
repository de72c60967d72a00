# SPDX-License-Identifier: BSD-2-Clause
"""The C test programs: the library's interface, frames as values, damaged frames, raw films, and the DSP kernels
against each other."""
import re

import harness
from harness import BUILD, Case
from streams import MATRIX, stream

# Small streams that hold every feature libvpx's encoder has; fuzzing takes the smallest.
STREAMS = [name for name in MATRIX if not name.startswith(("sharpness", "four threads"))]
FUZZED = ["published", "size 17x15", "segments", "profile 3, 8 partitions", "error resilient 1"]


class Programs(Case):
    """Each line "passed NAME" or "FAILED NAME: FILE:LINE: WHY" of a program is a test of its own."""

    def report(self, program, *arguments):
        done = harness.run(BUILD / program, *arguments)
        lines = done.stdout.decode().splitlines()
        failures = 0
        for line in lines:
            if match := re.fullmatch(r"(passed|FAILED) (.*?)(: \S+\.[ch]:\d+: .*)?", line):
                with self.subTest(program, test=match[2]):
                    if match[1] == "FAILED":
                        failures += 1
                        self.fail(line)
        with self.subTest(program, test="runs to its end"):
            self.assertEqual(done.stderr.decode()[:2000], "")
            self.assertRegex(lines[-1] if lines else "", r"^\d+ passed, \d+ failed, \d+ skipped$")
            self.assertEqual(done.returncode, 1 if failures else 0, done.stdout.decode()[-2000:])

    def test_pictures(self):
        self.report("unit_picture")

    def test_files(self):
        self.report("unit_files")

    def test_state(self):
        self.report("unit_state")

    def test_frames_from_libvpx(self):
        self.report("unit_frame", *map(stream, STREAMS))

    def test_frames_of_the_vectors(self):
        self.report("unit_frame", *harness.vectors())

    def test_frames_that_no_encoder_makes(self):
        paths = []
        for seed in range(20, 24):
            paths.append(self.dir / f"variant-{seed}.ivf")
            harness.must(BUILD / "make-variants", seed, stream("error resilient 3"), paths[-1])
        self.report("unit_frame", *paths)

    def test_damaged_frames(self):
        self.report("unit_fuzz", 20, *map(stream, FUZZED))

    def test_search(self):
        self.report("unit_search")

    def test_encoder(self):
        self.report("unit_encode")

    def test_chunks(self):
        self.report("unit_chunk")

    def test_memory_runs_out(self):
        self.report("unit_alloc")

    def test_memory_runs_out_in_every_call(self):
        """Those of error.h only say what has failed."""
        test = harness.ROOT / "test"
        program = "".join(path.read_text() for path in (test / "unit_alloc.c", test / "unit_alloc/inputs.h"))
        headers = [path for path in harness.ROOT.glob("lib/include/excamera/*.h") if path.name != "error.h"]
        calls = {call for path in headers for call in re.findall(r"^enum xc_status (xc_\w+)\(", path.read_text(), re.M)}
        self.assertGreater(len(calls), 40)
        self.assertEqual([call for call in sorted(calls) if f"{call}(" not in program], [])

    def test_analysis(self):
        self.report("unit_analysis")

    def test_kernels(self):
        self.report("checkasm")
