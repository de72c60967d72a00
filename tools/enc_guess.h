/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of xc-enc --guess: the pictures that anchors are guessed from, and those that they are to look like. */
#ifndef XC_TOOLS_ENC_GUESS_H
#define XC_TOOLS_ENC_GUESS_H

#include "tool-chunk.h"

struct guess_files {
    struct xc_anchor_guess guess;
    struct xc_tool_output targets;
    /* private */
    struct xc_ivf_header rate;
    bool begun;
};

/* before: the film whose last picture comes before the chunk; key: the one whose first is that of the batch's key
 * frame; both of the format and size of the source. targets: the film to write. */
void guess_files_open(struct guess_files *files, const char *before, const char *key, const char *targets,
                      const char *format, const struct xc_picture_source *source, struct xc_workspace *workspace);
/* Lets the pictures go; the targets are to be committed. */
void guess_files_clear(struct guess_files *files);

#endif
