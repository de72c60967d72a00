/* Finding the blocks of one picture in another: from likely places, downhill in ever smaller diamonds, in whole
 * samples. */
#ifndef XC_ANALYSIS_BLOCK_SEARCH_H
#define XC_ANALYSIS_BLOCK_SEARCH_H

#include "excamera/frame.h"

struct xc_block_search {
    struct xc_plane blocks, reference; /* what is to be found, and where */
    int width, height;                 /* of both, in samples */
    int size, pitch;                   /* of a block, and from one to the next, either way */
    int cols;                          /* blocks in a row */
    int range;                         /* of the vectors around zero and around pan, in samples, either way */
    struct xc_mv pan;                  /* a likely vector for all blocks */
    uint32_t (*sad)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride); /* of two blocks */
    struct xc_mv *vectors; /* of all blocks, row by row, in whole samples; of one that was not searched yet, a guess */
};

/* Makes the vector of a block the best one found, and returns what sad says of it. The blocks to its left and above it
 * have been searched before. */
uint32_t xc_block_search(const struct xc_block_search *search, int row, int col);

#endif
