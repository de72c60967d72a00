"""What the user sees while it works."""
import math
import shutil
import sys
import time


class Progress:
    """Tells how far the work is: on a terminal in one line that changes, elsewhere in a line every ten seconds."""

    def __init__(self):
        self.live = sys.stderr.isatty()
        self.outlook = ""  # what is to be said of an interruption
        self.interval = 0.5 if self.live else 10

    def begin(self, stage, frames, done=0.0):
        """frames: how many there are in all, perhaps by an estimate, or None. done: how many need no work, because an
        earlier run did them."""
        self.stage, self.frames, self.before, self.start = stage, frames, done, time.monotonic()
        self.printed = self.start
        self.write(f"{stage} ..." + ("" if self.live else "\n"))

    def show(self, count):
        """count() is how many frames are done; if it is time to tell that."""
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
        self.write(text + ("" if self.live else "\n"))

    def write(self, text):
        if self.live:
            text = "\r" + text[:shutil.get_terminal_size().columns - 1] + "\x1b[K"  # erases what was behind it
        print(text, end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.live:
            self.write("")
