/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a chunk: which pictures of a film it has, and what is to be made of them. A text of a few lines, each
 * with a word and its value; docs/inputs.md describes it. It may come from anybody. */
#ifndef XC_TOOLS_UNPACK_PLAN_H
#define XC_TOOLS_UNPACK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { UNPACK_TEXT = 1024 /* bytes of a value, with its end */ };

struct unpack_fraction {
    int64_t num, den; /* both above 0 */
};

struct unpack_plan {
    const char *name;            /* of the file, for messages */
    uint64_t decoder;            /* which ffmpeg it was made with: the hash of its file (tool-sums.h) */
    struct unpack_fraction base; /* the film's time base, in seconds */
    int64_t first, last;         /* when the first and the last picture are shown that are needed, in the time base */
    int64_t pictures;            /* how many these are; 0: not known */
    bool ends;                   /* the film has no later picture */
    bool opens; /* the first piece begins with pictures that need earlier ones; they are not needed, and will not decode
                 */
    char filters[UNPACK_TEXT];   /* what the driver makes of each picture (xcdriver/pictures.py) */
    char shift[UNPACK_TEXT];     /* seconds by which pictures are late for the frames that they are put on */
    struct unpack_fraction rate; /* frames per second */
    /* The frames of the chunk are those from begin to end - 1, counted on the clock of the film; up to next - 1, there
     * are some of the next chunk, perhaps none. */
    int64_t begin, end, next;
};

/* Reads and checks the plan. Fails as xc_tool_fail does. */
void unpack_plan_read(struct unpack_plan *plan, const char *name);

#endif
