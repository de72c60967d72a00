# SPDX-License-Identifier: BSD-2-Clause
"""What the user sees while a film is encoded."""
import math
import time

from xcdriver.terminal import Line, can_say, fitted, is_live, say, say_line, width


def in_bytes(size):
    """A size for people, in units of 1000."""
    for unit, divisor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= divisor:
            return f"{size / divisor:.1f} {unit}"
    return f"{size:.0f} bytes"


def in_minutes(seconds):
    return "{:.0f}:{:02.0f}".format(*divmod(round(seconds), 60))


class Progress:
    """Shows how much is done: on a terminal in one line that is updated, otherwise in a new line every ten seconds."""

    def __init__(self, quiet=False, verbose=False):
        """quiet: nothing is shown. verbose: notes are, too."""
        self.quiet, self.verbose, self.live = quiet, verbose, is_live()
        self.line, self.stage = Line(), None
        self.outlook = ""  # added to the message about a failure or an interruption
        self.interval = 0.5 if self.live else 10

    def begin(self, stage, frames, done=0.0):
        """frames: how many there are in all, exactly or by an estimate, or None. done: how many an earlier run has
        finished, which do not count for the speed."""
        self.stage, self.frames, self.before, self.start = stage, frames, done, time.monotonic()
        self.printed = self.start
        self.write([(0, f"{stage} ...")])

    def show(self, count, sizes=None):
        """Prints the progress if it is time to. count() returns how many frames are done; sizes(frames), if it is
        given, how many bytes there are so far, and, by an estimate or None, will be for so many frames."""
        if self.quiet or time.monotonic() < self.printed + self.interval:
            return
        self.printed = time.monotonic()
        self.write(self.parts(min(count(), self.frames or math.inf), *(sizes(self.frames) if sizes else (0, None))))

    def parts(self, done, size, size_at_end):
        """The parts of a line, each with its importance. Their order is for programs that read it: what is new comes
        last."""
        share = f" of {self.frames} ({100 * done / self.frames:.0f} %)" if self.frames else ""
        yield 0, f"{self.stage}: frame {done:.0f}{share}"
        rate = (done - self.before) / (self.printed - self.start)
        if rate > 0:
            yield 2, f"{rate:.1f} fps"
            if self.frames:
                yield 3, f"{in_minutes((self.frames - done) / rate)} left"
        if size:
            about = "~" if self.live else "about "  # a terminal may be narrow
            yield 1, in_bytes(size) + (f" of {about}{in_bytes(size_at_end)}" if size_at_end else "")

    def write(self, parts):
        if self.quiet or not can_say():
            return
        if self.live:
            self.line.write(fitted(parts, width() - 1))
        else:
            say(fitted(parts, math.inf) + "\n")

    def interject(self, message):
        """Prints a line of its own, unless nothing is to be shown."""
        if not self.quiet:
            self.clear()
            say_line(message)

    def note(self, message):
        """The same for what only those want to know who have asked for more."""
        if self.verbose:
            self.interject(message)

    def clear(self):
        """Removes the line that is updated, so that a message can take its place."""
        if self.live and self.line.length and can_say():
            self.line.write("")
