/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk that exists already (struct xc_chunk_input), checked and read frame by frame. Failures are about it. */
#ifndef XC_CHUNK_INPUT_H
#define XC_CHUNK_INPUT_H

#include "excamera/chunk.h"

/* Fails unless it has frames, of the pictures' size. */
enum xc_status xc_input_check_size(const struct xc_chunk_input *input, const struct xc_picture_source *source,
                                   struct xc_error *err);
/* The same, and fails unless it follows its state. */
enum xc_status xc_input_check(const struct xc_chunk_input *input, const struct xc_picture_source *source,
                              struct xc_error *err);
bool xc_input_begins_with_key(const struct xc_chunk_input *input);

/* Decodes a frame. On failure *state is as it was. */
enum xc_status xc_input_decode(const struct xc_chunk_input *input, uint32_t frame, struct xc_state *state,
                               struct xc_workspace *workspace, struct xc_error *err);
/* Appends a copy of a frame to a chunk. */
enum xc_status xc_input_copy(const struct xc_chunk_input *input, uint32_t frame, struct xc_chunk *chunk,
                             uint64_t timestamp, struct xc_error *err);
/* Puts "frame N: " before what *err says, and the input's name. Returns status. */
enum xc_status xc_input_blame_frame(const struct xc_chunk_input *input, uint32_t frame, enum xc_status status,
                                    struct xc_error *err);

#endif
