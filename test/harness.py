# SPDX-License-Identifier: BSD-2-Clause
"""What the tests share: where the programs are, how to run them, films and streams made on the spot, and what
independent decoders (libvpx's vpxdec, FFmpeg) make of a file."""
import atexit
import contextlib
import hashlib
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("XC_BIN", ROOT / "bin")).resolve()
BUILD = pathlib.Path(os.environ.get("XC_BUILD", ROOT / "build/release")).resolve()
VECTORS = pathlib.Path(os.environ.get("XC_VECTORS", ROOT.parent / "shared/vp8-test-vectors")).resolve()
TIMEOUT = 300  # seconds; no command of the tests needs a tenth of it, even under the sanitizers on a busy machine

# The options of the published vpxenc command line; {q} is its --cq-level.
PUBLISHED_VPXENC = (
    "--ivf --codec=vp8 --good --cpu-used=0 --end-usage=cq --min-q=0 --max-q=63 --cq-level={q} --buf-initial-sz=10000 "
    "--buf-optimal-sz=20000 --buf-sz=40000 --undershoot-pct=100 --passes=2 --auto-alt-ref=1 --threads=1 "
    "--token-parts=0 --tune=ssim --target-bitrate=4294967295")

# What XC_CPU can limit the kernels to; on another kind of machine some of these mean the same.
CPUS = ("c", "sse2", "ssse3", "avx2", "neon")


def cache():
    """A directory for what several tests need and nobody changes. test/run hands the same one to all its processes."""
    if "XC_TEST_CACHE" not in os.environ:
        os.environ["XC_TEST_CACHE"] = tempfile.mkdtemp(prefix="excamera-test-")
        os.chmod(os.environ["XC_TEST_CACHE"], 0o755)  # some tests run tools as another user
        atexit.register(shutil.rmtree, os.environ["XC_TEST_CACHE"], ignore_errors=True)
    return pathlib.Path(os.environ["XC_TEST_CACHE"])


def cached(make, *key, suffix):
    """The path of what make(path) writes, a file or a directory, made once per key. If two processes make it at once,
    either result is kept."""
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:24]
    path = cache() / (name + suffix)
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as directory:
            made = pathlib.Path(directory) / path.name
            make(made)
            try:
                os.replace(made, path)
            except OSError:  # no directory takes the place of one that has files
                if not path.is_dir():
                    raise
    return path


def environment(**changes):
    """The environment for a command: our tools are found first, no setting of the caller's gets in the way."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "XC_CPU", "VPXENC")}
    env["PATH"] = f"{BIN}:{env['PATH']}"
    env["XC_BIN"] = str(BIN)
    env.update(changes)
    return env


def run(*command, cwd=None, stdin=b"", env=None, timeout=TIMEOUT):
    """Runs a command to its end; returns subprocess.CompletedProcess with bytes in stdout and stderr."""
    return subprocess.run([str(c) for c in command], cwd=cwd, input=stdin, env=env or environment(), timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def must(*command, **options):
    """The standard output of a command that is only a means to a test, and has to succeed."""
    done = run(*command, **options)
    if done.returncode:
        words = " ".join(str(c) for c in command)
        raise AssertionError(f"{words}: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def install_stubs(directory, scripts):
    """Programs that stand for others, by their name."""
    directory.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(0o755)


def need(*programs):
    """Skips the test where a program that is not ours is missing."""
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is not installed")


# What a power cut can do to a file.
LOSSES = ("empty", "halved", "zeroed", "half zeroed")


def lose_data(path, how):
    """Does one of LOSSES: the size of the file, or its data, is not what was written, but its time is."""
    status, data = path.stat(), path.read_bytes()
    half = len(data) // 2
    path.write_bytes({"empty": b"", "halved": data[:half], "zeroed": bytes(len(data)),
                      "half zeroed": data[:half] + bytes(len(data) - half)}[how])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def vectors():
    """The VP8 conformance vectors; the test is skipped if they are not at hand."""
    if not VECTORS.is_dir() and "XC_VECTORS" not in os.environ:
        raise unittest.SkipTest("the VP8 test vectors are not at ../shared/vp8-test-vectors; "
                                "test/fetch-vectors gets them")
    found = sorted(VECTORS.glob("*.ivf"))
    if not found:
        raise AssertionError(f"there are no VP8 test vectors in {VECTORS}; test/fetch-vectors gets them")
    return found


def is_alive(group):
    """Whether a process of this process group still runs. One that has ended, and for which nobody has waited, does
    not."""
    for number in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has just ended
            state, _, its_group = pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def wait_for(condition, words="the condition holds"):
    """Waits until condition() is true."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {words}")
        time.sleep(0.02)


def free_port():
    """A port that nothing listens on, that the system gives to no connection in the meantime, and that no other call
    has returned in any process of this run."""
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    taken = cache() / "ports"
    taken.mkdir(exist_ok=True)
    while True:
        port = random.randrange(10000, first_given)
        with contextlib.suppress(OSError), socket.socket() as server:
            (taken / str(port)).touch(exist_ok=False)
            server.bind(("127.0.0.1", port))
            return port


