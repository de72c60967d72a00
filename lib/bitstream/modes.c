/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/modes.h"

#include "bitstream/near_mvs.h"
#include "bitstream/tokens.h"
#include "excamera/cpu.h"

/* Section 17.1: small magnitudes by a tree, others bit by bit: the low three upwards, then the rest downwards, and bit
 * 3 last, only if it is not certain to be set, since the magnitude is at least 8. */
XC_INLINE int code_mv_component(struct xc_coder c, size_t place, int value)
{
    int magnitude = value < 0 ? -value : value;
    if (xc_code(c, place + XC_MV_IS_SHORT, magnitude > 7)) {
        int coded = 0;
        for (unsigned i = 0; i < 3; i++) {
            coded |= xc_code(c, place + XC_MV_LONG + i, magnitude >> i & 1) << i;
        }
        for (unsigned i = XC_MV_LONG_BITS - 1; i > 3; i--) {
            coded |= xc_code(c, place + XC_MV_LONG + i, magnitude >> i & 1) << i;
        }
        if (coded <= 15 || xc_code(c, place + XC_MV_LONG + 3, magnitude >> 3 & 1)) {
            coded |= 8;
        }
        magnitude = coded;
    } else {
        magnitude = xc_code_tree(c, xc_short_mv_tree, place + XC_MV_SHORT, magnitude);
    }
    return magnitude && xc_code(c, place + XC_MV_SIGN, value < 0) ? -magnitude : magnitude;
}

/* Section 18.1 has vectors end before 4096 samples. It allows -4096 itself, but libvpx counts eighths in 16 bits and
 * can neither negate that nor halve it for chroma. All other vectors are copies, negated or brought nearer. */
enum { MV_REACH = 4096 * 4 - 1 };

/* A vector as its difference from a predicted one. */
XC_INLINE bool code_mv(struct xc_coder c, struct xc_mv *mv, struct xc_mv predicted)
{
    int row = mv->row - predicted.row, column = mv->column - predicted.column;
    c.kind = XC_BITS_VECTORS;
    if (c.coding != XC_READ && !xc_within(XC_MV_MAX, row, column)) {
        return false;
    }
    row = predicted.row + code_mv_component(c, XC_PLACE(probabilities.mv[0]), row);
    column = predicted.column + code_mv_component(c, XC_PLACE(probabilities.mv[1]), column);
    *mv = (struct xc_mv){ (int16_t)row, (int16_t)column };
    return xc_within(MV_REACH, row, column);
}

/* Section 16.4: which probabilities a sub-macroblock's mode is coded with. */
static const uint8_t *split_mode_probability(struct xc_mv left, struct xc_mv above)
{
    int context = xc_mv_equal(left, above) ? (xc_mv_zero(above) ? 4 : 3)
                  : xc_mv_zero(above)      ? 2
                  : xc_mv_zero(left)       ? 1
                                           : 0;
    return xc_split_mode_probability[context];
}

XC_INLINE bool code_split(struct xc_coder c, struct xc_macroblock *mb, const struct xc_neighbours *n, struct xc_mv best)
{
    mb->partitioning = (uint8_t)xc_code_constant_tree(c, xc_split_tree, xc_split_probability, mb->partitioning);
    const uint8_t *layout = xc_split_layout[mb->partitioning];
    for (int part = 0, block = 0; part < xc_split_count[mb->partitioning]; part++) {
        while (layout[block] != part) { /* the part's first block; parts come in the order of their first blocks */
            block++;
        }
        struct xc_mv left = block & 3 ? mb->split[block - 1] : xc_block_mv(n->left, block + 3);
        struct xc_mv above = block >> 2 ? mb->split[block - 4] : xc_block_mv(n->above, block + 12);
        const uint8_t *probability = split_mode_probability(left, above);
        int mode = xc_code_constant_tree(c, xc_split_mode_tree, probability, mb->b_mode[block]);
        struct xc_mv mv = { 0, 0 };
        switch (mode) {
        case XC_LEFT4X4:
            mv = left;
            break;
        case XC_ABOVE4X4:
            mv = above;
            break;
        case XC_NEW4X4:
            mv = mb->split[block];
            if (!code_mv(c, &mv, best)) {
                return false;
            }
            break;
        }
        const int end = mb->partitioning == XC_SPLIT_16 ? block + 1 : 16;
        for (int i = block; i < end; i++) {
            if (layout[i] == part) {
                if (c.coding != XC_READ && !(xc_mv_equal(mv, mb->split[i]) && mode == mb->b_mode[i])) {
                    return false;
                }
                mb->split[i] = mv;
                mb->b_mode[i] = (uint8_t)mode;
            }
        }
    }
    if (c.coding != XC_READ && !xc_mv_equal(mb->mv, mb->split[15])) {
        return false;
    }
    mb->mv = mb->split[15];
    return true;
}

