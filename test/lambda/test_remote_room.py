# SPDX-License-Identifier: BSD-2-Clause
"""The driver with the remote engines, when it decodes the film itself: raw chunks are here only until they have been
uploaded, and all comes out as in a local run."""
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import zlib

import harness
import remote
from harness import ROOT, number
from remote import RemoteCase
from xcdriver.uploads import MOST_HERE

REFERENCE = 1000  # bytes; all raw chunks are larger
FILE = re.compile(r"\d{8}\.y4m")
BOTH = ("lambda", "lambda-chunk")


def setUpModule():
    remote.start(workers=4)


def tearDownModule():
    remote.stop()


def raw_files(work):
    """The raw chunks in the work directory that are no references, as paths within it."""
    found = set()
    for directory in ("", "upload"):
        with contextlib.suppress(FileNotFoundError):  # it has been removed in the meantime
            for name in filter(FILE.fullmatch, os.listdir(work / directory)):
                with contextlib.suppress(FileNotFoundError):
                    found |= {f"{directory}/{name}"} if (work / directory / name).stat().st_size >= REFERENCE else set()
    return found


class RoomCase(RemoteCase):
    film = {"width": 64, "height": 48, "frames": 32, "cut": 21}
    options = ("-q", "40", "-s", "2", "-k", "4", "-j", "4", "--no-scenes", "--quiet")

    def setUp(self):
        super().setUp()
        for path in self.dir.iterdir():
            path.unlink()
        shutil.copy(harness.film(**self.film, seed=zlib.crc32(self.id().encode()) % 100000 + 1), self.dir / "film.y4m")
        self.work = self.dir / "remote.ivf.work"

    def popen(self, output, *options, **changes):
        process = subprocess.Popen(
            [ROOT / "excamera", "film.y4m", "-o", output, *self.options, *options], cwd=self.dir,
            env=self.environment(**changes), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)  # of a test that has failed
        return process

    def excamera(self, output, *options, **changes):
        """Returns the exit status and what was said."""
        process = self.popen(output, *options, **changes)
        said = process.communicate(timeout=4 * harness.TIMEOUT)[1].decode()
        return process.returncode, said

    def works(self, output, *options, **changes):
        status, said = self.excamera(output, *options, **changes)
        self.assertEqual(status, 0, said)
        return said

    def makes(self, expected, *options, **changes):
        """A run that works, and the bytes that come of it."""
        self.works("remote.ivf", *options, **changes)
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), expected)

    def expected(self, *options):
        self.works("local.ivf", *options, ENGINE="local")
        return (self.dir / "local.ivf").read_bytes()

    def held(self, text):
        """Variables with which this stands before each upload: a shell script, with the chunk's number in $chunk."""
        programs = self.dir / "programs"
        harness.install_stubs(programs, {"xc-remote": f"""
            if [ "$1" = store ]; then
                chunk=$(expr "$2" : '.*/\\([0-9]*\\).y4m' + 0); {text}
            fi; exec "{self.stack.programs}/xc-remote" "$@" """})
        if not (programs / "xc-task").exists():
            (programs / "xc-task").symlink_to(self.stack.programs / "xc-task")
        return {"XC_LAMBDA_PROGRAMS": str(programs)}

    def held_from(self, chunk):
        """Variables with which uploads wait from this chunk on, as long as there is a file `hold`."""
        self.write("hold", b"")
        return self.held(f'while [ "$chunk" -ge {chunk} ] && [ -e "{self.dir}/hold" ]; do sleep 0.02; done')

    def interrupted(self, engine, how=signal.SIGKILL):
        """A run that has been stopped when eight chunks were finished, and no others could come."""
        process = self.popen("remote.ivf", ENGINE=engine, **self.held_from(14))
        harness.wait_for(lambda: all((self.work / f"{number(chunk)}.{end}").exists()
                                     for chunk, end in ((7, "ivf"), (13, "y4m"))))
        os.killpg(process.pid, how)
        process.communicate(timeout=harness.TIMEOUT)
        self.assertNotEqual(process.returncode, 0)
        self.assertFalse((self.dir / "remote.ivf").exists())


