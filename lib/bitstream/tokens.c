#include "bitstream/tokens.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef const uint8_t band_probabilities[3][11];

bool xc_has_tokens(const struct xc_macroblock *mb)
{
    static const uint8_t none[XC_BLOCKS];
    return memcmp(mb->tokens, none, sizeof none) != 0;
}

/* Which of the four blocks in a row or column each of the 24 lies in, per context array: what the walk below looks up. */
struct plane_walk {
    uint8_t first, size; /* first block; blocks per row and column */
};
static const struct plane_walk luma = { 0, 4 }, chroma_u = { XC_BLOCK_U, 2 }, chroma_v = { XC_BLOCK_V, 2 };

/* --- reading --- */

static int read_extra(struct xc_bool_reader *r, const struct xc_token_category *category)
{
    int extra = 0;
    for (const uint8_t *p = category->probability; *p; p++) {
        extra = extra << 1 | xc_bool_read(r, *p);
    }
    return category->base + extra;
}

/* A value of 2 or more; p points at the node that tells low from high (2 from the rest is node 3). */
static int read_large(struct xc_bool_reader *r, const uint8_t p[11])
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
ALWAYS_INLINE int read_block(struct xc_bool_reader *r, band_probabilities *bands, int context, int first, int16_t *out)
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
            p = bands[xc_coefficient_band[i]][0]; /* behind a zero, there is no end of block */
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
        out[xc_zigzag[i]] = (int16_t)(xc_bool_read(r, 128) ? -value : value);
        if (++i == 16 || !xc_bool_read(r, p[0])) {
            return i;
        }
    }
}

struct token_reader {
    struct xc_bool_reader bits;
    xc_block *out;
};

static uint8_t read_next(struct token_reader *r, band_probabilities *bands, int context, int first)
{
    int tokens = read_block(&r->bits, bands, context, first, *r->out);
    if (tokens) {
        r->out++;
        memset(*r->out, 0, sizeof *r->out);
    }
    return (uint8_t)tokens;
}

static void read_plane(struct token_reader *r, struct xc_macroblock *mb, band_probabilities *bands, int first,
                       struct plane_walk plane, uint8_t *above, uint8_t *left)
{
    uint8_t *tokens = &mb->tokens[plane.first];
    for (int y = 0; y < plane.size; y++) {
        for (int x = 0; x < plane.size; x++, tokens++) {
            *tokens = read_next(r, bands, above[x] + left[y], first);
            above[x] = left[y] = *tokens != 0;
        }
    }
}

static void skip_contexts(bool has_y2, struct xc_token_context *context)
{
    uint8_t y2 = has_y2 ? 0 : context->y2;
    memset(context, 0, sizeof *context);
    context->y2 = y2;
}

void xc_tokens_read(struct xc_bool_reader *reader, struct xc_frame *frame, struct xc_macroblock *mb,
                    struct xc_token_context *above, struct xc_token_context *left)
{
    mb->coefficients = (uint32_t)frame->coefficient_count;
    mb->tokens[XC_BLOCK_Y2] = 0;
    if (mb->skip) {
        memset(mb->tokens, 0, sizeof mb->tokens);
        skip_contexts(xc_has_y2(mb), above);
        skip_contexts(xc_has_y2(mb), left);
        return;
    }
    struct token_reader r = { *reader, &frame->coefficients[frame->coefficient_count] };
    band_probabilities *bands = frame->header.probabilities.coefficient[XC_Y_WITH_DC];
    int first = 0;
    if (xc_has_y2(mb)) {
        bands = frame->header.probabilities.coefficient[XC_Y2];
        mb->tokens[XC_BLOCK_Y2] = read_next(&r, bands, above->y2 + left->y2, 0);
        above->y2 = left->y2 = mb->tokens[XC_BLOCK_Y2] != 0;
        bands = frame->header.probabilities.coefficient[XC_Y_AFTER_Y2];
        first = 1;
    }
    read_plane(&r, mb, bands, first, luma, above->y, left->y);
    bands = frame->header.probabilities.coefficient[XC_CHROMA];
    read_plane(&r, mb, bands, 0, chroma_u, above->u, left->u);
    read_plane(&r, mb, bands, 0, chroma_v, above->v, left->v);
    frame->coefficient_count = (size_t)(r.out - frame->coefficients);
    *reader = r.bits;
}

