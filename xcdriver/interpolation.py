# SPDX-License-Identifier: BSD-2-Clause
"""What is known of some chunks, for those between them."""


def shares(known, chunk):
    """Of the chunks before and after a chunk of which something is known, how much each one counts; only one of them if
    it is the chunk itself, or if there is no other."""
    before = max((other for other in known if other <= chunk), default=None)
    after = min((other for other in known if other >= chunk), default=None)
    if before is None or after is None or before == after:
        return {after if before is None else before: 1.}
    share = (chunk - before) / (after - before)
    return {before: 1 - share, after: share}


def interpolated(known, chunk):
    """A value between those that are known by the number of a chunk."""
    return sum(known[other] * share for other, share in shares(known, chunk).items())
