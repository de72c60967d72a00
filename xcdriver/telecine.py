# SPDX-License-Identifier: BSD-2-Clause
"""Whether a film of 24 pictures per second was spread over 60 fields (3:2 pulldown), so that three in five of its
frames are whole and two are mixed. Then the fields can be put together again."""
import re
from fractions import Fraction

from xcdriver.processes import run

RATE = Fraction(30000, 1001)
NEAR = Fraction(1, 20)  # frames per second by which the rate may differ
INTERLACED = ("tt", "bb", "tb", "bt")
LEAST_SIZE = 16  # columns and lines
FRAMES, LEAST_FRAMES = 150, 50  # how many are looked at in each place, and how many must be there
SHORT = 30  # seconds; a shorter film is only looked at where it begins
# In a cycle of five frames, one repeats a top field, and one a bottom field. Other films repeat few, or of one kind.
LEAST, MOST = 0.12, 0.28


def filters(order):
    """fieldmatch finds the fields that belong together, yadif mends those that it marks as still mixed. decimate counts
    frames instead of looking at their times, so fps fills gaps before it."""
    return f"fieldmatch=order={order},yadif=deint=interlaced,fps={RATE},decimate"


def field_order(options, index):
    """Which field comes first, "tff" or "bff", if the frames in one place repeat fields as 3:2 pulldown does; otherwise
    None. What the stream itself says about its fields is often wrong."""
    text = run(["ffmpeg", "-nostdin", "-v", "error", *options, "-map", f"0:{index}", "-frames:v", str(FRAMES), "-vf",
                "idet,metadata=print:file=-", "-f", "null", "-"])

    def last(key):
        return float((re.findall(rf"lavfi\.idet\.{key}=([\d.]+)", text) or ["0"])[-1])
    repeated = [last(f"repeated.{field}") for field in ("top", "bottom")]
    total = sum(repeated) + last("repeated.neither")
    if total < LEAST_FRAMES or not all(LEAST <= count / total <= MOST for count in repeated):
        return None
    return "tff" if last("multiple.tff") >= last("multiple.bff") else "bff"


def telecined(options, video, rate, seconds):
    """Looks at some places of a stream that ffprobe has described. options: those for ffmpeg that name the film.
    seconds: how long it is. Returns which field comes first, or None if the stream or a part of it is no such film."""
    if video.get("field_order") not in INTERLACED or abs(rate - RATE) > NEAR or (
            min(video["width"], video["height"]) < LEAST_SIZE):
        return None
    places = [seconds * quarter / 4 for quarter in (1, 2, 3)] if seconds > SHORT else [0]
    orders = {field_order(["-ss", f"{float(place):.3f}", *options], video["index"]) for place in places}
    return orders.pop() if len(orders) == 1 else None
