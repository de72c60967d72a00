/* SPDX-License-Identifier: BSD-2-Clause */
/* Block matching between two pictures, in whole samples: a diamond search with decreasing steps, which starts from the
 * best of a few likely vectors. */
#ifndef XC_ANALYSIS_BLOCK_SEARCH_H
#define XC_ANALYSIS_BLOCK_SEARCH_H

#include "dsp/dsp.h"
#include "excamera/frame.h"

struct xc_block_search {
    struct xc_plane blocks, reference; /* the picture whose blocks are searched for; the picture searched */
    int width, height;                 /* of both, in samples */
    int size, pitch;                   /* samples: a block's width and height; the distance of neighbours, both ways */
    int cols;                          /* blocks per row */
    int range;                         /* the longest vector, as its distance from zero or from pan, in samples */
    struct xc_mv pan;                  /* the camera's motion, a likely vector for every block */
    xc_compare_fn *sad;                /* what is minimized: a kernel for blocks of this size */
    struct xc_mv *vectors; /* of all blocks, row by row, in whole samples; before its block is searched for, a guess */
};

/* Sets the vector of a block to the best that was found and returns its error, by search->sad. The blocks to its left
 * and above must have been searched for, since their vectors are tried. */
uint32_t xc_block_search(const struct xc_block_search *search, int row, int col);

#endif
