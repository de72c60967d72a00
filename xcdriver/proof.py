# SPDX-License-Identifier: BSD-2-Clause
"""Proving that an output is what was encoded, before it gets its name and before the work is removed."""
import hashlib
import subprocess
import typing

from xcdriver import files, graph, ivf
from xcdriver.processes import FFMPEG_MARKS, Failure, complaint, ending, log_in_memory, reason, started

# Has ffmpeg keep every picture: some versions know only -vsync, others only -fps_mode, but all keep pictures that are
# far apart.
APART = ["-vf", "settb=1,setpts=1000*N"]


class Packet(typing.NamedTuple):
    """Times are in the unit of the file."""
    track: int
    time: int
    duration: int
    digest: str  # of its data


def parse_packets(lines):
    """What ffmpeg's format framemd5 says."""
    for line in lines:
        if not line.startswith("#"):
            track, _, time, duration, _, digest = (field.strip() for field in line.split(",")[:6])
            yield Packet(int(track), int(time), int(duration), digest)


def read_packets(path):
    """What ffmpeg finds when it reads a file to its end. Raises Failure if it finds anything wrong with the file."""
    command = ["ffmpeg", "-nostdin", *FFMPEG_MARKS, "-copyts", "-i", f"file:{path}", "-map", "0", "-c", "copy", "-f",
               "framemd5", "-"]
    with log_in_memory() as log, \
            started(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as process:
        yield from parse_packets(process.stdout)
        status = process.wait()
        log.seek(0)
        printed = log.read()
    said = complaint(printed)
    if status or said:
        raise Failure(f"cannot be read back: {said or reason(printed) or ending('ffmpeg', status)}")


def tracks(path):
    """The number of packets of each track, and a digest of their data."""
    found = {}
    for packet in read_packets(path):
        track = found.setdefault(packet.track, [0, hashlib.md5()])
        track[0] += 1
        track[1].update(packet.digest.encode())
    return [(count, digest.hexdigest()) for _, (count, digest) in sorted(found.items())]


def same_bytes(one, other):
    with open(one, "rb") as first, open(other, "rb") as second:
        while block := first.read(1 << 20):
            if second.read(1 << 20) != block:
                return False
        return not second.read(1)


def check(part, film, source_tracks, frames):
    """Reads back an output and returns how many frames it shows. Raises Failure unless it has every packet of film.ivf
    and of the other tracks, which `source_tracks` has as tracks() returns them, or None for a track whose packets are
    not known. frames: how many the source has."""
    files.forget_pages(part)
    shown = sum(frame.is_shown for frame in ivf.frames(film))
    if shown != frames:
        raise Failure(f"{film}: shows {shown} frames, but the film has {frames}; --restart encodes it again")
    with open(part, "rb") as stream:
        is_ivf = stream.read(4) == b"DKIF"
    if is_ivf:
        if not same_bytes(part, film):
            raise Failure("is not what was written when it is read back")
        return shown
    found, expected = tracks(part), [*tracks(film), *source_tracks]
    if len(found) != len(expected):
        raise Failure(f"has {len(found)} of {len(expected)} tracks when it is read back")
    for number, (track, wanted) in enumerate(zip(found, expected)):
        if wanted and track != wanted:
            raise Failure(f"track {number} has {track[0]} of {wanted[0]} packets, or other ones, when it is read back")
    return shown


def encoded_pictures(work, batch, threads):
    """The MD5 of each picture of a batch, as the encoder has it."""
    merge = ["xc-merge", "--no-check", "-o", "-", *map(graph.finished, batch)]
    decode = ["xc-decode", "--frame-md5", "--threads", str(threads), "-"]
    with log_in_memory() as log, \
            started(merge, cwd=work.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as merging, \
            started(decode, stdin=merging.stdout, stdout=subprocess.PIPE, stderr=log) as decoding:
        merging.stdout.close()
        for line in decoding.stdout:
            yield line.split()[0]
        if decoding.wait() or merging.wait():
            log.seek(0)
            raise Failure(reason(log.read()) or "the chunks cannot be decoded")


def compare_pictures(theirs, work, options, progress):
    """Returns how many pictures there are up to the end of theirs, and are the same. Raises Failure if one is another,
    or if there are more of theirs."""
    number = 0
    for batch in work.layout.batches(work.record["film"]["chunks"]):
        for ours in encoded_pictures(work, batch, options.jobs):
            their = next(theirs, None)
            if their is None:
                return number
            if their != ours:
                raise Failure(f"ffmpeg's decoder does not show picture {number} as it was encoded")
            number += 1
            progress.show(lambda: number)
    if next(theirs, None) is not None:
        raise Failure(f"ffmpeg's decoder shows more pictures than were encoded, {number}")
    return number


def verify(part, work, options, progress):
    """Has ffmpeg's own VP8 decoder, which shares no code with ours, decode the output. Raises Failure unless each
    picture is the one that was encoded."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-c:v", "vp8", "-i", f"file:{part}", "-map", "0:v:0", *APART,
               "-pix_fmt", "yuv420p", "-f", "framemd5", "-"]
    with log_in_memory() as log, \
            started(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log) as process:
        theirs = (line.split(",")[-1].strip() for line in process.stdout if not line.startswith("#"))
        number = compare_pictures(theirs, work, options, progress)
        status = process.wait()
        log.seek(0)
        if status:
            raise Failure(reason(log.read()) or ending("ffmpeg", status))
        if number != work.record["film"]["frames"]:
            raise Failure(f"ffmpeg's decoder shows {number} pictures, and not as many as were encoded")
