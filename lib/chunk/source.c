/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/source.h"

#include <stdlib.h>

#include "excamera/decode.h"
#include "excamera/y4m.h"
#include "recon/workspace.h"

/* --- Y4M --- */

struct y4m {
    FILE *stream;
    struct xc_picture_pool *pool;
    struct xc_y4m_header header;
};

static enum xc_status next_raw(void *context, struct xc_picture **picture, struct xc_error *err)
{
    struct y4m *y4m = context;
    bool end;
    enum xc_status status = xc_picture_new(picture, y4m->pool, y4m->header.width, y4m->header.height, err);
    if (status) {
        return status;
    }
    status = xc_y4m_read_frame(*picture, &end, y4m->stream, err);
    if (status || end) {
        xc_picture_unref(*picture);
        *picture = NULL;
    }
    return status;
}

enum xc_status xc_source_open_y4m(struct xc_picture_source *out, FILE *stream, struct xc_picture_pool *pool,
                                  struct xc_error *err)
{
    struct y4m *y4m = malloc(sizeof *y4m);
    if (!y4m) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a source of pictures");
    }
    *y4m = (struct y4m){ .stream = stream, .pool = pool };
    enum xc_status status = xc_y4m_read_header(&y4m->header, stream, err);
    if (status) {
        free(y4m);
        return status;
    }
    *out = (struct xc_picture_source){
        .width = y4m->header.width,
        .height = y4m->header.height,
        .rate_num = y4m->header.rate_num,
        .rate_den = y4m->header.rate_den,
        .next = next_raw,
        .close = free,
        .context = y4m,
    };
    return XC_OK;
}

/* --- IVF --- */

/* It has a workspace of its own, so that it can be read in any thread. */
struct decoded {
    const struct xc_ivf *ivf;
    uint32_t frame; /* the next one */
    struct xc_state state;
    struct xc_workspace *workspace;
};

static enum xc_status next_decoded(void *context, struct xc_picture **picture, struct xc_error *err)
{
    struct decoded *d = context;
    enum xc_status status = XC_OK;
    *picture = NULL;
    while (!status && !*picture && d->frame < d->ivf->header.frame_count) {
        const struct xc_ivf_frame *frame = &d->ivf->frames[d->frame++];
        status = xc_decode(d->workspace, &d->state, frame->data, frame->size, picture, err);
    }
    return status;
}

static void close_decoded(void *context)
{
    struct decoded *d = context;
    xc_state_clear(&d->state);
    xc_workspace_free(d->workspace);
    free(d);
}

enum xc_status xc_source_open_ivf(struct xc_picture_source *out, const struct xc_ivf *ivf,
                                  const struct xc_workspace *like, struct xc_error *err)
{
    const struct xc_ivf_header *h = &ivf->header;
    if (h->expected_state) {
        return xc_fail(err, XC_ERR_MISMATCH, "must begin with a key frame, but expects state %08x",
                       (unsigned)h->expected_state);
    }
    struct decoded *d = calloc(1, sizeof *d);
    if (!d) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a source of pictures");
    }
    enum xc_status status = xc_workspace_new_like(&d->workspace, like, err);
    if (status) {
        free(d);
        return status;
    }
    d->ivf = ivf;
    *out = (struct xc_picture_source){
        .width = h->width,
        .height = h->height,
        .rate_num = h->rate_num,
        .rate_den = h->rate_den,
        .next = next_decoded,
        .close = close_decoded,
        .context = d,
    };
    return XC_OK;
}

void xc_source_close(struct xc_picture_source *source)
{
    if (source->close) {
        source->close(source->context);
    }
    *source = (struct xc_picture_source){ 0 };
}
