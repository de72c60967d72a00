"""From finished chunks to the output file, with the audio of the source."""
import contextlib
import os
import pathlib
import shutil
import stat

from xcdriver import files, graph, proof, y4m
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


def temporary_name(target):
    """The name of the output until it is complete."""
    return target.with_name(target.name + ".excamera-part")


def check_output(output, film):
    """Raises Failure if the output cannot be written, or would replace the film itself."""
    target = pathlib.Path(os.path.realpath(output))
    if not target.parent.is_dir():
        raise Failure(f"{target.parent}: no such directory")
    if target.is_dir():
        raise Failure(f"{output}: is a directory")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise Failure(f"{output}: is no regular file")
    if target.exists() and os.path.exists(film) and target.samefile(film):
        raise Failure(f"{output}: is the film to be encoded; choose another name")
    try:
        if target.exists():
            open(target, "r+b").close()
        temporary_name(target).touch()
        temporary_name(target).unlink()
    except OSError as error:
        raise Failure(f"{output}: cannot be written: {error.strerror}") from None


def merge(work):
    """Joins the finished chunks to film.ivf. Returns its name."""
    film, chunks = work.path / "film.ivf", work.record["film"]["chunks"]
    run(["xc-merge", "-o", film.name, *map(graph.finished, range(chunks))], cwd=work.path)
    return film


def write(part, film, work, source, output):
    """Writes the output under its temporary name. ffmpeg 5.1 exits with 0 even if its last writes have failed, so what
    it says counts."""
    if output.suffix.lower() == ".ivf":
        shutil.copyfile(film, part)
    else:
        run(webm_command(work, source, part), heed_errors=True)
    mode = stat.S_IMODE(output.stat().st_mode) if output.exists() else None
    if mode is not None:
        part.chmod(mode)
    files.sync(part)


def finish(work, source, options, progress):
    """Makes the output from the finished chunks. It appears under its name only when it has been read back and found
    to be complete. Returns how many frames it has."""
    try:
        film = merge(work)
        target = pathlib.Path(os.path.realpath(options.output))  # a symbolic link remains one
        part = temporary_name(target)
        try:
            write(part, film, work, source, target)
            others = [] if source.piped else [None for _ in source.audio_codecs]
            frames = proof.check(part, film, others, work.record["film"]["frames"])
            if options.verify:
                progress.begin("verifying", frames)
                proof.verify(part, work, options, progress)
            files.replace(part, target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    except OSError as error:
        raise Failure(f"{options.output}: cannot be written: {error.strerror}") from None
    except Failure as failure:
        raise Failure(f"{options.output}: {failure}") from None
    return frames
