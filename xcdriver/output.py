"""From finished chunks to the output file, with the audio of the source."""
import shutil

from xcdriver import graph, y4m
from xcdriver.processes import Failure, run


def audio_options(codecs):
    """Options for ffmpeg: Opus and Vorbis are copied, everything else becomes Opus, in a channel layout that Opus
    supports."""
    for number, codec in enumerate(codecs):
        if codec in ("opus", "vorbis"):
            yield from [f"-c:a:{number}", "copy"]
        else:
            yield from [f"-c:a:{number}", "libopus"]
            yield from [f"-filter:a:{number}", "aformat=channel_layouts=7.1|5.1|stereo|mono"]


def aspect_options(chunk):
    """Options for ffmpeg: the display aspect ratio, if samples are not square according to the chunk's Y4M header."""
    try:
        with open(chunk, "rb") as stream:
            header = y4m.read_header(stream)
    except ValueError as error:
        raise Failure(f"{chunk}: {error}; --restart splits the film again") from None
    across, down = header.aspect
    return [] if across == down else ["-aspect", f"{header.width * across}:{header.height * down}"]


def webm_command(work, source, part):
    """The command that puts the video together with audio and metadata of the source. A delay of the first picture is
    rounded to whole frames. With +bitexact the muxer writes no random numbers, so the same film gives the same
    bytes."""
    inputs = ["-itsoffset", f"{source.delay:.6f}", "-i", f"file:{work.path}/film.ivf"]
    others = []
    if not source.piped:
        inputs += ["-i", source.name]
        others = ["-map", "1:a?", *audio_options(source.audio_codecs), "-map_metadata", "1"]
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-map", "0:v", "-c:v", "copy",
            *work.record["aspect"], *others, "-fflags", "+bitexact", "-f", "webm", f"file:{part}"]


def finish(work, source, output):
    """Makes the output from the finished chunks. It appears under its name only when it is complete."""
    chunks = [graph.finished(chunk) for chunk in range(work.record["film"]["chunks"])]
    run(["xc-merge", "-o", "film.ivf", *chunks], cwd=work.path)
    part = output.with_name(output.name + ".part")
    try:
        if output.suffix == ".ivf":
            shutil.copyfile(work.path / "film.ivf", part)
        else:
            run(webm_command(work, source, part))
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
