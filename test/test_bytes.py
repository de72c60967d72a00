# SPDX-License-Identifier: BSD-2-Clause
"""The bytes of finished chunks, for films that the tests make. A change that is meant to change nothing leaves them.

libvpx decides about them, too, so each of its versions has sums of its own in bytes.json. A change that is meant to
make other bytes writes them anew: XC_WRITE_SUMS=1 test/run test_bytes."""
import functools
import hashlib
import json
import os
import pathlib
import re
import unittest

import harness
from harness import Case

SUMS = pathlib.Path(__file__).with_name("bytes.json")
FILMS = {
    "a scene cut": {"width": 176, "height": 144, "frames": 60, "cut": 33},
    "odd sizes": {"width": 111, "height": 77, "frames": 50, "seed": 3},
}
SIZES = [(6, 16), (12, 8)]  # frames per chunk, chunks per batch
STRUCTURES = ("classic", "anchored")


@functools.lru_cache(None)
def libvpx_version():
    harness.need("vpxenc")
    return re.search(r"v(\d+\.\d+\.\d+)", harness.must("vpxenc", "--help").decode())[1]


class Bytes(Case):
    def sum(self, film, size, batch, structure):
        """A digest of all finished chunks of a film."""
        directory = self.dir / f"{film['width']}-{size}-{batch}-{structure}"
        directory.mkdir()
        chunks = harness.write_chunks(harness.film(**film), directory, size)
        makefile = harness.must(harness.ROOT / "gen_makefile.py", "--structure", structure, 0, chunks - 1, batch, 22)
        (directory / "excamera.mk").write_bytes(makefile)
        harness.must("make", "-s", "-j2", "-f", "excamera.mk", cwd=directory)
        finished = sorted(directory.glob("[0-9]*.ivf"))
        self.assertEqual(len(finished), chunks)
        return hashlib.sha256(b"".join(path.read_bytes() for path in finished)).hexdigest()

    def test_bytes(self):
        sums = json.loads(SUMS.read_text())
        known = sums.setdefault(libvpx_version(), {})
        if not known and "XC_WRITE_SUMS" not in os.environ:
            raise unittest.SkipTest(f"test/bytes.json has no sums for libvpx {libvpx_version()}")
        for name, film in FILMS.items():
            for size, batch in SIZES:
                for structure in STRUCTURES:
                    key = f"{name}, [{size},{batch}], {structure}"
                    with self.subTest(key):
                        made = self.sum(film, size, batch, structure)
                        if "XC_WRITE_SUMS" in os.environ:
                            known[key] = made
                        self.assertEqual(made, known[key])
        if "XC_WRITE_SUMS" in os.environ:
            SUMS.write_text(json.dumps(sums, indent=4) + "\n")
