#include "bitstream/frame_reader.h"
#include "decode/advance.h"
#include "decode/canvas.h"

static void reconstruct_row(const struct xc_canvas *canvas, unsigned row)
{
    const struct xc_frame *frame = canvas->frame;
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        xc_predict_macroblock(canvas, mb, row, column);
        xc_add_residue(canvas, mb, frame->coefficients + mb->coefficients, row, column);
        xc_canvas_keep_line(canvas, row, column);
    }
    xc_filter_row(canvas, row);
}

/* The state moves on only when nothing can fail any more. */
static enum xc_status finish(struct xc_canvas *canvas, struct xc_state *state, struct xc_picture **picture, struct xc_error *err)
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
    struct xc_canvas canvas;
    if (picture) {
        *picture = NULL;
    }
    enum xc_status status = xc_canvas_begin(&canvas, workspace, frame, state, err);
    if (status) {
        return status;
    }
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        reconstruct_row(&canvas, row);
    }
    return finish(&canvas, state, picture, err);
}

static enum xc_status decode_rows(struct xc_canvas *canvas, struct xc_frame_reader *reader, struct xc_error *err)
{
    struct xc_frame *frame = reader->frame;
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        frame->coefficient_count = 0;
        enum xc_status status = xc_frame_reader_row(reader, row, err);
        if (status) {
            return status;
        }
        reconstruct_row(canvas, row);
    }
    return XC_OK;
}

enum xc_status xc_decode(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data, size_t size,
                         struct xc_picture **picture, struct xc_error *err)
{
    struct xc_frame *frame = &workspace->frame;
    struct xc_frame_reader reader;
    struct xc_canvas canvas;
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
    status = xc_canvas_begin(&canvas, workspace, frame, state, err);
    if (status) {
        xc_frame_reader_end(&reader, NULL);
        return status;
    }
    status = decode_rows(&canvas, &reader, err);
    enum xc_status end = xc_frame_reader_end(&reader, status ? NULL : err);
    if (status || end) {
        xc_picture_unref(canvas.picture);
        return status ? status : end;
    }
    return finish(&canvas, state, frame->header.show ? picture : NULL, err);
}
