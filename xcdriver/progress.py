# SPDX-License-Identifier: BSD-2-Clause
"""What the user sees while a film is encoded."""
import math
import os
import select
import shutil
import sys
import time


def say(text):
    """Writes to standard error. If nobody can read that any more, all further messages are dropped: an encode goes on
    without them."""
    try:
        if sys.stderr:
            print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # the old one still has the text, and fails again when Python flushes it


def can_say():
    """Whether standard error takes a message at once. If it is a full pipe or a stopped terminal,
    writing would wait for the reader, and the encode with it."""
    try:
        return bool(sys.stderr and select.select([], [sys.stderr], [], 0)[1])
    except (OSError, ValueError):  # no such descriptor, or one that select() does not take
        return True


class Progress:
    """Shows how many frames are done: on a terminal in one line that is updated, otherwise in a new line every ten
    seconds."""

    def __init__(self):
        self.live = sys.stderr is not None and sys.stderr.isatty()
        self.outlook = ""  # added to the message about a failure or an interruption
        self.interval = 0.5 if self.live else 10

    def begin(self, stage, frames, done=0.0):
        """frames: how many there are in all, exactly or by an estimate, or None. done: how many an earlier run has
        finished, which do not count for the speed."""
        self.stage, self.frames, self.before, self.start = stage, frames, done, time.monotonic()
        self.printed = self.start
        self.write(f"{stage} ...")

    def show(self, count):
        """Prints the progress if it is time to. count() returns how many frames are done."""
        if time.monotonic() < self.printed + self.interval:
            return
        self.printed = time.monotonic()
        done = min(count(), self.frames or math.inf)
        rate = (done - self.before) / (self.printed - self.start)
        text = f"{self.stage}: frame {done:.0f}"
        if self.frames:
            text += f" of {self.frames} ({100 * done / self.frames:.0f} %)"
        if rate > 0:
            text += f", {rate:.1f} fps"
        if rate > 0 and self.frames:
            left = (self.frames - done) / rate
            text += ", {:.0f}:{:02.0f} left".format(*divmod(round(left), 60))
        self.write(text)

    def write(self, text):
        if not can_say():
            return
        if self.live:
            say("\r" + text[:shutil.get_terminal_size().columns - 1] + "\x1b[K")  # \x1b[K erases the rest of the line
        else:
            say(text + "\n")

    def interject(self, message):
        """Prints a line of its own."""
        self.clear()
        say(message + "\n")

    def clear(self):
        """Removes the line that is updated, so that a message can take its place."""
        if self.live:
            self.write("")
