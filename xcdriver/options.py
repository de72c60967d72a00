# SPDX-License-Identifier: BSD-2-Clause
"""The options of ./excamera."""
import pathlib

from xcdriver import ceiling, ladder
from xcdriver.arguments import Parser, Version, audio_choice, frame_rate, number
from xcdriver.edits import crop_size, filters, scale_size, time_span
from xcdriver.engine import MOST_JOBS
from xcdriver.graph import ANCHORED, LAST_CHUNK, SPEED, STRUCTURES
from xcdriver.pieces import CHUNK, BATCH, key_interval
from xcdriver.sound import CONTAINERS
from xcdriver.target import amount, quality

QUALITY = 22  # libvpx's --cq-level


EXAMPLES = """Examples:
  excamera holiday.mp4 -o holiday.webm
  excamera holiday.mp4 -o mail.webm --size 20M
  excamera holiday.mp4 -o small.webm -q 40 -k 16
  excamera holiday.mp4 -o holiday.webm --keep
  excamera report holiday.webm.work -o report.html"""


def add_quality(add):
    add("-q", "--quality", metavar="Q", type=number(0, 63), help=f"from 0 (best) to 63 (smallest); default: {QUALITY}")
    add("--target", metavar="METRIC=VALUE", type=quality,
        help="in place of -q: the quality of the whole film, such as ssim=0.98, psnr=40 or vmaf=95")
    add("--size", metavar="BYTES", type=amount,
        help="in place of -q: the size of OUTPUT, sound included, in bytes, such as 700k or 50M")
    add("--bitrate", metavar="BITS", type=amount,
        help="in place of -q: the bits per second of OUTPUT, sound included, such as 900k or 2M")
    add("--max-bitrate", metavar="BITS", type=amount,
        help="make pictures coarser where more than so many bits per second would have to come in, such as 2M; see "
             "docs/streaming.md")
    add("--buffer", metavar="SECONDS", type=ceiling.seconds,
        help=f"with --max-bitrate: how much a player holds in advance; default: {ceiling.BUFFER}")
    add("--speed", metavar="N", type=number(0, 4), default=SPEED,
        help="from 0 (smallest file) to 4 (fastest); default: %(default)s; docs/quality.md has what each costs")


def add_picture(add):
    add("--trim", metavar="FROM-TO", type=time_span,
        help="encode only this part, sound and all; times in seconds, or as 1:02:03.5; FROM or TO may be left out")
    add("--crop", metavar="WxH+X+Y", type=crop_size,
        help="cut out W columns and H lines, beginning at column X and line Y; without +X+Y, from the middle")
    add("--scale", metavar="WxH", type=scale_size,
        help="make the pictures this large, after --crop; with Wx or xH alone, the shape stays the same")
    add("--ladder", metavar="HEIGHTS", type=ladder.steps,
        help="several sizes from one reading of the film, such as 1080,720,360: names of outputs get -1080 and so on, "
             "or all are segments in OUTPUT; 720:30 or 720:2M gives one a level or a bitrate of its own; see "
             "docs/streaming.md")
    add("--filter", metavar="FILTERS", type=filters,
        help="a chain of ffmpeg's video filters, applied after --crop and --scale; see docs/inputs.md")
    add("-r", "--rate", metavar="RATE", type=frame_rate,
        help="frames per second, such as 25 or 30000/1001; for an image sequence, how fast its pictures follow; "
             "default: the film's own, and 25 for an image sequence")


def add_sound(add):
    add("--audio", metavar="WHICH", type=audio_choice, default="all",
        help="all, none, or the number of one audio track, counted from 0; default: %(default)s")
    add("--no-audio", dest="audio", action="store_const", const="none", help="the same as --audio none")


def add_pieces(add):
    add("-s", "--chunk", metavar="S", type=number(1, 10000),
        help="frames per chunk, at most, which is the piece that one process encodes: with fewer, more processes can "
             f"work at a time, and the file is larger; more than 12 save little; default: {CHUNK}")
    add("-k", "--batch", metavar="K", type=number(1, LAST_CHUNK),
        help="chunks per key frame, at most: with more, the file is smaller, and players jump in longer steps; with "
             f"fewer, hundreds of processes are done sooner; default: {BATCH}")
    add("--keyint", metavar="SECONDS", type=key_interval,
        help="in place of -k: at most so long from one key frame to the next; if that is less than a chunk, chunks get "
             "shorter")
    add("--scenes", action="store_true", default=None,
        help="begin chunks, and key frames, where scenes begin, too; this is the default, except with --decode there")
    add("--no-scenes", dest="scenes", action="store_false",
        help="have chunks of S frames and batches of K chunks everywhere; films with many cuts get 5 to 14 %% larger")
    add("--structure", choices=STRUCTURES, default="anchored",
        help="how the chunks of a key frame depend on each other: anchored is smallest, prepared is about 1 %% larger "
             "and, on many machines, sooner done, classic is that of the paper "
             "(docs/how-it-works.md); default: %(default)s")
    add("-j", "--jobs", metavar="N", type=number(1, MOST_JOBS),
        help="processes at a time; the output does not depend on it; default: one per core, or as many as the engine "
             "has room for")
    add("--segments", choices=("hls", "dash"),
        help="make OUTPUT a directory, with a segment for each key frame, and a playlist that players can follow while "
             "the rest is encoded: for HLS or MPEG-DASH; see docs/streaming.md")
    add("--decode", choices=("here", "there"), default="here",
        help="where the film is decoded: here, so that raw pictures go to where the steps run; or there, so that the "
             "film goes as it is, cut at its key frames; default: %(default)s")


