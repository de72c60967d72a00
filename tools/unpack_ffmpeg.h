/* SPDX-License-Identifier: BSD-2-Clause */
/* ffmpeg, which decodes pieces of a film. */
#ifndef XC_TOOLS_UNPACK_FFMPEG_H
#define XC_TOOLS_UNPACK_FFMPEG_H

#include <stdio.h>

#include "unpack_plan.h"

/* Where ffmpeg is: beside this program, or on the PATH. Fails as xc_tool_fail does, as all functions here. */
const char *unpack_ffmpeg_find(void);

/* The hash of its file. */
uint64_t unpack_ffmpeg_hash(const char *ffmpeg);

struct unpack_run; /* of ffmpeg */

/* Has ffmpeg decode these pieces, and make of them what the plan says. */
struct unpack_run *unpack_ffmpeg_start(const char *ffmpeg, const struct unpack_plan *plan, char **pieces);

/* What ffmpeg writes: all frames of the plan, as Y4M. */
FILE *unpack_ffmpeg_output(struct unpack_run *run);

/* Waits for its end. Fails unless ffmpeg has decoded all pictures of the plan. */
void unpack_ffmpeg_finish(struct unpack_run *run);

/* Ends it. Fails with ffmpeg's own words, or with these if it has none. */
_Noreturn void unpack_ffmpeg_blame(struct unpack_run *run, const char *otherwise);

#endif
