/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/quantizer.h"

#include <stdint.h>
#include <stdlib.h>

#include "bitstream/tables.h"

static const uint8_t index_of_level[XC_MAX_CQ_LEVEL + 1] = {
    0,  1,  2,  3,  4,  5,  7,  8,  9,  10, 12,  13,  15,  17,  18,  19,  20,  21,  23,  24,  25, 26,
    27, 28, 29, 30, 31, 33, 35, 37, 39, 41, 43,  45,  47,  49,  51,  53,  55,  57,  59,  61,  64, 67,
    70, 73, 76, 79, 82, 85, 88, 91, 94, 97, 100, 103, 106, 109, 112, 115, 118, 121, 124, 127,
};

unsigned xc_quantizer_of_level(unsigned level)
{
    return index_of_level[level < XC_MAX_CQ_LEVEL ? level : XC_MAX_CQ_LEVEL];
}

unsigned xc_level_of_quantizer(unsigned quantizer)
{
    unsigned best = 0;
    for (unsigned level = 1; level <= XC_MAX_CQ_LEVEL; level++) {
        if (abs(index_of_level[level] - (int)quantizer) < abs(index_of_level[best] - (int)quantizer)) {
            best = level;
        }
    }
    return best;
}

int xc_offset_of_libvpx(int offset)
{
    const int size = (int)xc_quantizer_of_level(xc_level_of_quantizer((unsigned)abs(offset)));
    return offset < 0 ? -size : size;
}

unsigned xc_step_of_quantizer(unsigned quantizer)
{
    return xc_ac_quantizer[quantizer < XC_MAX_QUANTIZER ? quantizer : XC_MAX_QUANTIZER];
}

unsigned xc_quantizer_of_step(double step)
{
    unsigned index = 0;
    while (index < XC_MAX_QUANTIZER && xc_ac_quantizer[index] < step) {
        index++;
    }
    return index;
}