def add_messages(add):
    add("--quiet", action="store_true", help="print nothing but errors")
    add("-v", "--verbose", action="store_true", help="also print each command that is started, and what is decided")
    add("-n", "--dry-run", action="store_true", help="only print what would be done, to standard output")
    add("--measure", action="store_true",
        help="measure the SSIM and the PSNR of the luma, which the last line then shows")


def add_work(add):
    add("--work", metavar="DIR", type=pathlib.Path, help="use DIR in place of OUTPUT.work")
    add("--keep", action="store_true",
        help="keep that directory, with all intermediate files and the raw pictures of the whole film")
    add("--restart", action="store_true", help="discard what an interrupted run has left there")
    add("--verify", action="store_true",
        help="before the work goes, decode OUTPUT with ffmpeg's decoder and compare every picture with what was "
             "encoded; takes about as long as decoding the film twice")
    add("--allow-damaged", action="store_true",
        help="exit with status 0 even if a part of the film is lost to damage")


def settle_scenes(parser, options):
    """Sets options.scenes, and in options.scenes_said whether an interrupted run that had it otherwise is another
    one."""
    is_elsewhere = options.decode == "there"
    if options.scenes and is_elsewhere:
        parser.error("--scenes needs the raw pictures here, and --decode there makes them elsewhere")
    options.scenes_said = options.scenes is not None or is_elsewhere
    options.scenes = not is_elsewhere if options.scenes is None else options.scenes


def check(parser, options):
    """Refuses what does not go together."""
    if not options.input:
        parser.error("INPUT is an empty name")
    is_file = options.output.suffix.lower() in [".ivf"] + list(CONTAINERS)
    if options.segments and is_file:
        parser.error(f"{options.output}: names a file, and --segments makes a directory")
    if options.segments and options.output.name in ("", ".."):
        parser.error(f"{options.output}: has no name of its own, after which the work could be named")
    if not options.segments and not is_file:
        parser.error(f"{options.output}: does not end in .webm, .mkv or .ivf")
    if options.keyint is not None and options.batch is not None:
        parser.error("-k and --keyint exclude each other: both say how far key frames are apart")
    given = [name for name in ("quality", "target", "size", "bitrate") if getattr(options, name) is not None]
    if len(given) > 1:
        parser.error(f"--{given[0]} and --{given[1]} exclude each other: both say what the film is to come to")
    if options.decode == "there" and (options.measure or given and given != ["quality"]):
        name = "measure" if options.measure else given[0]
        parser.error(f"--{name} needs the raw pictures here, and --decode there makes them elsewhere")
    settle_scenes(parser, options)
    if not given:
        options.quality = QUALITY
    ladder.check(parser, options)
    ceiling.check(parser, options)
    if options.speed != SPEED and options.structure not in ANCHORED:
        parser.error(f"--speed needs --structure {' or '.join(ANCHORED)}, not {options.structure}")
    if options.quiet and options.verbose:
        parser.error("--quiet and --verbose exclude each other")


def parse_arguments(description):
    parser = Parser(prog="excamera", usage="excamera [OPTION]... INPUT -o OUTPUT", description=description,
                    epilog=EXAMPLES)
    parser.add_argument("input", metavar="INPUT", help="the film to be encoded, or -")
    parser.add_argument("-o", "--output", metavar="OUTPUT", required=True, type=pathlib.Path,
                        help="the file to be made; ends in .webm, .mkv or .ivf")
    for title, add_options in (("quality", add_quality), ("the pictures", add_picture), ("the sound", add_sound),
                               ("pieces", add_pieces), ("messages", add_messages), ("the work", add_work)):
        add_options(parser.add_argument_group(title).add_argument)
    parser.add_argument("--version", action=Version)
    options = parser.parse_args()
    check(parser, options)
    return options
