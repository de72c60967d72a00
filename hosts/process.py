# SPDX-License-Identifier: BSD-2-Clause
"""A process that we talk with. It is made of system calls alone: Python's modules for that take as long to load as all
else that a step does."""
import os
import select
import time

PIECE = 1024 * 1024
SIGKILL, SIGPIPE = 9, 13
SIGNALLED = 128  # is added to the number of a signal to make an exit status, as shells do


class Late(Exception):
    """The process has taken too long. It is killed."""


class Process:
    """Its standard output is read here, its messages are collected, and its standard input stays open until the end if
    `stdin` is None; otherwise that is a descriptor."""

    def __init__(self, argv, seconds, stdin=None):
        self.deadline, self.buffer = time.monotonic() + seconds, b""
        self.errors = os.memfd_create("errors")
        self.output, out = os.pipe()
        given, self.input = os.pipe() if stdin is None else (stdin, None)
        try:
            self.id = os.posix_spawnp(argv[0], argv, os.environ, setsigdef=[SIGPIPE], file_actions=[
                (os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, self.errors, 2)])
        finally:
            os.close(out)
            if stdin is None:
                os.close(given)

    def read(self, most):
        """Some bytes of what it prints, b"" at its end. Raises Late."""
        if not self.buffer:
            poll = select.poll()
            poll.register(self.output, select.POLLIN)
            if not poll.poll(max(0, 1000 * (self.deadline - time.monotonic()))):
                os.kill(self.id, SIGKILL)
                raise Late
            self.buffer = os.read(self.output, PIECE)
        piece, self.buffer = self.buffer[:most], self.buffer[most:]
        return piece

    def line(self):
        """The next line that it prints, with its end unless that is missing."""
        line = b""
        while not line.endswith(b"\n") and (piece := self.read(PIECE)):
            end = piece.find(b"\n") + 1
            line += piece[:end] if end else piece
            self.buffer = piece[end:] if end else b""
        return line

    def rest(self):
        return b"".join(iter(lambda: self.read(PIECE), b""))

    def copy(self, out, size):
        """Copies so many bytes of what it prints, or as many as there are."""
        while size and (piece := self.read(size)):
            out.write(piece)
            size -= len(piece)

    def end(self):
        """Closes its standard input and waits for its end. Returns the exit status, as shells have it."""
        for descriptor in (self.input, self.output):
            if descriptor is not None:
                os.close(descriptor)
        self.input = self.output = None
        if self.id:
            status, self.id = os.waitpid(self.id, 0)[1], None
            self.status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else SIGNALLED + os.WTERMSIG(status)
        return self.status

    def messages(self):
        return os.pread(self.errors, os.fstat(self.errors).st_size, 0)