class Room(RoomCase):
    def check(self, most, *options, **changes):
        """While nothing is sent, xc-split stops after so many chunks; and there are never more of them."""
        process = self.popen("remote.ivf", *options, **changes, **self.held_from(0))
        harness.wait_for(lambda: len(raw_files(self.work)) >= most)
        highest = 0
        (self.dir / "hold").unlink()
        while process.poll() is None:
            highest = max(highest, len(raw_files(self.work)))
            for name in raw_files(self.work):
                self.assertRegex(name, "^upload/")
        self.assertEqual((process.communicate()[1], process.returncode), (b"", 0))
        self.assertLessEqual(highest, most)

    def test_many_at_a_time(self):
        """Not even if all are of one segment."""
        expected = self.expected("-s", "1")
        self.check(MOST_HERE, "-s", "1", "-j", "32", ENGINE="lambda")
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), expected)

    def test_few_at_a_time(self):
        """In segments of four chunks: two of them are there at a time, as references or as raw chunks."""
        expected = self.expected()
        self.check(8, ENGINE="lambda-chunk")
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), expected)

    def test_scenes(self):
        """The chunks of a batch are known when they are sent."""
        expected = self.expected("-s", "6", "--scenes")
        self.makes(expected, "-s", "6", "--scenes", ENGINE="lambda-chunk")

    def test_ladder(self):
        """No size holds up the others, which here need more chunks for a segment than may be here."""
        shutil.copy(harness.film(width=128, height=96, frames=2 * MOST_HERE, seed=7), self.dir / "film.y4m")
        for output, engine in (("local.ivf", "local"), ("remote.ivf", "lambda")):
            self.works(output, "--ladder", "96,64", "-s", "1", "-j", "100", ENGINE=engine)
        for size in ("96", "64"):
            self.assertEqual((self.dir / f"remote-{size}.ivf").read_bytes(),
                             (self.dir / f"local-{size}.ivf").read_bytes())

    def test_film_that_cannot_be_decoded_there(self):
        expected = self.expected()
        self.options = self.options[:-1]  # not --quiet
        said = self.works("remote.ivf", "--decode", "there", "--verbose", ENGINE="lambda-chunk")
        self.assertIn("film.y4m: is decoded here: ", said)
        self.assertIn("encoding the chunks 4 to 7\n", said)
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), expected)

    def test_aspect_ratio(self):
        """It is in the raw chunks only."""
        film = (self.dir / "film.y4m").read_bytes()
        self.write("film.y4m", re.sub(rb" A\d+:\d+|(?=\n)", b" A4:3", film, 1))
        self.works("remote.mkv", ENGINE="lambda-chunk")
        said = harness.must("ffprobe", "-v", "error", "-show_entries", "stream=display_aspect_ratio", "-of", "csv=p=0",
                            "remote.mkv", cwd=self.dir)
        self.assertEqual(said.strip(), b"16:9")

    def test_room_that_is_needed(self):
        """It does not grow with the number of processes."""
        said = {}
        for engine, jobs in (("local", 60), ("lambda", 60), ("lambda", 6000)):
            done = harness.must(ROOT / "excamera", "film.y4m", "-o", "remote.ivf", *self.options, "-s", "1", "-j", jobs,
                                "--dry-run", cwd=self.dir, env=self.environment(ENGINE=engine)).decode()
            said[engine, jobs] = re.search("^room: +(.*)$", done, re.M)[1]
        self.assertEqual(said["lambda", 60], said["lambda", 6000])
        self.assertNotEqual(said["lambda", 60], said["local", 60])


class GoingOn(RoomCase):
    def test_interrupted(self):
        expected = self.expected()
        for engine, how in zip(BOTH, (signal.SIGKILL, signal.SIGINT)):
            with self.subTest(engine):
                self.interrupted(engine, how)
                (self.dir / "hold").unlink()
                self.makes(expected, ENGINE=engine, **self.held(f'echo "$chunk" >>"{self.dir}/sent"'))
                self.assertEqual(sorted((self.dir / "sent").read_text().split()), ["13", "14", "15"],
                                 "the last one may not have been whole")
                self.assertFalse(self.work.exists())
                for name in ("remote.ivf", "sent"):
                    (self.dir / name).unlink()

    def test_pictures_are_needed_here(self):
        """Where an interrupted run has left references, the run that goes on has the pictures, if it measures them, or
        if its steps run here."""
        for options, engine in ((["--measure"], "lambda"), ([], "local"), (["--keep"], "lambda-chunk")):
            with self.subTest(options=options, engine=engine):
                expected = self.expected(*options)
                self.interrupted("lambda")
                shutil.rmtree(self.dir / "local.ivf.work", ignore_errors=True)
                self.makes(expected, *options, ENGINE=engine)
                shutil.rmtree(self.work, ignore_errors=True)
                (self.dir / "remote.ivf").unlink()

    def test_chunk_that_was_cut_short(self):
        """If ffmpeg is killed before xc-split, the last chunk has too few pictures."""
        expected = self.expected()
        self.interrupted("lambda")
        (self.dir / "hold").unlink()
        last = self.work / f"{number(13)}.y4m"
        for verb in ("fetch", "store"):
            harness.must(self.stack.programs / "xc-remote", verb, last.name, cwd=self.work, env=self.environment())
            if verb == "fetch":
                header, pictures = harness.y4m_split(last.read_bytes())
                last.write_bytes(header + pictures[0])
        self.makes(expected, ENGINE="lambda")

    def test_measure(self):
        """The raw pictures stay here until they have been compared."""
        self.options = self.options[:-1]
        said = [self.works(f"{engine}.ivf", "--measure", ENGINE=engine) for engine in ("local", "lambda")]
        self.assertEqual(*(re.search("SSIM.*", text)[0] for text in said))

    def test_expired_data(self):
        """References to nothing go away, and the run after that splits the film again."""
        expected = self.expected()
        self.interrupted("lambda")
        (self.dir / "hold").unlink()
        for path in self.work.glob("*.y4m"):
            digest = path.read_text().splitlines()[1].split()[1]
            shutil.rmtree(self.stack.directory / "s3" / remote.stack.BUCKET / "data" / digest)
        status, said = self.excamera("remote.ivf", ENGINE="lambda")
        self.assertEqual(status, 1)
        self.assertIn("its data are no longer in the store; the next make makes it anew", said)
        self.makes(expected, ENGINE="lambda")


