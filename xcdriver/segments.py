# SPDX-License-Identifier: BSD-2-Clause
"""Segments for players: WebM files that are cut after what all segments of a stream have in common. Each appears under
its name when it is whole, on the disk, and has been read back."""
import contextlib
import functools
import operator

from xcdriver import files, graph, ivf, playlists, proof, webm
from xcdriver.processes import FFMPEG_MARKS, Failure, run, run_without_errors
from xcdriver.sound import LATER, offset

PART = ".excamera-part"
BLOCK = 1 << 20  # bytes that are copied at a time
EXACT = ["-fflags", "+bitexact", "-avoid_negative_ts", "disabled"]


def publish_file(path, write, is_same=lambda part: True):
    """Makes a file that appears under its name when all of it is on the disk. write(out) writes it; is_same(part) reads
    it back."""
    part = path.with_name(path.name + PART)
    try:
        with open(part, "wb") as out:
            write(out)
        files.sync(part)
        files.forget_pages(part)
        if not is_same(part):
            raise Failure(f"{path}: is not what was written when it is read back")
        files.replace(part, path)
    except OSError as error:
        raise Failure(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def blocks(path, begin, end):
    """These bytes of a file, piece by piece."""
    with open(path, "rb") as stream:
        stream.seek(begin)
        while begin < end and (block := stream.read(min(end - begin, BLOCK))):
            yield block
            begin += len(block)


def publish_part(path, source, begin, end):
    """Makes a file of some of the bytes of another one."""
    def is_same(part):
        return part.stat().st_size == end - begin and all(
            map(operator.eq, blocks(source, begin, end), blocks(part, 0, end - begin)))
    publish_file(path, lambda out: out.writelines(blocks(source, begin, end)), is_same)


class Writer:
    """Writes the segments of a stream, in order."""

    def __init__(self, directory, scratch, stream):
        self.directory, self.scratch, self.stream = directory, scratch, stream
        self.temporary = scratch / "segment.webm"
        self.used = 0  # clusters of sound that are in segments

    def convert(self, origin, shift, *options):
        """Makes a WebM file of one with a segment's packets, and returns them. shift: milliseconds by which everything
        is later than in the film. options: for ffmpeg, which also says which packets it has read. All of them must be
        there when it reads the new file."""
        try:
            said = run_without_errors(
                ["ffmpeg", "-nostdin", *FFMPEG_MARKS, "-y", "-copyts", *options, "-c", "copy", *EXACT,
                 "-output_ts_offset", f"{shift / 1000:.3f}", "-f", "webm", "-live", "1", f"file:{self.temporary}",
                 "-c", "copy", "-f", "framemd5", "-"])
            packets = list(proof.read_packets(self.temporary))
        except Failure as failure:
            raise Failure(f"{self.temporary}: {failure}") from None
        wanted = [packet.digest for packet in proof.parse_packets(said.splitlines())]
        if [packet.digest for packet in packets] != wanted:
            raise Failure(f"{self.temporary}: is not what was encoded when it is read back")
        origin.unlink()
        return packets

    def publish_segment(self, length_from):
        """Writes what is the same for all segments, and the rest, to files of their own. length_from(time): how long it
        lasts, in milliseconds, when it begins at that time."""
        number, size = len(self.stream.pieces), self.temporary.stat().st_size
        with open(self.temporary, "rb") as stream:
            cluster = webm.first_cluster(stream)
            begin, time = cluster.begin, webm.time_of(stream, cluster)
        if not number:
            publish_part(self.directory / self.stream.init, self.temporary, 0, begin)
        publish_part(self.directory / self.stream.file(number), self.temporary, begin, size)
        self.temporary.unlink()
        self.stream.pieces.append(playlists.Piece(time, time + length_from(time), size - begin))


class Video(Writer):
    """The pictures. Each segment is a batch."""

    def publish(self, chunks, first_frame, frames, start, end, shift, aspect):
        """chunks: a range. first_frame: the number of their first one. frames: how many they have. start, end:
        milliseconds after which the film begins, and the segment ends. aspect: options for ffmpeg."""
        joined = self.scratch / "segment.ivf"
        run(["xc-merge", "-o", joined.name, *map(graph.finished, chunks)], cwd=self.scratch)
        shown = sum(frame.is_shown for frame in ivf.frames(joined))
        if shown != frames:
            raise Failure(f"{joined}: shows {shown} frames, but its chunks have {frames}; --restart encodes them again")
        ivf.move(joined, first_frame)
        self.convert(joined, start + shift, "-i", f"file:{joined}", *aspect)
        self.publish_segment(lambda time: end + shift - time)


class Sound(Writer):
    """A track of sound. Its segments are some of the clusters that ffmpeg writes while it reads the film."""

    def __init__(self, directory, scratch, stream, path):
        super().__init__(directory, scratch, stream)
        self.clusters = webm.Clusters(path)

    def reaches(self, time):
        """Whether all sound before this time, in milliseconds, is there."""
        self.clusters.look()
        return bool(self.clusters.found) and self.clusters.found[-1][1] >= time + 1000 * LATER

    def has_more(self):
        self.clusters.look()
        return self.used < len(self.clusters.found)

    def part(self, first, end):
        """A file of some clusters."""
        path = self.scratch / "segment.mka"
        with open(path, "wb") as out:
            self.clusters.write(out, first, end)
        return path

    @functools.cached_property
    def offset(self):
        """See sound.offset."""
        return offset(self.part(0, 1))

    def first_time(self):
        """When the sound begins, in milliseconds; 0 if there is none."""
        self.clusters.look()
        return next(proof.read_packets(self.part(0, 1))).time + self.offset if self.clusters.found else 0

    def publish(self, time, shift):
        """Makes a segment of all that is before a time, and not in another one."""
        self.clusters.look()
        end = self.used
        while end < len(self.clusters.found) and self.clusters.found[end][1] < time + 1000 * LATER:
            end += 1
        if end > self.used:
            later = ["-itsoffset", f"{self.offset / 1000:.3f}"]  # before part(), whose file it may write, too
            path = self.part(self.used, end)
            packets = self.convert(path, shift, *later, "-i", f"file:{path}")
            self.publish_segment(lambda _: packets[-1].time + packets[-1].duration - packets[0].time)
            self.used = end