/* The vector that follows from a macroblock's mode: read, or compared with the one to be written. */
XC_INLINE bool set_mv(struct xc_coder c, struct xc_macroblock *mb, struct xc_mv mv)
{
    if (c.coding != XC_READ && !xc_mv_equal(mv, mb->mv)) {
        return false;
    }
    mb->mv = mv;
    return true;
}

XC_INLINE bool code_inter(struct xc_coder c, const struct xc_frame *frame, struct xc_macroblock *mb, unsigned row,
                          unsigned column)
{
    uint8_t reference = XC_REF_LAST;
    if (xc_code(c, XC_PLACE(last_probability), mb->reference != XC_REF_LAST)) {
        bool altref = xc_code(c, XC_PLACE(golden_probability), mb->reference == XC_REF_ALTREF);
        reference = altref ? XC_REF_ALTREF : XC_REF_GOLDEN;
    }
    mb->reference = reference;
    const struct xc_neighbours n = xc_find_neighbours(frame, row, column);
    const uint8_t moving = xc_mode_context_probability[xc_zero_mv_context(&n)][0];
    struct xc_mv mv = { 0, 0 };
    if (!xc_code_constant(c, moving, mb->y_mode != XC_ZEROMV)) {
        mb->y_mode = XC_ZEROMV;
        return set_mv(c, mb, mv);
    }
    struct xc_near_mvs near;
    xc_find_near_mvs(&near, &frame->header, &n, mb->reference);
    const uint8_t probability[3] = {
        xc_mode_context_probability[near.context[1]][1],
        xc_mode_context_probability[near.context[2]][2],
        xc_mode_context_probability[near.context[3]][3],
    };
    mb->y_mode = (uint8_t)xc_code_constant_tree(c, xc_moving_mode_tree, probability, mb->y_mode);

    struct xc_mv best = xc_clamp_mv(near.best, frame, row, column);
    switch (mb->y_mode) {
    case XC_NEARESTMV:
        mv = xc_clamp_mv(near.nearest, frame, row, column);
        break;
    case XC_NEARMV:
        mv = xc_clamp_mv(near.near, frame, row, column);
        break;
    case XC_NEWMV:
        return code_mv(c, &mb->mv, best);
    case XC_SPLITMV:
        return code_split(c, mb, &n, best);
    }
    return set_mv(c, mb, mv);
}

/* How a macroblock looks to its neighbours' blocks; section 11.3. */
static int implied_b_mode(const struct xc_macroblock *mb, int block)
{
    switch (mb->y_mode) {
    case XC_B_PRED:
        return mb->b_mode[block];
    case XC_V_PRED:
        return XC_B_VE_PRED;
    case XC_H_PRED:
        return XC_B_HE_PRED;
    case XC_TM_PRED:
        return XC_B_TM_PRED;
    default:
        return XC_B_DC_PRED;
    }
}

XC_INLINE void code_key_intra(struct xc_coder c, struct xc_macroblock *mb, const struct xc_neighbours *n)
{
    mb->y_mode = (uint8_t)xc_code_constant_tree(c, xc_key_y_mode_tree, xc_key_y_mode_probability, mb->y_mode);
    for (int i = 0; mb->y_mode == XC_B_PRED && i < 16; i++) {
        int above = i >> 2 ? mb->b_mode[i - 4] : implied_b_mode(n->above, i + 12);
        int left = i & 3 ? mb->b_mode[i - 1] : implied_b_mode(n->left, i + 3);
        const uint8_t *probabilities = xc_key_b_mode_probability[above][left];
        mb->b_mode[i] = (uint8_t)xc_code_constant_tree(c, xc_b_mode_tree, probabilities, mb->b_mode[i]);
    }
    mb->uv_mode = (uint8_t)xc_code_constant_tree(c, xc_uv_mode_tree, xc_key_uv_mode_probability, mb->uv_mode);
}

XC_INLINE void code_inter_frame_intra(struct xc_coder c, struct xc_macroblock *mb)
{
    mb->y_mode = (uint8_t)xc_code_tree(c, xc_y_mode_tree, XC_PLACE(probabilities.y_mode), mb->y_mode);
    for (int i = 0; mb->y_mode == XC_B_PRED && i < 16; i++) {
        mb->b_mode[i] = (uint8_t)xc_code_constant_tree(c, xc_b_mode_tree, xc_b_mode_probability, mb->b_mode[i]);
    }
    mb->uv_mode = (uint8_t)xc_code_tree(c, xc_uv_mode_tree, XC_PLACE(probabilities.uv_mode), mb->uv_mode);
}

static bool all_up_to(uint8_t most, const uint8_t *values, int count)
{
    bool good = true;
    for (int i = 0; i < count; i++) {
        good &= values[i] <= most;
    }
    return good;
}

