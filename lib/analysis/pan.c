#include "analysis/pan.h"

#include <stdlib.h>

/* Two signals stand for a picture: its columns summed up, and its rows. Where the picture moves, so do they. */

enum { ENOUGH = 256 }; /* samples of a column or row */

/* The slope of a signal of `length` sums; of neighbours two apart, which leaves noise out. Brightness goes, too. */
static void project(int32_t *slope, const uint8_t *samples, ptrdiff_t step, int length, ptrdiff_t step_across,
                    int across)
{
    const int every = (across + ENOUGH - 1) / ENOUGH;
    for (int i = 0; i + 2 < length; i++) {
        const uint8_t *a = samples + i * step, *b = a + 2 * step;
        int32_t sum = 0;
        for (int j = 0; j < across; j += every) {
            sum += b[j * step_across] - a[j * step_across];
        }
        slope[i] = sum;
    }
}

/* The mean difference of two signals where they overlap, one being shifted. */
static double difference(const int32_t *now, const int32_t *before, int length, int shift)
{
    const int begin = shift < 0 ? -shift : 0, end = shift > 0 ? length - shift : length;
    int64_t sum = 0;
    for (int i = begin; i < end; i++) {
        sum += abs(now[i] - before[i + shift]);
    }
    return (double)sum / (end - begin);
}

static int find_shift(const int32_t *now, const int32_t *before, int length)
{
    int best = 0;
    double least = difference(now, before, length, 0);
    for (int distance = 1; distance <= length / 2; distance++) {
        for (int shift = -distance; shift <= distance; shift += 2 * distance) {
            const double error = difference(now, before, length, shift);
            if (error < least) {
                least = error;
                best = shift;
            }
        }
    }
    return best;
}

struct xc_mv xc_find_pan(const struct xc_plane *now, const struct xc_plane *before, int width, int height,
                         int32_t *scratch)
{
    struct xc_mv pan;
    int32_t *other = scratch + (width > height ? width : height);
    project(scratch, now->data, 1, width, now->stride, height);
    project(other, before->data, 1, width, before->stride, height);
    pan.column = (int16_t)find_shift(scratch, other, width - 2);
    project(scratch, now->data, now->stride, height, 1, width);
    project(other, before->data, before->stride, height, 1, width);
    pan.row = (int16_t)find_shift(scratch, other, height - 2);
    return pan;
}
