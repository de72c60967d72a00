#include "bitstream/frame_reader.h"
#include "decode/advance.h"
#include "decode/canvas.h"

/* A frame's rows as pieces of a job. */
struct decoding {
    struct xc_canvas canvas;
    struct xc_frame_reader *reader; /* NULL: the frame is parsed already */
    struct xc_progress parsed;      /* in rows; parsing is a serial business */
};

/* Each member of the crew keeps the coefficients of its row in a place of its own. */
static void parse_row(struct decoding *d, unsigned row, unsigned member)
{
    xc_progress_wait(d->canvas.crew, &d->parsed, row);
    xc_frame_reader_modes(d->reader, row);
    xc_frame_reader_tokens(d->reader, row, d->reader->frame->coefficients,
                           member * xc_frame_row_blocks(d->reader->frame));
    xc_progress_reach(d->canvas.crew, &d->parsed, row + 1);
}

static void decode_row(void *context, unsigned row, unsigned member)
{
    struct decoding *d = context;
    const struct xc_canvas *canvas = &d->canvas;
    const struct xc_frame *frame = canvas->frame;
    if (d->reader) {
        parse_row(d, row, member);
    }
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        xc_canvas_prefetch(canvas, NULL, row, column);
        xc_canvas_await(canvas, row, column);
        xc_predict_macroblock(canvas, mb, row, column);
        xc_add_residue(canvas, mb, frame->coefficients + mb->coefficients, row, column);
        xc_canvas_keep_line(canvas, row, column);
    }
    xc_filter_row(canvas, row);
}

static void decode_rows(struct decoding *d)
{
    struct xc_job job = { .run = decode_row, .context = d, .pieces = d->canvas.frame->mb_rows };
    xc_crew_start(d->canvas.crew, &job);
    xc_crew_finish(d->canvas.crew, &job);
}

/* The state moves on only when nothing can fail any more. */
static enum xc_status finish(struct xc_canvas *canvas, struct xc_state *state, struct xc_picture **picture,
                             struct xc_error *err)
{
    enum xc_status status = xc_state_follow_header(state, canvas->frame, err);
    if (!status) {
        xc_state_follow_picture(state, &canvas->frame->header, canvas->picture);
        if (picture) {
            *picture = xc_picture_ref(canvas->picture);
        }
    }
    xc_picture_unref(canvas->picture);
    return status;
}

enum xc_status xc_decode_frame(struct xc_workspace *workspace, struct xc_state *state, const struct xc_frame *frame,
                               struct xc_picture **picture, struct xc_error *err)
{
    struct decoding d = { .reader = NULL };
    if (picture) {
        *picture = NULL;
    }
    enum xc_status status = xc_canvas_begin(&d.canvas, workspace, frame, state, err);
    if (status) {
        return status;
    }
    decode_rows(&d);
    return finish(&d.canvas, state, picture, err);
}

enum xc_status xc_decode(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data, size_t size,
                         struct xc_picture **picture, struct xc_error *err)
{
    struct xc_frame *frame = &workspace->frame;
    struct xc_frame_reader reader;
    struct decoding d = { .reader = &reader };
    if (picture) {
        *picture = NULL;
    }
    if (size == 0) {
        return XC_OK;
    }
    enum xc_status status = xc_frame_reader_begin(&reader, frame, state, data, size, err);
    if (status) {
        return status;
    }
    if ((status = xc_frame_reserve(frame, 0, xc_crew_size(workspace->crew) * xc_frame_row_blocks(frame), err)) ||
        (status = xc_canvas_begin(&d.canvas, workspace, frame, state, err))) {
        xc_frame_reader_end(&reader, NULL);
        return status;
    }
    decode_rows(&d);
    status = xc_frame_reader_end(&reader, err);
    if (status) {
        xc_picture_unref(d.canvas.picture);
        return status;
    }
    return finish(&d.canvas, state, frame->header.show ? picture : NULL, err);
}
