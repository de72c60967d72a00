/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw pictures to encode, pulled one by one. */
#ifndef EXCAMERA_SOURCE_H
#define EXCAMERA_SOURCE_H

#include <stdint.h>
#include <stdio.h>

#include "excamera/error.h"
#include "excamera/ivf.h"
#include "excamera/picture.h"
#include "excamera/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fill one in yourself, or have it opened for a file. */
struct xc_picture_source {
    unsigned width, height;      /* display size of all pictures, in luma samples */
    uint32_t rate_num, rate_den; /* frames per second = rate_num / rate_den */
    const char *name;            /* for messages, usually the file's name; may be NULL; not copied */

    /* Makes *picture the next picture, of which the caller gets one reference, or NULL after the last one. It may be
     * called in another thread than the one that uses the source, but by one thread at a time. */
    enum xc_status (*next)(void *context, struct xc_picture **picture, struct xc_error *err);
    void (*close)(void *context); /* may be NULL */
    void *context;
};

/* Where pictures go, one by one. */
struct xc_picture_sink {
    enum xc_status (*put)(void *context, const struct xc_picture *picture, struct xc_error *err);
    void *context;
};

/* Reads a Y4M film, header first. The stream stays the caller's and must outlive the source. pool: where pictures come
 * from; may be NULL. On failure there is nothing to close. */
enum xc_status xc_source_open_y4m(struct xc_picture_source *out, FILE *stream, struct xc_picture_pool *pool,
                                  struct xc_error *err);

/* Decodes an IVF file, which must begin with a key frame, and yields what it shows. ivf must outlive the source.
 * like: the workspace whose kernels it uses. */
enum xc_status xc_source_open_ivf(struct xc_picture_source *out, const struct xc_ivf *ivf,
                                  const struct xc_workspace *like, struct xc_error *err);

void xc_source_close(struct xc_picture_source *source);

#ifdef __cplusplus
}
#endif

#endif
