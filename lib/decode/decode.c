/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/advance.h"
#include "bitstream/frame.h"
#include "bitstream/frame_memory.h"
#include "bitstream/frame_reader.h"
#include "excamera/decode.h"
#include "recon/recon.h"

/* A frame's rows as pieces of a job. */
struct decoding {
    struct xc_recon recon;
    struct xc_frame_reader *reader; /* NULL: the frame is parsed already */
    struct xc_frame *target;        /* what it reads into: the recon's frame */
    struct xc_progress parsed;      /* in rows; parsing is a serial business */
};

/* Each worker of the threads keeps the coefficients of its row in a place of its own. */
static void parse_row(struct decoding *d, unsigned row, unsigned worker)
{
    xc_progress_wait(d->recon.threads, &d->parsed, row);
    xc_frame_reader_modes(d->reader, d->target, row);
    xc_frame_reader_tokens(d->reader, d->target, row, d->target->coefficients, worker * xc_frame_row_blocks(d->target));
    xc_progress_reach(d->recon.threads, &d->parsed, row + 1);
}

static void decode_row(void *context, unsigned row, unsigned worker)
{
    struct decoding *d = context;
    const struct xc_recon *recon = &d->recon;
    const struct xc_frame *frame = recon->frame;
    if (d->reader) {
        parse_row(d, row, worker);
    }
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    for (unsigned column = 0, predicted = 0; column < frame->mb_cols; column++, mb++) {
        xc_recon_prefetch(recon, NULL, row, column);
        xc_recon_await(recon, row, column);
        if (column == predicted) {
            predicted += xc_predict_run(recon, mb, row, column);
        }
        xc_add_residue(recon, mb, (const xc_block *)frame->coefficients + mb->coefficients, row, column);
        xc_recon_keep_line(recon, row, column);
    }
    xc_filter_row(recon, row);
}

static enum xc_status begin(struct decoding *d, struct xc_workspace *workspace, const struct xc_frame *frame,
                            const struct xc_state *state, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    const unsigned width = h->key_frame ? h->width : state->width, height = h->key_frame ? h->height : state->height;
    enum xc_status status = xc_recon_begin(&d->recon, workspace, width, height, err);
    if (!status) {
        xc_recon_set_frame(&d->recon, frame, state);
    }
    return status;
}

static void decode_rows(struct decoding *d)
{
    struct xc_job job = { .run = decode_row, .context = d, .pieces = d->recon.frame->mb_rows };
    xc_thread_pool_start(d->recon.threads, &job);
    xc_thread_pool_finish(d->recon.threads, &job);
}

/* The state moves on only when nothing can fail any more. */
static enum xc_status finish(struct xc_recon *recon, struct xc_state *state, struct xc_picture **picture,
                             struct xc_error *err)
{
    enum xc_status status = xc_state_follow_header(state, recon->frame, err);
    if (!status) {
        xc_state_follow_picture(state, &recon->frame->header, recon->picture);
        if (picture) {
            *picture = xc_picture_ref(recon->picture);
        }
    }
    xc_recon_end(recon);
    return status;
}

enum xc_status xc_decode_frame(struct xc_workspace *workspace, struct xc_state *state, const struct xc_frame *frame,
                               struct xc_picture **picture, struct xc_error *err)
{
    struct decoding d = { .reader = NULL };
    if (picture) {
        *picture = NULL;
    }
    enum xc_status status;
    if ((status = xc_frame_check_complete(frame, err)) || (status = xc_frame_check_size(frame, state, err)) ||
        (status = begin(&d, workspace, frame, state, err))) {
        return status;
    }
    decode_rows(&d);
    return finish(&d.recon, state, picture, err);
}

enum xc_status xc_decode(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data, size_t size,
                         struct xc_picture **picture, struct xc_error *err)
{
    struct xc_frame *frame = &workspace->frame;
    struct xc_frame_reader reader;
    struct decoding d = { .reader = &reader, .target = frame };
    if (picture) {
        *picture = NULL;
    }
    if (size == 0) {
        return XC_OK;
    }
    enum xc_status status = xc_frame_reader_begin(&reader, frame, state, data, size, workspace->cpu_features, err);
    if (status) {
        return status;
    }
    const size_t blocks = xc_thread_pool_size(workspace->threads) * xc_frame_row_blocks(frame);
    if ((status = xc_frame_reserve(frame, 0, blocks, err)) || (status = begin(&d, workspace, frame, state, err))) {
        xc_frame_reader_end(&reader, NULL);
        return status;
    }
    decode_rows(&d);
    status = xc_frame_reader_end(&reader, err);
    if (status) {
        xc_recon_end(&d.recon);
        return status;
    }
    return finish(&d.recon, state, frame->header.show ? picture : NULL, err);
}
