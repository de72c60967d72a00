/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/tokens.h"

#include <string.h>

#include "excamera/cpu.h"

typedef const uint8_t band_probabilities[3][11];

bool xc_has_tokens(const struct xc_macroblock *mb)
{
    static const uint8_t none[XC_BLOCKS];
    return memcmp(mb->tokens, none, sizeof none) != 0;
}

/* The blocks of a plane, in rows and columns of size. */
struct plane {
    uint8_t first, size;
};
static const struct plane y2 = { XC_BLOCK_Y2, 1 }, luma = { 0, 4 }, chroma_u = { XC_BLOCK_U, 2 },
                          chroma_v = { XC_BLOCK_V, 2 };

static void skip_contexts(bool has_y2, struct xc_token_context *context)
{
    *context = (struct xc_token_context){ .y2 = has_y2 ? 0 : context->y2 };
}

/* --- reading --- */

XC_INLINE int read_extra(struct xc_bool_reader *r, const struct xc_token_category *category)
{
    int extra = 0;
    for (const uint8_t *p = category->probability; *p; p++) {
        extra = extra << 1 | xc_bool_read(r, *p);
    }
    return category->base + extra;
}

/* A value of 2 or more; p points at the node that tells low from high (2 from the rest is node 3). */
XC_INLINE int read_large(struct xc_bool_reader *r, const uint8_t p[11])
{
    if (!xc_bool_read(r, p[3])) {
        if (!xc_bool_read(r, p[4])) {
            return 2;
        }
        return 3 + xc_bool_read(r, p[5]);
    }
    int category;
    if (!xc_bool_read(r, p[6])) {
        category = xc_bool_read(r, p[7]);
    } else {
        category = 2 + 2 * xc_bool_read(r, p[8]);
        category += xc_bool_read(r, p[9 + (category >> 1) - 1]);
    }
    return read_extra(r, &xc_token_category[category]);
}

/* One block from coefficient first on; returns one past the last token's position, 0 for none. */
XC_INLINE int read_block(struct xc_bool_reader *r, band_probabilities *bands, int context, int first, int16_t *out)
{
    const uint8_t *p = bands[xc_coefficient_band[first]][context];
    if (!xc_bool_read(r, p[0])) {
        return 0;
    }
    for (int i = first;;) {
        if (!xc_bool_read(r, p[1])) {
            if (++i == 16) {
                return 16;
            }
            p = bands[xc_coefficient_band[i]][0]; /* after a zero, there is no end of block */
            continue;
        }
        int value;
        if (!xc_bool_read(r, p[2])) {
            value = 1;
            p = bands[xc_coefficient_band[i + 1]][1];
        } else {
            value = read_large(r, p);
            p = bands[xc_coefficient_band[i + 1]][2];
        }
        const int negative = xc_bool_read_even(r);
        out[xc_zigzag[i]] = (int16_t)((value ^ -negative) + negative);
        if (++i == 16 || !xc_bool_read(r, p[0])) {
            return i;
        }
    }
}

XC_INLINE xc_block *read_plane(struct xc_bool_reader *reader, struct xc_macroblock *mb, band_probabilities *bands,
                               int first, struct plane plane, xc_block *levels, uint8_t *above, uint8_t *left)
{
    struct xc_bool_reader local = *reader;
    uint8_t *tokens = &mb->tokens[plane.first];
    for (int y = 0; y < plane.size; y++) {
        for (int x = 0; x < plane.size; x++, tokens++) {
            *tokens = (uint8_t)read_block(&local, bands, above[x] + left[y], first, *levels);
            above[x] = left[y] = *tokens != 0;
            if (*tokens) {
                memset(*++levels, 0, sizeof *levels);
            }
        }
    }
    *reader = local;
    return levels;
}

XC_INLINE xc_block *read_macroblock(struct xc_bool_reader *reader, const struct xc_probabilities *probabilities,
                                    struct xc_macroblock *mb, xc_block *levels, struct xc_token_context *above,
                                    struct xc_token_context *left)
{
    mb->tokens[XC_BLOCK_Y2] = 0;
    if (mb->skip) {
        memset(mb->tokens, 0, sizeof mb->tokens);
        skip_contexts(xc_has_y2(mb), above);
        skip_contexts(xc_has_y2(mb), left);
        return levels;
    }
    band_probabilities *bands = probabilities->coefficient[XC_Y_WITH_DC];
    int first = 0;
    if (xc_has_y2(mb)) {
        levels = read_plane(reader, mb, probabilities->coefficient[XC_Y2], 0, y2, levels, &above->y2, &left->y2);
        bands = probabilities->coefficient[XC_Y_AFTER_Y2];
        first = 1;
    }
    levels = read_plane(reader, mb, bands, first, luma, levels, above->y, left->y);
    bands = probabilities->coefficient[XC_CHROMA];
    levels = read_plane(reader, mb, bands, 0, chroma_u, levels, above->u, left->u);
    return read_plane(reader, mb, bands, 0, chroma_v, levels, above->v, left->v);
}

