# SPDX-License-Identifier: BSD-2-Clause
"""Whether a film has come out whole, or what it lost to damage.

In a file, any loss is damage. A broadcast, or a stream that is played while it is sent, is made for channels that lose
data, and its recordings begin, end and are joined anywhere. There, less than a second is only mentioned."""
BROADCASTS = ("mpegts", "mpeg", "hls", "rtsp", "rtp", "sdp", "dash")
TOLERATED = 1  # second
COUNTS_PICTURES = "avi"  # here the header says of a stream how many pictures it has
ROUNDING = 0.25  # seconds by which the length in another header may be wrong, beside two pictures


def missing(source, film):
    """How many seconds the pictures end before the header of their stream says."""
    if source.end is None:
        return 0
    return float(source.end) - film["start"] - film["frames"] / float(source.timing.rate)


def damage(source, messages, film):
    """None for a film that is whole. Otherwise what to tell the user, and whether it is serious."""
    is_broadcast = source.format.get("format_name") in BROADCASTS
    is_exact = source.format.get("format_name") == COUNTS_PICTURES
    short = missing(source, film) > (0 if is_exact else ROUNDING) + 2 / source.pace
    if not messages.losses and not short:
        return None
    reason = messages.loss or "it lacks pictures, or ends early"
    serious = short or not is_broadcast or messages.losses > TOLERATED * source.timing.rate
    known = source.frames and source.frames >= film["frames"]
    frames = f"{film['frames']} of {source.frames} frames" if known else f"{film['frames']} frames"
    return {"text": f"{source.name}: is damaged: {reason}; {frames} could be encoded", "serious": bool(serious)}
