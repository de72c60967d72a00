/* SPDX-License-Identifier: BSD-2-Clause */
/* The conversion of colours. libyuv has none from 16 bits, and none to BT.709. All is computed with integers, so that
 * the bytes are the same on all machines. */
#include "png2y4m_planes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { RED, GREEN, BLUE, COLORS };
enum { LUMA, CB, CR, PLANES };

/* Samples have this many bits behind the binary point before they are rounded. */
enum { FRACTION = 16 };

/* By what red, green and blue, from 0 to 65535, are multiplied: 2^32 is one step of an 8-bit sample. */
struct matrix {
    int64_t row[PLANES][COLORS];
};

/* Rounds half away from zero. */
static int64_t divide(int64_t a, int64_t b)
{
    return (a + (a < 0 ? -b : b) / 2) / b;
}

/* Rec. ITU-R BT.601-7, 2.5.1, and BT.709-6, 3.2 and 3.3: Y' = Kr R' + Kg G' + Kb B', Cb = (B' - Y') / (2 - 2 Kb), and
 * Cr likewise; 219 steps of luma, 224 of chroma. red and blue are Kr and Kb, times 10000. In each row, green is what is
 * left, so that white and grey come out exactly. */
static struct matrix make_matrix(int64_t red, int64_t blue)
{
    const int64_t luma = divide(219LL << 32, 65535), half_chroma = divide(112LL << 32, 65535);
    struct matrix m;
    m.row[LUMA][RED] = divide(luma * red, 10000);
    m.row[LUMA][BLUE] = divide(luma * blue, 10000);
    m.row[LUMA][GREEN] = luma - m.row[LUMA][RED] - m.row[LUMA][BLUE];
    m.row[CB][BLUE] = half_chroma;
    m.row[CB][RED] = -divide(half_chroma * red, 10000 - blue);
    m.row[CB][GREEN] = -m.row[CB][BLUE] - m.row[CB][RED];
    m.row[CR][RED] = half_chroma;
    m.row[CR][BLUE] = -divide(half_chroma * blue, 10000 - red);
    m.row[CR][GREEN] = -m.row[CR][RED] - m.row[CR][BLUE];
    return m;
}

/* Noise from -1 to 1 step with a triangular distribution: then neither the mean nor the variance of the error depends
 * on the value (Lipshitz, Wannamaker, Vanderkooy: Quantization and Dither, 1992). The bits are those of MurmurHash3's
 * finalizer (Austin Appleby, public domain), of the sample's place. */
static int64_t noise(uint32_t plane, uint32_t x, uint32_t y)
{
    uint32_t h = plane << 28 ^ y << 14 ^ x; /* all different: x and y have 14 bits */
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    h ^= h >> 16;
    return (int64_t)(h & 0xffff) - (int64_t)(h >> 16);
}

static uint8_t round_sample(int64_t value)
{
    value = (value + (1 << (FRACTION - 1))) >> FRACTION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* How many pixels a sample of chroma stands for, as powers of two. */
struct sampling {
    unsigned across, down;
};

static struct sampling sampling_of(enum png2y4m_chroma chroma)
{
    return (struct sampling){ chroma != PNG2Y4M_444, chroma == PNG2Y4M_420 };
}

/* The sums of red, green and blue of 1 << across times 1 << down pixels, from (x, y) on. */
static void add_pixels(int64_t sum[COLORS], const struct png2y4m_picture *picture, struct sampling s, uint32_t x,
                       uint32_t y)
{
    memset(sum, 0, COLORS * sizeof *sum);
    for (uint32_t i = 0; i < 1U << (s.across + s.down); i++) {
        const uint32_t column = x + (i & s.across), row = y + (i >> s.across);
        const size_t index = (size_t)(row < picture->height ? row : picture->height - 1) * picture->width +
                             (column < picture->width ? column : picture->width - 1);
        for (int c = 0; c < COLORS; c++) {
            sum[c] += picture->samples[index * COLORS + (size_t)c];
        }
    }
}

/* Writes one plane, whose samples stand for as many pixels as s says, and returns where it ends. */
static uint8_t *convert_plane(uint8_t *out, const struct png2y4m_picture *picture, const struct matrix *matrix,
                              int plane, struct sampling s, bool dither)
{
    const int64_t *factors = matrix->row[plane], offset = (plane == LUMA ? 16LL : 128LL) << FRACTION;
    const unsigned shift = 32 - FRACTION + s.across + s.down;
    for (uint32_t y = 0; y < picture->height; y += 1U << s.down) {
        for (uint32_t x = 0; x < picture->width; x += 1U << s.across) {
            int64_t sum[COLORS];
            add_pixels(sum, picture, s, x, y);
            const int64_t product = factors[RED] * sum[RED] + factors[GREEN] * sum[GREEN] + factors[BLUE] * sum[BLUE];
            /* Floors: the bits are too many for that to be seen. */
            const int64_t value = offset + (product >> shift);
            *out++ = round_sample(dither ? value + noise((uint32_t)plane, x, y) : value);
        }
    }
    return out;
}

static size_t planes_size(const struct png2y4m_picture *picture, struct sampling s)
{
    const size_t columns = (picture->width + s.across) >> s.across, rows = (picture->height + s.down) >> s.down;
    return (size_t)picture->width * picture->height + 2 * columns * rows;
}

void png2y4m_planes_convert(struct png2y4m_planes *planes, const struct png2y4m_picture *picture,
                            const struct png2y4m_conversion *conversion)
{
    const struct sampling every_pixel = { 0, 0 }, s = sampling_of(conversion->chroma);
    const struct matrix matrix = conversion->rec709 ? make_matrix(2126, 722) : make_matrix(2990, 1140);
    const bool dither = picture->deep && !conversion->no_dither;
    planes->size = planes_size(picture, s);
    if (planes->size > planes->room) {
        free(planes->samples);
        planes->samples = malloc(planes->size);
        planes->room = planes->size;
    }
    if (!planes->samples) {
        xc_tool_fail(NULL, "%s", strerror(errno));
    }
    uint8_t *out = convert_plane(planes->samples, picture, &matrix, LUMA, every_pixel, dither);
    out = convert_plane(out, picture, &matrix, CB, s, dither);
    convert_plane(out, picture, &matrix, CR, s, dither);
}

void png2y4m_planes_clear(struct png2y4m_planes *planes)
{
    free(planes->samples);
    *planes = (struct png2y4m_planes){ 0 };
}
