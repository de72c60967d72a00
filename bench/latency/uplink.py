# SPDX-License-Identifier: BSD-2-Clause
"""The upload of the source by the workstation: when each of its files is in the store."""
import heapq

AT_ONCE = 16  # transfers (lambda/uploads.c)


def upload_ends(sizes, rate, at_once=AT_ONCE):
    """When each file is there, if they begin in this order, `at_once` at a time, and share the uplink equally. rate:
    bytes per second."""
    # `sent` is what each transfer has got of the uplink since the beginning: one that begins when that is S, and has B
    # bytes, is through when it is S + B.
    ends, active, now, sent = [0.0] * len(sizes), [], 0.0, 0.0
    for number in range(len(sizes) + at_once):
        if len(active) == at_once or (number >= len(sizes) and active):
            until, done = heapq.heappop(active)
            now += (until - sent) * (len(active) + 1) / rate
            sent, ends[done] = until, now
        if number < len(sizes):
            heapq.heappush(active, (sent + sizes[number], number))
    return ends
