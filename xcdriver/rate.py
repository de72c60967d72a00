# SPDX-License-Identifier: BSD-2-Clause
"""The constant frame rate for a film, whose pictures may come at any time."""
import math
from fractions import Fraction

NTSC = [Fraction(rate * 1000, 1001) for rate in (24, 30, 60)]
USUAL = NTSC + list(map(Fraction, (24, 25, 30, 48, 50, 60)))
COMMON = NTSC + list(map(Fraction, range(1, 61)))
FASTEST_FILM = 61  # what claims to be faster may have been written by a program that knew no rate, only a clock
PULLDOWN = NTSC[1:]  # may stand for film, of which fields are to be shown twice
FASTEST_BASE = 210  # a faster base rate is the resolution of a clock (the limit of libavformat's av_guess_frame_rate)
SAME = Fraction(21, 20)  # rates that differ by less are the same, except for some pictures that were dropped
MOST_LOST = Fraction(1, 100)  # of the pictures
PHASES = 16  # places within a frame that are tried for the first picture


def fraction(text):
    """What ffprobe writes as "30000/1001". "0/0" and a missing value mean that it is not known: 0."""
    number, per = map(int, (text or "0/0").split("/"))
    return Fraction(number, per) if per else Fraction(0)


def is_constant(base, average):
    return not average or average / SAME <= base <= average * SAME


def runs(times, longest):
    """Divides times, in the order of the packets, into runs on one clock, each sorted. longest: seconds by which a
    picture may follow the one before it, or None for a film whose clock never starts again."""
    found, last = [], None
    for time, decoded in times:
        if last is None or longest and not 0 <= decoded - last <= longest:
            found.append(set())
        found[-1].add(time)
        last = decoded
    return [sorted(run) for run in found if len(run) > 1]


def density(runs):
    """How many pictures per second there are where there are any."""
    steps = sorted(b - a for times in runs for a, b in zip(times, times[1:]))
    usual = [step for step in steps if step <= 5 * steps[len(steps) // 2]]
    return len(usual) / sum(usual) if usual else Fraction(0)


def misfit(times, rate, shift):
    """How badly pictures fit the frames of a constant rate, the first of which is shown at `shift`, counted in frames:
    how many have to go because another one falls on the same frame, and the sum of the squares of how far they are from
    their frames."""
    places = [float(time * rate) - shift for time in times]
    frames = [round(place) for place in places]
    return len(frames) - len(set(frames)), sum((a - b) ** 2 for a, b in zip(places, frames)) / float(rate) ** 2


def phase(times, rate, start=0.0):
    """The part of a frame by which pictures come after the frames of a constant rate. Of some values, the one with the
    least misfit: `start`, an average over a circle (which means little if pictures jitter by half a frame), and, if a
    picture is lost with these, others evenly over a frame."""
    angles = [float(time * rate % 1) * 2 * math.pi for time in times]
    mean = math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles))) / (2 * math.pi)
    lost = min(misfit(times, rate, start)[0], misfit(times, rate, mean)[0])
    more = [number / PHASES - 0.5 for number in range(PHASES)] if lost else []
    return min((start, mean, *more), key=lambda shift: misfit(times, rate, shift)[0])


def total_misfit(runs, rate):
    each = [misfit(times, rate, phase(times, rate)) for times in runs]
    return sum(lost for lost, _ in each), sum(squares for _, squares in each)


def choose(base, average, runs):
    """The constant rate for a film.

    base: the lowest rate of which all timestamps are multiples, as far as ffprobe has looked, or 0. average: pictures
    per second, or 0. runs: when pictures are shown, in seconds, in order, in some places of the film; empty if the film
    does not say.

    Where base and average are the same, and the pictures come as they say, that is the rate. Otherwise timestamps
    jitter, the rate changes, or a header is wrong. The base rate of a film of 30 fps in steps of 1/120 s is 120, and to
    repeat each picture four times helps nobody. So the rate is about the lowest at which hardly a picture is lost."""
    claimed = base if is_constant(base, average) and base <= FASTEST_BASE else average
    if not runs:
        return claimed or Fraction(25)
    most_lost = MOST_LOST * sum(map(len, runs))
    pace = density(runs)
    is_likely = base <= FASTEST_FILM and base not in PULLDOWN or pace * SAME >= base
    if base and claimed == base and is_likely and total_misfit(runs, base)[0] <= most_lost:
        return base
    low = min(average or pace, pace) / SAME
    derived = [base * n / m for n in range(1, 5) for m in range(1, 11)] if base <= FASTEST_BASE else []
    fits = {rate: total_misfit(runs, rate) for rate in {average, *COMMON, *derived} if rate and rate >= low}
    good = [rate for rate, (lost, _) in fits.items() if lost <= most_lost]
    if good:
        slow = [rate for rate in good if rate <= min(good) * SAME]
        usual = [rate for rate in slow if rate in USUAL] or slow
        return base if base in slow else min(usual, key=fits.get)
    return base if 0 < base <= FASTEST_BASE else average or pace
