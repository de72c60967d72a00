/* SPDX-License-Identifier: BSD-2-Clause */
/* Which raw pictures the hidden frames of a chunk stand for. An anchor's picture is shown by a later frame that
 * predicts all of it from alt-ref, without motion (xc_encode_repeat), whether or not that frame has been rebased since:
 * the last such frame of the mini-GOP. In our chunks a mini-GOP is full, or nothing comes between it and a key frame.
 * libvpx's alt-ref frames are averages of several pictures, and as a rule no frame shows one as it is. */
#ifndef XC_CHUNK_HIDDEN_H
#define XC_CHUNK_HIDDEN_H

#include "chunk/input.h"

#define XC_NO_PICTURE UINT32_MAX

/* *pictures becomes an array with an entry for each frame, which the caller frees: of a hidden frame before the first
 * key frame, the number of the picture that it stands for, which is less than XC_MINI_GOP_PICTURES ahead; of all
 * others, XC_NO_PICTURE. NULL if no frame is hidden before the first key frame. Frames after one that makes no sense
 * are not looked at: that one will be noticed when it is read. */
enum xc_status xc_hidden_find(uint32_t **pictures, const struct xc_chunk_input *input, struct xc_error *err);

#endif