/* Whether a macroblock's values are among those that can be coded. */
static bool is_in_range(const struct xc_macroblock *mb)
{
    if (mb->reference > XC_REF_ALTREF || mb->y_mode > XC_SPLITMV || mb->segment >= XC_SEGMENTS ||
        !all_up_to(16, mb->tokens, XC_BLOCKS)) {
        return false;
    }
    if (mb->y_mode == XC_SPLITMV) {
        return mb->partitioning <= XC_SPLIT_16 && all_up_to(XC_NEW4X4, mb->b_mode, 16);
    }
    return (mb->reference != XC_REF_INTRA || mb->uv_mode <= XC_TM_PRED) &&
           (mb->y_mode != XC_B_PRED || all_up_to(XC_B_HU_PRED, mb->b_mode, 16));
}

/* Whether a macroblock agrees with the header and with itself, as every one does that was read. */
static bool is_consistent(const struct xc_frame_header *h, const struct xc_macroblock *mb)
{
    const bool inter = mb->reference != XC_REF_INTRA;
    if (mb->skip && (!h->skip_enabled || xc_has_tokens(mb))) {
        return false;
    }
    if (!is_in_range(mb) || inter != (mb->y_mode >= XC_NEARESTMV)) {
        return false;
    }
    return inter ? !h->key_frame : xc_mv_zero(mb->mv);
}

/* Only reading changes the frame: the others walk over a copy of the macroblock, since several threads may look at one
 * frame. */
XC_INLINE bool code_macroblock(struct xc_coder c, const struct xc_frame *frame, unsigned row, unsigned column)
{
    const struct xc_frame_header *h = &frame->header;
    struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols + column], copy;
    if (c.coding != XC_READ) {
        if (!is_consistent(h, mb)) {
            return false;
        }
        copy = *mb;
        mb = &copy;
    }
    if (h->update_segment_map) {
        c.kind = XC_BITS_SEGMENTS;
        mb->segment = (uint8_t)xc_code_tree(c, xc_segment_tree, XC_PLACE(segment_tree), mb->segment);
    }
    c.kind = XC_BITS_SKIPS;
    mb->skip = h->skip_enabled && xc_code(c, XC_PLACE(skip_probability), mb->skip);
    c.kind = XC_BITS_MODES;
    if (!h->key_frame && xc_code(c, XC_PLACE(intra_probability), mb->reference != XC_REF_INTRA)) {
        return code_inter(c, frame, mb, row, column);
    }
    mb->reference = XC_REF_INTRA;
    mb->mv = (struct xc_mv){ 0, 0 };
    if (h->key_frame) {
        struct xc_neighbours n = xc_find_neighbours(frame, row, column);
        code_key_intra(c, mb, &n);
    } else {
        code_inter_frame_intra(c, mb);
    }
    return true;
}

XC_INLINE bool code_row(struct xc_coder c, const struct xc_frame *frame, unsigned row)
{
    for (unsigned column = 0; column < frame->mb_cols; column++) {
        if (!code_macroblock(c, frame, row, column)) {
            return false;
        }
    }
    return true;
}

XC_INLINE bool read_row(struct xc_bool_reader *reader, struct xc_frame *frame, unsigned row)
{
    struct xc_bool_reader local = *reader;
    const struct xc_coder c = { .coding = XC_READ, .reader = &local, .header = &frame->header };
    bool in_reach = code_row(c, frame, row);
    *reader = local;
    return in_reach;
}

static bool read_row_c(struct xc_bool_reader *reader, struct xc_frame *frame, unsigned row)
{
    return read_row(reader, frame, row);
}

#if defined(__x86_64__)
XC_TARGET_BMI2 static bool read_row_bmi2(struct xc_bool_reader *reader, struct xc_frame *frame, unsigned row)
{
    return read_row(reader, frame, row);
}
#endif

xc_modes_read_fn *xc_modes_reader(unsigned cpu_features)
{
#if defined(__x86_64__)
    if (cpu_features & XC_CPU_BMI2) {
        return read_row_bmi2;
    }
#endif
    (void)cpu_features;
    return read_row_c;
}

bool xc_modes_write(struct xc_bool_writer *writer, const struct xc_frame *frame, unsigned row)
{
    struct xc_bool_writer local = *writer;
    const struct xc_coder c = { .coding = XC_WRITE, .writer = &local, .header = &frame->header };
    bool codable = code_row(c, frame, row);
    *writer = local;
    return codable;
}

bool xc_modes_count(struct xc_branch_counts *counts, const struct xc_frame *frame, unsigned row)
{
    const struct xc_coder c = { .coding = XC_COUNT, .counts = counts, .header = &frame->header };
    return code_row(c, frame, row);
}

bool xc_modes_measure(struct xc_bits *bits, const struct xc_frame *frame, unsigned row, unsigned column)
{
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = bits, .header = &frame->header };
    return code_macroblock(c, frame, row, column);
}

unsigned xc_vector_cost(const struct xc_frame_header *header, int component, int difference)
{
    struct xc_bits bits = { .of = { 0 } };
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = &bits, .kind = XC_BITS_VECTORS, .header = header };
    code_mv_component(c, XC_PLACE(probabilities.mv) + (size_t)component * XC_MV_PROBABILITIES, difference);
    return (unsigned)bits.of[XC_BITS_VECTORS];
}
