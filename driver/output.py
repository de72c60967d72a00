"""Finished chunks become the output, with the sound of the film that came in."""
import re
import shutil

import gen_makefile
from driver.processes import run


def audio_options(codecs):
    """Opus and Vorbis are copied; everything else becomes Opus, in a layout of channels that Opus knows."""
    for number, codec in enumerate(codecs):
        if codec in ("opus", "vorbis"):
            yield from [f"-c:a:{number}", "copy"]
        else:
            yield from [f"-c:a:{number}", "libopus"]
            yield from [f"-filter:a:{number}", "aformat=channel_layouts=7.1|5.1|stereo|mono"]


def aspect_options(chunk):
    """How ffmpeg is told to stretch the pictures, if they are to be: by what a chunk's Y4M says of its samples."""
    with open(chunk, "rb") as stream:
        header = dict((field[:1], field[1:]) for field in stream.readline().decode("ascii", "replace").split()[1:])
    match = re.fullmatch(r"0*([1-9]\d*):0*([1-9]\d*)", header.get("A", ""))
    across, down = map(int, match.groups()) if match else (1, 1)
    if across == down:
        return []
    return ["-aspect", f"{int(header['W']) * across}:{int(header['H']) * down}"]


def webm_command(work, source, part):
    """Puts the pictures beside the audio and the title; a delay is rounded to whole frames. The muxer makes up no
    numbers of its own, so that the same film gives the same bytes."""
    inputs = ["-itsoffset", f"{source.delay:.6f}", "-i", f"file:{work.path}/film.ivf"]
    others = []
    if not source.piped:
        inputs += ["-i", source.name]
        others = ["-map", "1:a?", *audio_options(source.audio_codecs), "-map_metadata", "1"]
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-map", "0:v", "-c:v", "copy",
            *work.record["aspect"], *others, "-fflags", "+bitexact", "-f", "webm", f"file:{part}"]


def finish(work, source, output):
    """Makes the output from the finished chunks."""
    chunks = [gen_makefile.finished(chunk) for chunk in range(work.record["film"]["chunks"])]
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
