# SPDX-License-Identifier: BSD-2-Clause
"""How a worker waits for a file that another one publishes: when it asks the store, and how often in vain
(lambda/worker/meeting.c)."""
import typing


class Polling(typing.NamedTuple):
    """The seconds that a worker pauses between two requests. docs/notes/latency.md says why."""
    poll_last: float = 0.02     # for the last file that it needs from other workers
    poll_patience: float = 1    # seconds for which the pauses are that short
    poll_long: float = 0.25     # after that
    poll_earlier: float = 0.2   # for an earlier file: for each that is still to come
    poll_most: float = 1        # but not more than this

    def pause(self, waited, later):
        """Between two requests, if a worker has waited for so long, and so many files come later."""
        if later:
            return min(self.poll_earlier * later, self.poll_most)
        return self.poll_last if waited < self.poll_patience else self.poll_long

    def late(self, waited, later, latency):
        """From when a file is there until the worker asks for it, on average. While it waits, it has a request on its
        way or pauses, and the file may come at any time of that."""
        return (self.pause(waited, later) + latency) / 2

    def in_vain(self, waited, later, latency):
        """How many requests find nothing while a worker waits for so long."""
        quick = waited if later else min(waited, self.poll_patience)
        return (quick / (self.pause(0, later) + latency) +
                (waited - quick) / (self.pause(waited, later) + latency))
