/* SPDX-License-Identifier: BSD-2-Clause */
/* The pictures of a source, some of which can be looked at before they are taken. */
#ifndef XC_CHUNK_LOOKAHEAD_H
#define XC_CHUNK_LOOKAHEAD_H

#include "chunk/mini_gop.h"
#include "excamera/source.h"

struct xc_lookahead {
    const struct xc_picture_source *source;
    uint32_t count;                                 /* pictures taken so far */
    struct xc_picture *ahead[XC_MINI_GOP_PICTURES]; /* read, and not yet taken */
    unsigned ahead_count;
};

/* The failures of all of these are about the source. */

/* Takes the next picture, which the caller owns; NULL: there is none. */
enum xc_status xc_lookahead_next(struct xc_lookahead *l, struct xc_picture **picture, struct xc_error *err);
/* The picture with this number, less than XC_MINI_GOP_PICTURES ahead, without taking it; NULL: there is none. The
 * caller gets a reference. */
enum xc_status xc_lookahead_peek(struct xc_lookahead *l, uint64_t number, struct xc_picture **picture,
                                 struct xc_error *err);
/* Takes the next picture where another input says that there is one; and fails if there is one where another input says
 * that there is none. other: what messages call that input. */
enum xc_status xc_lookahead_expect(struct xc_lookahead *l, struct xc_picture **picture, const char *other,
                                   struct xc_error *err);
enum xc_status xc_lookahead_expect_end(struct xc_lookahead *l, const char *other, struct xc_error *err);
/* "has only N frames; OTHER shows more" */
enum xc_status xc_lookahead_fail_short(const struct xc_lookahead *l, const char *other, struct xc_error *err);

void xc_lookahead_clear(struct xc_lookahead *l);

#endif