def wait_for_port(port):
    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_for(listens, f"something listens on port {port}")


# Films and streams

def film(width=176, height=144, frames=24, cut=None, seed=1):
    """A Y4M film of moving texture, by our own generator; cut: the first frame of another scene."""
    options = ["--width", width, "--height", height, "--frames", frames, "--seed", seed]
    if cut is not None:
        options += ["--cut", cut]
    return cached(lambda out: must(BUILD / "make-film", *options, out), "film", options, suffix=".y4m")


def vpxenc(source, *options):
    """The IVF file that libvpx's encoder makes of a film."""
    need("vpxenc")
    command = ["vpxenc", "--codec=vp8", "--ivf", "--quiet", "--disable-warning-prompt", *options]
    env = environment(PATH=os.environ["PATH"])
    return cached(lambda out: must(*command, "-o", out, source, env=env), command, source.name, suffix=".ivf")


def y4m_size(header):
    """Width and height, from the first line of a Y4M file."""
    return tuple(int(re.search(rb" %s(\d+)" % tag, header)[1]) for tag in (b"W", b"H"))


def y4m_split(data):
    """The first line of a Y4M file, newline included, and its frames, each with its own FRAME line."""
    header, rest = data[:data.index(b"\n") + 1], data[data.index(b"\n") + 1:]
    width, height = y4m_size(header)
    size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
    frames = []
    while rest:
        end = rest.index(b"\n") + 1 + size
        frames.append(rest[:end])
        rest = rest[end:]
    return header, frames


def write_chunks(source, directory, size):
    """Cuts a film as ExCamera does, but with code of our own; returns the number of chunks."""
    header, frames = y4m_split(pathlib.Path(source).read_bytes())
    starts = range(0, len(frames), size)
    for i, start in enumerate(starts):
        (pathlib.Path(directory) / f"{i:08d}.y4m").write_bytes(header + b"".join(frames[start:start + size]))
    return len(starts)


def write_pictures(source, directory):
    """Turns a film into PNG files, from 00000001.png on; returns their number."""
    need("ffmpeg")
    must("ffmpeg", "-v", "error", "-i", source, "-vf", "scale=in_color_matrix=bt601", directory / "%08d.png")
    return len(list(directory.glob("*.png")))


def number(i):
    return f"{i:08d}"


def published_commands(chunks, batch, q, first=0, all_states=False, vpxenc_too=""):
    """The published command lines for chunks first to first + chunks - 1, in an order in which they can run one after
    the other. all_states: write the states that nobody reads, too; vpxenc_too: more options for vpxenc."""
    commands, end = [], first + chunks
    for start in range(first, end, batch):
        last = min(start + batch, end) - 1
        for i in range(start, last + 1):
            n, out = number(i), number(i) + ("" if i == start else "-0")
            commands += [f"vpxenc {PUBLISHED_VPXENC.format(q=q)} {vpxenc_too}-o {n}-vpxenc.ivf {n}.y4m",
                         f"xc-terminate-chunk {n}-vpxenc.ivf {out}.ivf"]
            if i < last or all_states:
                commands.append(f"xc-dump {out}.ivf {n}-0.state")
        for i in range(start + 1, last + 1):
            n, before, out = number(i), number(i - 1), number(i) + ("" if i == start + 1 else "-1")
            state = f"-O {n}-1.state " if i == start + 1 and (i < last or all_states) else ""
            commands.append(f"xc-enc -W -w 0.75 -i y4m -o {out}.ivf -r -I {before}-0.state -p {n}-0.ivf {state}{n}.y4m")
        for i in range(start + 2, last + 1):
            n, before = number(i), number(i - 1)
            state = f"-O {n}-1.state " if i < last or all_states else ""
            commands.append(f"xc-enc -W -w 0.75 -i y4m -o {n}.ivf -r -I {before}-1.state -p {n}-1.ivf "
                            f"-S {before}-0.state {state}{n}.y4m")
    return commands


def encode(directory, source, size, batch, q=22, vpxenc_too=""):
    """Encodes a film in chunks of so many frames by the published commands, to number(0).ivf and so on."""
    need("vpxenc")
    chunks = write_chunks(source, directory, size)
    for command in published_commands(chunks, batch, q, all_states=True, vpxenc_too=vpxenc_too):
        must(*command.split(), cwd=directory)


# IVF

