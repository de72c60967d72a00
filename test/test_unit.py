"""The C test programs: the library's interface, frames as values, damaged frames, and the DSP kernels against each
other."""
import re

import harness
from harness import BUILD, Case
from streams import MATRIX, stream

# Small streams that hold every feature libvpx's encoder has; fuzzing takes the smallest.
STREAMS = [name for name in MATRIX if not name.startswith(("sharpness", "four threads"))]
FUZZED = ["published", "size 17x15", "segments", "profile 3, 8 partitions", "error resilient 1"]


class Programs(Case):
    """Each line "passed NAME" or "FAILED NAME: WHY" of a program is a test of its own."""

    def report(self, program, *arguments):
        done = harness.run(BUILD / program, *arguments)
        lines = done.stdout.decode().splitlines()
        for line in lines:
            if match := re.fullmatch(r"(passed|FAILED) (.*)", line):
                with self.subTest(program, test=match[2].partition(":")[0]):
                    if match[1] == "FAILED":
                        self.fail(match[2])
        with self.subTest(program, test="runs to its end"):
            self.assertEqual(done.stderr.decode()[:2000], "")
            self.assertRegex(lines[-1] if lines else "", r"^\d+ passed, \d+ failed, \d+ skipped$")

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

    def test_kernels(self):
        self.report("checkasm")
