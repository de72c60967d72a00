# SPDX-License-Identifier: BSD-2-Clause
"""What ffmpeg is told to make of the pictures of a film: what VP8 can hold, at a constant rate.

VP8 holds progressive pictures with 8 bits and 4:2:0 whose colours are BT.601 in limited range."""
import re

from xcdriver import telecine
from xcdriver.processes import run

HDR = ("smpte2084", "arib-std-b67")  # the transfer functions PQ and HLG
TONE_MAPPERS = {"zscale", "tonemap"}
# npl: white in a film that is no HDR has 100 cd/m².
TONE_MAP = ("format=yuv444p12,zscale=transferin={transfer}:matrixin={matrix}:primariesin={primaries}:rangein={range}:"
            "transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0,"
            "zscale=transfer=bt709:primaries=bt709,format=gbrp")
WITH_ALPHA = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d|ayuv|vuya")
TO_VP8 = ("scale=out_range=tv:out_color_matrix=bt601", "format=yuv420p")
LEAST_FOR_YADIF = 3  # columns and lines


def known(value, default):
    return default if value in (None, "unknown", "reserved", "unspecified") else value


def is_hdr(video):
    return video.get("color_transfer") in HDR


def has_alpha(video):
    return bool(WITH_ALPHA.match(video.get("pix_fmt", ""))) or video.get("tags", {}).get("alpha_mode") == "1"


def can_map_tones():
    """Whether this ffmpeg has the filters, which are not in every build."""
    return TONE_MAPPERS <= {word for line in run(["ffmpeg", "-v", "error", "-filters"]).splitlines()
                            for word in line.split()[1:2]}


def conversion(video, telecined, edits):
    """The filters that make each picture what VP8 can hold, for a stream that ffprobe has described, with what the user
    wants done before that.

    The first filter does nothing, unless the size changes within the film: then it keeps the first one."""
    yield "scale=interl=-1"
    yield from edits.from_begin()
    if telecined:
        yield telecine.filters(telecined)
    elif min(video["width"], video["height"]) >= LEAST_FOR_YADIF:
        yield "yadif=deint=interlaced"
    else:
        yield "setfield=prog"
    if is_hdr(video) and can_map_tones():
        yield TONE_MAP.format(transfer=video["color_transfer"], matrix=known(video.get("color_space"), "bt2020nc"),
                              primaries=known(video.get("color_primaries"), "bt2020"),
                              range=known(video.get("color_range"), "tv"))
    yield from edits.filters
    yield from TO_VP8


def frames(source, number, name):
    """The filters that put the pictures of one size on frames of a constant rate. fps leaves out a last picture that is
    shown for less than half a frame. So all pictures are put beside what fps makes, each on its frame, and taken where
    that has none."""
    timing, edits = source.timing, source.edits
    unit = f"settb={1 / timing.rate}"
    chosen = [unit, "select=isnan(prev_selected_pts)+gt(pts\\,prev_selected_pts)", *edits.to_end(timing.shift),
              "setpts=PTS-STARTPTS"]
    return (f"setpts=round(PTS-{timing.shift:.9f}/TB),split[shown{number}][each{number}];"
            f"[shown{number}]fps={timing.rate}[regular{number}];[each{number}]{unit}[placed{number}];"
            f"[regular{number}][placed{number}]interleave,{','.join(chosen)}{name}")


def graph(source, sizes=None):
    """The filter graph from a film's video to [pictures], which begin at time 0. showinfo says when the first one is
    shown (messages.py). sizes: a list of filters for each size that is made of one film, as lists; then there are
    [pictures0], [pictures1] and so on. Each has the pictures that it would have alone."""
    video, filters = source.video, list(conversion(source.video, source.telecined, source.edits))
    branches = {"[all]": "[pictures]"}
    if sizes is not None:
        filters = filters[:-len(TO_VP8)]
        branches = {f"[all{number}]": f"[pictures{number}]" for number in range(len(sizes))}
    ends = [",".join([*(size + list(TO_VP8) if sizes else []), frames(source, number, name)])
            for number, (size, name) in enumerate(zip(sizes or [[]], branches.values()))]
    return (f"[0:{video['index']}]{','.join(filters)},split={1 + len(branches)}{''.join(branches)}[first];"
            "[first]trim=end_frame=1,showinfo=checksum=0,nullsink;" + ";".join(map("".join, zip(branches, ends))))
