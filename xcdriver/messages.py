# SPDX-License-Identifier: BSD-2-Clause
"""What ffmpeg says while it converts a film, and what of it the user has to know."""
import collections
import re
import threading
from fractions import Fraction

LEVEL = ["-nostats", "-v", "repeat+level+info"]  # what Messages can read
LONGEST = 10000  # characters of a line

ADDRESS = re.compile(r" @ (?:0x)?[0-9a-f]+")
LINE = re.compile(r"(.*?)\[(warning|error|fatal|panic)\] (.*)")
TIME_BASE = re.compile(r"\[Parsed_showinfo\S*\] \[info\] config in time_base: (\d+)/(\d+)")
FIRST_PICTURE = re.compile(r"\[Parsed_showinfo\S*\] \[info\] n: *0 pts: *(-?\d+)")

# The program at the other end of the pipe has ended, and knows why.
BROKEN_PIPE = re.compile(r"Broken pipe|Error muxing a packet")
# Some versions of ffmpeg exit with 0 after this.
CANNOT_WRITE = re.compile(r"No space left|[Qq]uota exceeded|File too large|Error writing (?:trailer|header)|"
                          r"Error submitting a packet to the muxer|av_interleaved_write_frame")
# It could not read any further, for a reason that may be gone later.
CANNOT_READ = re.compile(r"Input/output error|Connection (?:reset|refused|timed out)|Network is unreachable|"
                         r"Stream ends prematurely|Server returned|HTTP error|Failed to resolve|"
                         r"Operation timed out|Stale file handle")
# Pictures or sounds are lost. After other errors, such as wrong reference counts, decoders lose nothing.
# A corrupt packet is counted if its decoder complains; at the joint of two transport streams, none does.
LOSS = re.compile(r"[Ee]rror while decoding|Error submitting (?:a )?packet to decoder|Decoding error|"
                  r"corrupt decoded frame|partial file|[Tt]runcat|ended prematurely|"
                  r"Error during demuxing|CRC mismatch|exceeds containing|Error parsing frame sizes|[Ii]nvalid NAL|"
                  r"Error at MB|damaged at|invalid as first byte|Packet mismatch|"
                  r"Failed to open segment|Invalid data found")


class Messages:
    """Reads the messages in a thread, so that ffmpeg never waits, and keeps few of them."""

    def __init__(self, stream):
        self.first_picture = None  # when it is shown, on ffmpeg's clock
        self.first_error = None
        self.errors = collections.deque(maxlen=5)  # the last ones
        self.unread = self.unwritten = self.loss = None  # the first of each kind
        self.losses = 0
        self.stream, self.time_base = stream, None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while line := self.stream.readline(LONGEST):
            self.take(ADDRESS.sub("", line.rstrip("\n")))

    def take(self, line):
        if self.first_picture is None and (found := TIME_BASE.match(line)):
            self.time_base = Fraction(int(found[1]), int(found[2]) or 1)
        elif self.first_picture is None and self.time_base and (found := FIRST_PICTURE.match(line)):
            self.first_picture = int(found[1]) * self.time_base
        elif found := LINE.match(line):
            self.take_complaint(found[1] + found[3], found[2] != "warning")

    def take_complaint(self, text, is_error):
        if BROKEN_PIPE.search(text):
            return
        if is_error:
            self.first_error = self.first_error or text
            self.errors.append(text)
        if CANNOT_WRITE.search(text):
            self.unwritten = self.unwritten or text
        elif CANNOT_READ.search(text):
            self.unread = self.unread or text
        elif LOSS.search(text) and self.first_picture is not None:  # before it, decoders look for a place to begin
            self.loss = self.loss or text
            self.losses += 1

    def finish(self):
        """Waits for the last message. ffmpeg must have ended."""
        self.thread.join()
