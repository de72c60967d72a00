# SPDX-License-Identifier: BSD-2-Clause
"""What stands in a VP8 frame's header, read by code of our own (RFC 6386, sections 7.3 and 9)."""
import types

import harness


class BoolDecoder:

    def __init__(self, data):
        self.data, self.at = data, 2
        self.value, self.range, self.used = int.from_bytes(data[:2], "big"), 255, 0

    def bit(self):
        """A bool whose chances are even, as all are up to where the probabilities begin."""
        split = 1 + (self.range - 1) * 128 // 256
        is_set = self.value >= split << 8
        if is_set:
            self.value -= split << 8
        self.range = self.range - split if is_set else split
        while self.range < 128:
            self.value, self.range, self.used = self.value << 1, self.range << 1, self.used + 1
            if self.used == 8:
                self.value |= self.data[self.at] if self.at < len(self.data) else 0
                self.at, self.used = self.at + 1, 0
        return int(is_set)

    def number(self, bits):
        value = 0
        for _ in range(bits):
            value = value * 2 + self.bit()
        return value

    def optional(self, bits):
        """A number that a flag announces; 0 where there is none."""
        return self.number(bits) if self.bit() else 0


def skip_segmentation(bits):
    update_map, update_data = bits.bit(), bits.bit()
    if update_data:
        bits.bit()
        for size in [8] * 4 + [7] * 4:  # the sign included
            bits.optional(size)
    for _ in range(3 * update_map):
        bits.optional(8)


def parse(data):
    """quantizer, the index of Y AC, and, of interframes, sign_bias_altref."""
    header, is_key_frame = types.SimpleNamespace(), harness.is_key_frame(data)
    bits = BoolDecoder(data[10 if is_key_frame else 3:])
    if is_key_frame:
        bits.number(2)  # color space, clamping type
    if bits.bit():
        skip_segmentation(bits)
    bits.number(1 + 6 + 3)  # loop filter: type, level, sharpness
    if bits.bit() and bits.bit():
        for _ in range(8):
            bits.optional(7)
    bits.number(2)  # token partitions
    header.quantizer = bits.number(7)
    for _ in range(5):
        bits.optional(5)
    if not is_key_frame:
        refreshed = bits.bit() + bits.bit()  # golden and alt-ref
        bits.number(2 * (2 - refreshed))  # what is copied to those that are not
        bits.bit()  # sign bias of golden
        header.sign_bias_altref = bits.bit()
    return header
