# SPDX-License-Identifier: BSD-2-Clause
"""Standard error: messages, and on a terminal a line that is updated.

Nothing here has a colour, so NO_COLOR changes nothing."""
import os
import re
import select
import shutil
import sys
import textwrap

WIDTH = 80  # columns, where the terminal does not say how many it has


def say(text):
    """Writes to standard error. If nobody can read that any more, all further messages are dropped: an encode goes on
    without them. The names of files may hold bytes that are no text; they are written as they are."""
    try:
        if sys.stderr:
            sys.stderr.buffer.write(text.encode(errors="surrogateescape"))
            sys.stderr.flush()
    except OSError:
        sys.stderr = open(os.devnull, "w")  # the old one still has the text, and fails again when Python flushes it


def say_line(text):
    """Writes a line, whatever is in the names of files: a control character, which a terminal would obey, becomes a
    question mark. On a terminal that is narrower, the line goes on in the next row after a whole word."""
    text = re.sub(r"[\0-\x1f\x7f-\x9f]", "?", text)
    if is_live() and len(text) > width():
        text = textwrap.fill(text, max(2, width()), subsequent_indent="  ", break_long_words=False,
                             break_on_hyphens=False)
    say(text + "\n")


def can_say():
    """Whether standard error takes a message at once. If it is a full pipe or a stopped terminal,
    writing would wait for the reader, and the encode with it."""
    try:
        return bool(sys.stderr and select.select([], [sys.stderr], [], 0)[1])
    except (OSError, ValueError):  # no such descriptor, or one that select() does not take
        return True


def is_live():
    """Whether standard error is a terminal that can erase a part of a line."""
    return bool(sys.stderr) and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def width():
    """The columns of the terminal that standard error is, which may change at any time."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return shutil.get_terminal_size((WIDTH, 24)).columns


def fitted(parts, columns):
    """Joins as many parts of a line as fit. parts: pairs of importance and text; what is least important goes first.
    The first part stays, even if it has to be cut."""
    kept = list(parts)
    while len(", ".join(text for _, text in kept)) > columns and len(kept) > 1:
        kept.remove(min(kept[1:]))
    line = ", ".join(text for _, text in kept)
    return line if len(line) <= columns else line[:max(0, columns)]


class Line:
    """A line at the end of a terminal that is written again and again."""

    def __init__(self):
        self.length = 0  # of what is there

    def write(self, text):
        """The caller has made it fit. If the terminal has become narrower, what was there takes several rows now."""
        rows = max(0, self.length - 1) // width()
        up = f"\x1b[{rows}A" if rows else ""
        say(f"{up}\r{text}\x1b[J")  # \x1b[J erases what follows
        self.length = len(text)
