# SPDX-License-Identifier: BSD-2-Clause
"""The constant frame rate for a film, whose pictures may come at any time."""
import math
from fractions import Fraction

COMMON = [Fraction(rate * 1000, per) for rate in (24, 30, 60) for per in (1001, 1000)] + [Fraction(25), Fraction(50)]
FASTEST_FILM = 61  # what claims to be faster may have been written by a program that knew no rate, only a clock
FASTEST_BASE = 210  # a faster base rate is the resolution of a clock (the limit of libavformat's av_guess_frame_rate)
PULLDOWN = (Fraction(30000, 1001), Fraction(60000, 1001))  # may stand for film, of which fields are to be shown twice
SAME = Fraction(21, 20)  # rates that differ by less are the same, except for some pictures that were dropped
MOST_LOST = Fraction(1, 100)  # of the pictures


def fraction(text):
    """What ffprobe writes as "30000/1001". "0/0" and a missing value mean that it is not known: 0."""
    number, per = map(int, (text or "0/0").split("/"))
    return Fraction(number, per) if per else Fraction(0)


def is_constant(base, average):
    return not average or average / SAME <= base <= average * SAME


def phase(times, rate):
    """The part of a frame by which pictures come after the frames of a constant rate, as an average over a circle."""
    angles = [float(time * rate % 1) * 2 * math.pi for time in times]
    return math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles))) / (2 * math.pi)


def density(times):
    """How many pictures per second there are where there are any."""
    steps = sorted(b - a for a, b in zip(times, times[1:]))
    usual = [step for step in steps if step <= 5 * steps[len(steps) // 2]]
    return len(usual) / sum(usual) if usual else Fraction(0)


def misfit(times, rate):
    """How badly pictures fit the frames of a constant rate: how many have to go because another one falls on the same
    frame, and the mean square of how far they are from their frames."""
    shift = phase(times, rate)
    places = [float(time * rate) - shift for time in times]
    frames = [round(place) for place in places]
    return len(frames) - len(set(frames)), sum((a - b) ** 2 for a, b in zip(places, frames)) / float(rate) ** 2


def choose(base, average, times):
    """The constant rate for a film.

    base: the lowest rate of which all timestamps are multiples, as far as ffprobe has looked, or 0. average: pictures
    per second, or 0. Where both are the same, that is the rate. Otherwise timestamps jitter, or the rate changes. The
    base rate of a film of 30 fps in steps of 1/120 s is 120, and to repeat each picture four times helps nobody. So the
    rate is about the lowest at which hardly a picture is lost. times(): when pictures are shown, in seconds, in order,
    from some places of the film; empty if the film does not say."""
    if is_constant(base, average) and base <= FASTEST_FILM and base not in PULLDOWN:
        return base or Fraction(25)
    sample = times()
    if len(sample) < 2:
        return (base if is_constant(base, average) and base <= FASTEST_BASE else average) or Fraction(25)
    low = min(average, density(sample)) / SAME
    derived = [base * n / m for n in range(1, 5) for m in range(1, 11)] if base <= FASTEST_BASE else []
    fits = {rate: misfit(sample, rate) for rate in {average, *COMMON, *derived} if rate and rate >= low}
    good = [rate for rate, (lost, _) in fits.items() if lost <= MOST_LOST * len(sample)]
    if good:
        return min((rate for rate in good if rate <= min(good) * SAME), key=fits.get)
    return base if 0 < base <= FASTEST_BASE else average