static xc_block *read_macroblock_c(struct xc_bool_reader *reader, const struct xc_probabilities *probabilities,
                                   struct xc_macroblock *mb, xc_block *levels, struct xc_token_context *above,
                                   struct xc_token_context *left)
{
    return read_macroblock(reader, probabilities, mb, levels, above, left);
}

#if defined(__x86_64__)
XC_TARGET_BMI2 static xc_block *read_macroblock_bmi2(struct xc_bool_reader *reader,
                                                     const struct xc_probabilities *probabilities,
                                                     struct xc_macroblock *mb, xc_block *levels,
                                                     struct xc_token_context *above, struct xc_token_context *left)
{
    return read_macroblock(reader, probabilities, mb, levels, above, left);
}
#endif

xc_tokens_read_fn *xc_tokens_reader(unsigned cpu_features)
{
#if defined(__x86_64__)
    if (cpu_features & XC_CPU_BMI2) {
        return read_macroblock_bmi2;
    }
#endif
    (void)cpu_features;
    return read_macroblock_c;
}

/* --- writing, or counting --- */

/* The place of the probabilities of a block type's band and context in the header. */
XC_INLINE size_t place_of(int type, int band, int context)
{
    const size_t index = ((size_t)type * XC_BANDS + (size_t)band) * XC_CONTEXTS + (size_t)context;
    return XC_PLACE(probabilities.coefficient) + index * XC_TOKEN_NODES;
}

XC_INLINE void write_extra(struct xc_coder c, const struct xc_token_category *category, int value)
{
    for (int i = 0; i < category->bits; i++) {
        xc_code_constant(c, category->probability[i], (value - category->base) >> (category->bits - 1 - i) & 1);
    }
}

/* The inverse of read_large; p: the place of the probabilities. */
XC_INLINE void write_large(struct xc_coder c, size_t p, int value)
{
    if (!xc_code(c, p + 3, value > 4)) {
        if (xc_code(c, p + 4, value > 2)) {
            xc_code(c, p + 5, value > 3);
        }
        return;
    }
    int category = 0;
    while (category < 5 && value >= xc_token_category[category + 1].base) {
        category++;
    }
    if (!xc_code(c, p + 6, category >= 2)) {
        xc_code(c, p + 7, category & 1);
    } else {
        xc_code(c, p + 8, category >= 4);
        xc_code(c, p + 9 + (category >= 4), category & 1);
    }
    write_extra(c, &xc_token_category[category], value);
}

/* A level that no end of block stands in the place of, with its sign. */
XC_INLINE void write_level(struct xc_coder c, size_t p, int level)
{
    const int value = level < 0 ? -level : level;
    if (xc_code(c, p + 1, value != 0)) {
        if (xc_code(c, p + 2, value > 1)) {
            write_large(c, p, value);
        }
        xc_code_flag(c, level < 0);
    }
}

XC_INLINE void write_block(struct xc_coder c, int type, int context, int first, int tokens, const int16_t *levels)
{
    size_t p = place_of(type, xc_coefficient_band[first], context);
    if (!xc_code(c, p, tokens != 0)) {
        return;
    }
    for (int i = first; i < tokens;) {
        const int level = levels[xc_zigzag[i]];
        write_level(c, p, level);
        p = place_of(type, xc_coefficient_band[++i], level == 0 ? 0 : level == 1 || level == -1 ? 1 : 2);
        if (level && i < 16) {
            xc_code(c, p, i < tokens);
        }
    }
}

XC_INLINE const xc_block *write_plane(struct xc_coder c, const struct xc_macroblock *mb, int type, int first,
                                      struct plane plane, const xc_block *levels, uint8_t *above, uint8_t *left)
{
    const uint8_t *tokens = &mb->tokens[plane.first];
    for (int y = 0; y < plane.size; y++) {
        for (int x = 0; x < plane.size; x++, tokens++) {
            write_block(c, type, above[x] + left[y], first, *tokens, *levels);
            above[x] = left[y] = *tokens != 0;
            levels += *tokens != 0;
        }
    }
    return levels;
}

