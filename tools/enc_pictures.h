/* SPDX-License-Identifier: BSD-2-Clause */
/* Which raw pictures the anchors of a chunk stand for. xc-enc --follow would make a wrong film of anchors and pictures
 * that do not belong together, and nobody would notice. So in the file of the anchors, the upper half of a frame's
 * timestamp names the picture: by a hash of its displayed samples, which is not 0. */
#ifndef XC_TOOLS_ENC_PICTURES_H
#define XC_TOOLS_ENC_PICTURES_H

#include "excamera/chunk.h"
#include "excamera/source.h"

/* The names of the pictures that a source has given. Zeroed before use. */
struct pictures {
    /* private */
    struct xc_picture_source inner;
    uint32_t *names;
    size_t count, capacity;
};

/* Has *pictures note the names of all that is read from the source from now on. */
void pictures_watch(struct pictures *pictures, struct xc_picture_source *source);
void pictures_clear(struct pictures *pictures);

/* Puts the names into the timestamps of anchors, which are numbers of pictures that have been read. */
void pictures_name_anchors(const struct pictures *pictures, struct xc_chunk *anchors);

/* Takes the names out of the timestamps; the caller frees them. NULL: out of memory. */
uint32_t *pictures_take_names(struct xc_ivf *anchors);
/* The first of the anchors whose picture has another name; the number of anchors: there is none. Anchors without a name
 * may stand for any picture. */
uint32_t pictures_find_stranger(const struct pictures *pictures, const struct xc_ivf *anchors, const uint32_t *names);

#endif