class Faults(RoomCase):
    def fails(self, **changes):
        status, said = self.excamera("remote.ivf", ENGINE="lambda", **changes)
        self.assertEqual(status, 1)
        self.assertRegex(said, r"\Aexcamera: [^\n]+\n\Z")
        return said

    def test_upload_that_fails(self):
        """It ends the run with one line, and costs nothing that is finished."""
        expected = self.expected()
        said = self.fails(**self.held('[ "$chunk" != 13 ] || { echo "xc-lambda: no luck today" >&2; exit 1; }'))
        self.assertIn("excamera: xc-lambda: no luck today", said)
        self.makes(expected, ENGINE="lambda")

    def test_upload_that_dies(self):
        """Between the upload and the reference, say: the chunk is here, or the reference."""
        expected = self.expected()
        said = self.fails(**self.held('[ "$chunk" != 13 ] || kill -9 $$'))
        self.assertIn("xc-remote: was killed by SIGKILL", said)
        self.makes(expected, ENGINE="lambda")

    def test_nothing_is_deployed(self):
        """This is found before anything is sent."""
        self.stack.start_proxy(bare=remote.stack.REGION)
        self.addCleanup(self.stack.start_proxy)
        said = self.fails(**self.held("echo sent >&2; exit 1"))
        self.assertIn("excamera: xc-lambda: the region: has no function excamera; run: xc-lambda deploy", said)

    def test_nothing_is_built(self):
        said = self.fails(XC_LAMBDA_PROGRAMS=str(self.dir))
        self.assertIn(f"excamera: {self.dir}/xc-remote: is not there; make lambda builds it", said)


class Store(RemoteCase):
    """xc-remote store, by itself."""

    def store(self, *names, **changes):
        return harness.run(self.stack.programs / "xc-remote", "store", *names, cwd=self.dir,
                           env=self.environment(**changes))

    def test_there_and_back(self):
        name = f"{number(1)}.y4m"
        data = (self.dir / name).read_bytes()
        for _ in range(2):  # what is a reference remains one
            done = self.store(name)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
        digest = hashlib.sha256(data).hexdigest()
        self.assertEqual((self.dir / name).read_text().splitlines(), [
            "XCREF xc-lambda fetch", f"sha256 {digest}", f"size {len(data)}", f"bucket {remote.stack.BUCKET}"])
        self.assertIn(f"data/{digest}\n", (self.dir / ".xc-lambda/objects").read_text())
        harness.must(self.stack.programs / "xc-remote", "fetch", name, cwd=self.dir, env=self.environment())
        self.assertEqual((self.dir / name).read_bytes(), data)

    def test_refused(self):
        """What the store does not take stays here."""
        before = {path.name: path.read_bytes() for path in self.dir.iterdir()}
        for changes in ({"XC_LAMBDA_BUCKET": "no-such-bucket"}, {"AWS_SECRET_ACCESS_KEY": "wrong"}):
            done = self.store(*sorted(before), XC_LAMBDA_ATTEMPTS="2", **changes)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr.decode(), r"\Axc-lambda: [^\n]+\n\Z")
            self.assertEqual({name: (self.dir / name).read_bytes() for name in before}, before)
