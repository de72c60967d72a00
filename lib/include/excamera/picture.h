/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture: three planes of 8-bit samples, 4:2:0, shared by reference count. */
#ifndef EXCAMERA_PICTURE_H
#define EXCAMERA_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "excamera/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* RFC 6386 section 9.1: a key frame codes each dimension in 14 bits. */
#define XC_MAX_DIMENSION 16383

/* Of pictures to encode. libvpx sees them rounded up to macroblocks, and has the same limit as the format. */
#define XC_MAX_ENCODED (XC_MAX_DIMENSION / 16 * 16)

enum { XC_PLANE_Y, XC_PLANE_U, XC_PLANE_V };

struct xc_plane {
    uint8_t *data;    /* sample (0, 0) */
    ptrdiff_t stride; /* bytes from one row to the next; a multiple of 64 for pictures made by this library */
};

/* The planes cover whole macroblocks: 16 x mb_cols by 16 x mb_rows luma samples, half of that in each direction for
 * chroma. There are no borders: whoever predicts from beyond the edge replicates it on the fly. What lies between the
 * end of a row and the next is unspecified, but may be read; so may XC_PICTURE_SLACK bytes before the first and after
 * the last sample.
 *
 * Who fills the planes of a new picture needs to set only the samples that are displayed. The library pads what it
 * takes to encode, in a copy, unless it knows that all coded samples are there: pictures that are decoded, read or made
 * from I420 are complete, and xc_picture_pad makes others so. */
struct xc_picture {
    uint16_t width, height;    /* what is displayed, in luma samples, 1 to XC_MAX_DIMENSION */
    uint16_t mb_cols, mb_rows; /* the same rounded up to macroblocks */
    struct xc_plane plane[3];
    /* private to the library */
    bool complete;                /* all coded samples are there; false: perhaps only those displayed */
    int references;               /* changed atomically */
    struct xc_picture_pool *pool; /* where the picture returns to, or NULL */
    struct xc_picture *next_free;
};

#define XC_PICTURE_SLACK 64

/* Recycles the memory of pictures of one size, for code that makes many: fresh pages cost more than decoding into them.
 * A pool may be freed while its pictures live. All calls are thread-safe. */
struct xc_picture_pool;
enum xc_status xc_picture_pool_new(struct xc_picture_pool **out, struct xc_error *err);
void xc_picture_pool_free(struct xc_picture_pool *pool);

/* A picture with unspecified samples and one reference, which the caller owns. pool may be NULL. XC_ERR_ARGUMENT: width
 * or height is not 1 to XC_MAX_DIMENSION. */
enum xc_status xc_picture_new(struct xc_picture **out, struct xc_picture_pool *pool, unsigned width, unsigned height,
                              struct xc_error *err);
struct xc_picture *xc_picture_ref(struct xc_picture *picture); /* one more owner; NULL stays NULL */
void xc_picture_unref(struct xc_picture *picture);             /* one owner less; NULL is fine */

/* Width and height in samples of one plane: the whole macroblocks that are coded, or the part that is displayed
 * (chroma: half, rounded up). */
unsigned xc_plane_coded_width(const struct xc_picture *picture, int plane);
unsigned xc_plane_coded_height(const struct xc_picture *picture, int plane);
unsigned xc_plane_width(const struct xc_picture *picture, int plane);
unsigned xc_plane_height(const struct xc_picture *picture, int plane);

/* Whether two pictures of one size, which the caller ensures, have the same coded samples. Takes no time where both are
 * one picture. */
bool xc_picture_equal(const struct xc_picture *a, const struct xc_picture *b);

/* Replicates the last displayed column and row into the rest of the last macroblocks, as an encoder needs it: once for
 * all, which spares the library a copy each time. */
void xc_picture_pad(struct xc_picture *picture);

/* Size in bytes of the displayed picture as I420: all of Y, then U, then V, rows without gaps. */
size_t xc_picture_i420_size(const struct xc_picture *picture);
/* Copies the displayed picture to out as I420; size: how many bytes there is room for. XC_ERR_ARGUMENT: too few. */
enum xc_status xc_picture_to_i420(const struct xc_picture *picture, uint8_t *out, size_t size, struct xc_error *err);
/* Fills the picture, padding included, from size bytes of I420. XC_ERR_ARGUMENT: size is not that of the picture. */
enum xc_status xc_picture_from_i420(struct xc_picture *picture, const uint8_t *data, size_t size, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