class Ivf:
    """An IVF file as Python sees it: the 32 bytes of its header, and (timestamp, data) of each frame."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        self.header, self.frames = data[:32], []
        at = struct.unpack_from("<H", data, 6)[0]
        while at < len(data):
            size, timestamp = struct.unpack_from("<IQ", data, at)
            self.frames.append((timestamp, data[at + 12:at + 12 + size]))
            at += 12 + size

    @property
    def stated(self):
        """The duration, or number of frames, that the header states."""
        return struct.unpack_from("<I", self.header, 24)[0]

    @property
    def expected_state(self):
        """The id of a state, or 0."""
        return struct.unpack_from("<I", self.header.replace(b"DURA", bytes(4)), 28)[0]

    @property
    def rate(self):
        return struct.unpack_from("<II", self.header, 16)

    def duration(self):
        """When the last frame ends, if the first one is due at 0."""
        time, data = self.frames[-1]
        return time + takes_time(data)

    def bytes(self):
        """The file again, whose header states what the frames are (docs/ivf.md)."""
        stated = len(self.frames)
        if any(self.header[28:]) and not all(takes_time(data) for _, data in self.frames) and self.duration() < 1 << 32:
            stated = self.duration()
        header = self.header[:24] + struct.pack("<I", stated) + self.header[28:]
        return header + b"".join(struct.pack("<IQ", len(data), time) + data for time, data in self.frames)

    def shown(self):
        return sum(1 for _, data in self.frames if is_shown(data))


def is_key_frame(data):
    return len(data) > 0 and data[0] & 1 == 0


def is_shown(data):
    return len(data) > 0 and data[0] >> 4 & 1 == 1


def takes_time(data):
    """A lost frame, of no bytes, does."""
    return not data or is_shown(data)


def profile(data):
    return data[0] >> 1 & 7


# What decoders make of a file

def md5_words(text):
    return re.findall(r"\b[0-9a-f]{32}\b", text.decode())


def our_frames(path, *options, **keywords):
    """MD5 of each picture that xc-decode shows."""
    return md5_words(must(BIN / "xc-decode", "--frame-md5", *options, path, **keywords))


def vpxdec_frames(path):
    need("vpxdec")
    return md5_words(must("vpxdec", "--codec=vp8", "--i420", "--md5", "-o", "%8", path))


def vpxdec_md5(path):
    need("vpxdec")
    return md5_words(must("vpxdec", "--codec=vp8", "--i420", "--md5", path))[0]


def ffmpeg_frames(path):
    """The same by FFmpeg's own VP8 decoder, which shares no code with libvpx."""
    need("ffmpeg")
    text = must("ffmpeg", "-v", "error", "-c:v", "vp8", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough",
                "-pix_fmt", "yuv420p", "-f", "framemd5", "-")
    return md5_words(text)


def ssim(a, b):
    """Mean SSIM of luma between two films of the same length, by FFmpeg."""
    need("ffmpeg")
    graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]ssim"
    text = run("ffmpeg", "-hide_banner", "-i", a, "-i", b, "-lavfi", graph, "-f", "null", "-").stderr.decode()
    return float(re.search(r"SSIM Y:([\d.]+)", text)[1])


# Test cases

class Case(unittest.TestCase):
    """A test with a scratch directory, self.dir, and the two things most tests do: run a tool that must work, run one
    that must refuse."""

    maxDiff = 2000

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="excamera-test-")
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def xc(self, tool, *arguments, **options):
        """Runs one of our tools, which must succeed in silence; returns its standard output."""
        options.setdefault("cwd", self.dir)
        done = run(BIN / tool, *arguments, **options)
        words = " ".join(str(a) for a in (tool, *arguments))
        self.assertEqual((done.returncode, done.stderr.decode(errors="replace")), (0, ""), words)
        return done.stdout

    def refuses(self, tool, *arguments, leaves=None, **options):
        """Runs one of our tools, which must fail as a Unix tool does: one line on standard error that starts with the
        tool's name, a non-zero exit that is no crash, and no file in self.dir (or leaves) but those that were there
        before, as they were. Returns the line."""
        options.setdefault("cwd", self.dir)
        watched = leaves or self.dir
        before = snapshot(watched)
        done = run(BIN / tool, *arguments, **options)
        words, text = " ".join(str(a) for a in (tool, *arguments)), done.stderr.decode(errors="replace")
        self.assertGreater(done.returncode, 0, f"{words}: exit {done.returncode}: {text}")
        self.assertRegex(text, rf"\A{re.escape(tool)}: [^\n]+\n\Z", words)
        self.assertEqual(snapshot(watched), before, f"{words}: left something behind")
        return text.strip()

    def plays_everywhere(self, chunks, frames):
        """Joins chunks to film.ivf, and checks that every decoder shows the same pictures of it, so many."""
        self.xc("xc-merge", "-o", "film.ivf", *chunks)
        ours = our_frames(self.dir / "film.ivf")
        self.assertEqual(len(ours), frames)
        self.assertEqual(vpxdec_frames(self.dir / "film.ivf"), ours)
        self.assertEqual(ffmpeg_frames(self.dir / "film.ivf"), ours)

    def looks_like(self, chunks, source):
        """Joins chunks and checks that what they show is the film that they were made from."""
        self.xc("xc-merge", "-o", "film.ivf", *chunks)
        self.xc("xc-decode", "--y4m", "-o", "film.y4m", "film.ivf")
        self.assertGreater(ssim(self.dir / "film.y4m", source), 0.93)


def snapshot(directory):
    """What is in a directory: names, and a hash of each file."""
    return {str(p.relative_to(directory)): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "-"
            for p in sorted(pathlib.Path(directory).rglob("*"))}