/* --- writing, or counting --- */

ALWAYS_INLINE void write_extra(struct xc_coder *c, const struct xc_token_category *category, int value)
{
    for (int i = 0; i < category->bits; i++) {
        xc_code(c, &category->probability[i], (value - category->base) >> (category->bits - 1 - i) & 1);
    }
}

/* The inverse of read_large. */
static void write_large(struct xc_coder *c, const uint8_t p[11], int value)
{
    if (!xc_code(c, &p[3], value > 4)) {
        if (xc_code(c, &p[4], value > 2)) {
            xc_code(c, &p[5], value > 3);
        }
        return;
    }
    int category = 0;
    while (category < 5 && value >= xc_token_category[category + 1].base) {
        category++;
    }
    if (!xc_code(c, &p[6], category >= 2)) {
        xc_code(c, &p[7], category & 1);
    } else {
        xc_code(c, &p[8], category >= 4);
        xc_code(c, &p[9 + (category >= 4)], category & 1);
    }
    write_extra(c, &xc_token_category[category], value);
}

static void write_block(struct xc_coder *c, band_probabilities *bands, int context, int first, int tokens,
                        const int16_t *levels)
{
    static const uint8_t even = 128;
    const uint8_t *p = bands[xc_coefficient_band[first]][context];
    if (!xc_code(c, &p[0], tokens != 0)) {
        return;
    }
    for (int i = first; i < tokens;) {
        int level = levels[xc_zigzag[i]], value = level < 0 ? -level : level;
        if (!xc_code(c, &p[1], value != 0)) {
            p = bands[xc_coefficient_band[++i]][0];
            continue;
        }
        if (xc_code(c, &p[2], value > 1)) {
            write_large(c, p, value);
        }
        xc_code(c, &even, level < 0);
        p = bands[xc_coefficient_band[++i]][value > 1 ? 2 : 1];
        if (i < 16) {
            xc_code(c, &p[0], i < tokens);
        }
    }
}

static const xc_block *write_plane(struct xc_coder *c, const struct xc_macroblock *mb, band_probabilities *bands, int first,
                                   struct plane_walk plane, const xc_block *levels, uint8_t *above, uint8_t *left)
{
    const uint8_t *tokens = &mb->tokens[plane.first];
    for (int y = 0; y < plane.size; y++) {
        for (int x = 0; x < plane.size; x++, tokens++) {
            write_block(c, bands, above[x] + left[y], first, *tokens, *levels);
            above[x] = left[y] = *tokens != 0;
            levels += *tokens != 0;
        }
    }
    return levels;
}

void xc_tokens_write(struct xc_coder *c, const struct xc_frame *frame, const struct xc_macroblock *mb,
                     struct xc_token_context *above, struct xc_token_context *left)
{
    if (mb->skip) {
        skip_contexts(xc_has_y2(mb), above);
        skip_contexts(xc_has_y2(mb), left);
        return;
    }
    const struct xc_probabilities *probabilities = &frame->header.probabilities;
    const xc_block *levels = &frame->coefficients[mb->coefficients];
    int type = XC_Y_WITH_DC, first = 0;
    if (xc_has_y2(mb)) {
        uint8_t tokens = mb->tokens[XC_BLOCK_Y2];
        write_block(c, probabilities->coefficient[XC_Y2], above->y2 + left->y2, 0, tokens, *levels);
        above->y2 = left->y2 = tokens != 0;
        levels += tokens != 0;
        type = XC_Y_AFTER_Y2;
        first = 1;
    }
    levels = write_plane(c, mb, probabilities->coefficient[type], first, luma, levels, above->y, left->y);
    levels = write_plane(c, mb, probabilities->coefficient[XC_CHROMA], 0, chroma_u, levels, above->u, left->u);
    write_plane(c, mb, probabilities->coefficient[XC_CHROMA], 0, chroma_v, levels, above->v, left->v);
}
