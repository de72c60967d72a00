/* SPDX-License-Identifier: BSD-2-Clause */
/* The film that xc-vpxenc encodes, read from the beginning once per pass: Y4M or raw pictures, a file or a pipe. */
#ifndef XC_TOOLS_VPXENC_FILM_H
#define XC_TOOLS_VPXENC_FILM_H

#include "excamera/vpxenc.h"
#include "tool.h"

struct film_options {
    const char *name;
    int64_t width, height; /* of raw pictures; 0: not given, as for Y4M, which says it itself */
    bool yv12;             /* raw pictures have V before U */
    bool twice;            /* film_rewind will be called */
    int64_t limit;         /* pictures to stop after; 0: none */
};

struct film {
    struct xc_vpxenc_film pictures; /* reads this film */
    struct xc_tool_y4m y4m;         /* of raw pictures, too: only the header's size and rate are set then */
    struct film_options options;
    bool raw;
    struct xc_picture_pool *pool;
    FILE *spool;    /* a copy of a pipe for the second pass, or NULL */
    int64_t frames; /* read in this pass */
};

/* These end the program if anything is wrong, and so does reading. */
void film_open(struct film *film, const struct film_options *options);
void film_rewind(struct film *film);
void film_close(struct film *film);

#endif
