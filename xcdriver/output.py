# SPDX-License-Identifier: BSD-2-Clause
"""From finished chunks to the output file, with the audio of the source."""
import contextlib
import os
import pathlib
import shutil
import stat

from xcdriver import files, graph, proof, y4m
from xcdriver.processes import Failure, run, run_without_errors
from xcdriver.sound import container_of, joining_command, kept_tracks


def aspect_options(chunk):
    """Options for ffmpeg: the display aspect ratio, if samples are not square according to the chunk's Y4M header."""
    try:
        with open(chunk, "rb") as stream:
            header = y4m.read_header(stream)
    except ValueError as error:
        raise Failure(f"{chunk}: {error}; --restart splits the film again") from None
    across, down = header.aspect
    return [] if across == down else ["-aspect", f"{header.width * across}:{header.height * down}"]


def temporary_name(target):
    """The name of the output until it is complete."""
    return target.with_name(target.name + ".excamera-part")


def check_output(output):
    """Raises Failure if the output cannot be written."""
    target = pathlib.Path(os.path.realpath(output))
    if not target.parent.is_dir():
        raise Failure(f"{target.parent}: no such directory")
    if target.is_dir():
        raise Failure(f"{output}: is a directory")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise Failure(f"{output}: is no regular file")
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


def write(part, film, work, source, output, container):
    """Writes the output under its temporary name. ffmpeg 5.1 exits with 0 even if its last writes have failed, so what
    it says counts."""
    if container:
        run_without_errors(joining_command(source, work, container, part))
    else:
        shutil.copyfile(film, part)
    mode = stat.S_IMODE(output.stat().st_mode) if output.exists() else None
    if mode is not None:
        part.chmod(mode)
    files.sync(part)


def finish(work, source, options, progress):
    """Makes the output from the finished chunks. It appears under its name only when it has been read back and found
    to be complete. Returns how many frames it has."""
    try:
        progress.note("joining the chunks")
        film = merge(work)
        target = pathlib.Path(os.path.realpath(options.output))  # a symbolic link remains one
        part = temporary_name(target)
        try:
            write(part, film, work, source, target, container_of(options.output))
            others = [proof.tracks(work.path / track.file)[0] for track in kept_tracks(source, work)]
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