unsigned xc_level_cost(const struct xc_frame_header *header, int type, int band, int context, int level)
{
    struct xc_bits bits = { .of = { 0 } };
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = &bits, .kind = XC_BITS_Y, .header = header };
    write_level(c, place_of(type, band, context), level);
    return (unsigned)bits.of[XC_BITS_Y];
}

unsigned xc_extra_cost(int category, int level)
{
    struct xc_bits bits = { .of = { 0 } };
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = &bits, .kind = XC_BITS_Y };
    write_extra(c, &xc_token_category[category], level);
    return (unsigned)bits.of[XC_BITS_Y];
}

/* A plane coded in one way. */
typedef const xc_block *code_plane(struct xc_coder c, const struct xc_macroblock *mb, int type, int first,
                                   struct plane plane, const xc_block *levels, uint8_t *above, uint8_t *left);

static const xc_block *plane_to_bits(struct xc_coder c, const struct xc_macroblock *mb, int type, int first,
                                     struct plane plane, const xc_block *levels, uint8_t *above, uint8_t *left)
{
    struct xc_bool_writer local = *c.writer;
    const struct xc_coder to_local = { .coding = XC_WRITE, .writer = &local, .header = c.header };
    levels = write_plane(to_local, mb, type, first, plane, levels, above, left);
    *c.writer = local;
    return levels;
}

static const xc_block *plane_to_counts(struct xc_coder c, const struct xc_macroblock *mb, int type, int first,
                                       struct plane plane, const xc_block *levels, uint8_t *above, uint8_t *left)
{
    c.coding = XC_COUNT;
    return write_plane(c, mb, type, first, plane, levels, above, left);
}

static const xc_block *plane_to_cost(struct xc_coder c, const struct xc_macroblock *mb, int type, int first,
                                     struct plane plane, const xc_block *levels, uint8_t *above, uint8_t *left)
{
    c.coding = XC_MEASURE;
    return write_plane(c, mb, type, first, plane, levels, above, left);
}

static void code_planes(struct xc_coder c, code_plane *code, const struct xc_macroblock *mb, const xc_block *levels,
                        struct xc_token_context *above, struct xc_token_context *left)
{
    if (mb->skip) {
        skip_contexts(xc_has_y2(mb), above);
        skip_contexts(xc_has_y2(mb), left);
        return;
    }
    int type = XC_Y_WITH_DC, first = 0;
    if (xc_has_y2(mb)) {
        c.kind = XC_BITS_Y2;
        levels = code(c, mb, XC_Y2, 0, y2, levels, &above->y2, &left->y2);
        type = XC_Y_AFTER_Y2;
        first = 1;
    }
    c.kind = XC_BITS_Y;
    levels = code(c, mb, type, first, luma, levels, above->y, left->y);
    c.kind = XC_BITS_U;
    levels = code(c, mb, XC_CHROMA, 0, chroma_u, levels, above->u, left->u);
    c.kind = XC_BITS_V;
    code(c, mb, XC_CHROMA, 0, chroma_v, levels, above->v, left->v);
}

void xc_tokens_write(struct xc_bool_writer *writer, const struct xc_frame_header *header,
                     const struct xc_macroblock *mb, const xc_block *levels, struct xc_token_context *above,
                     struct xc_token_context *left)
{
    const struct xc_coder c = { .coding = XC_WRITE, .writer = writer, .header = header };
    code_planes(c, plane_to_bits, mb, levels, above, left);
}

void xc_tokens_count(struct xc_branch_counts *counts, const struct xc_frame_header *header,
                     const struct xc_macroblock *mb, const xc_block *levels, struct xc_token_context *above,
                     struct xc_token_context *left)
{
    const struct xc_coder c = { .coding = XC_COUNT, .counts = counts, .header = header };
    code_planes(c, plane_to_counts, mb, levels, above, left);
}

void xc_tokens_measure(struct xc_bits *bits, const struct xc_frame_header *header, const struct xc_macroblock *mb,
                       const xc_block *levels, struct xc_token_context *above, struct xc_token_context *left)
{
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = bits, .header = header };
    code_planes(c, plane_to_cost, mb, levels, above, left);
}
