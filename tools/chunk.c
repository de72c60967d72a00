#include "chunk.h"

#include <stdlib.h>
#include <string.h>

/* --- raw pictures --- */

void xc_tool_source_open(struct xc_tool_source *s, const char *name, const char *format, struct xc_workspace *workspace)
{
    *s = (struct xc_tool_source){ .workspace = workspace, .name = name, .is_ivf = !strcmp(format, "ivf") };
    if (!s->is_ivf && strcmp(format, "y4m")) {
        xc_tool_usage_error("unknown input format '%s': y4m and ivf are known", format);
    }
    if (s->is_ivf) {
        xc_tool_ivf_read(&s->ivf, name);
        const struct xc_ivf_header *header = &s->ivf.ivf.header;
        xc_tool_ivf_check_state(&s->ivf, &s->state);
        s->width = header->width;
        s->height = header->height;
        s->rate_num = header->rate_num;
        s->rate_den = header->rate_den;
    } else {
        xc_tool_y4m_open(&s->y4m, name);
        s->width = s->y4m.header.width;
        s->height = s->y4m.header.height;
        s->rate_num = s->y4m.header.rate_num;
        s->rate_den = s->y4m.header.rate_den;
    }
}

static struct xc_picture *next_decoded(struct xc_tool_source *s)
{
    while (s->next_frame < s->ivf.ivf.header.frame_count) {
        struct xc_picture *picture = xc_tool_ivf_decode(&s->ivf, s->next_frame++, &s->state, s->workspace);
        if (picture && (picture->width != s->width || picture->height != s->height)) {
            xc_tool_fail(s->name, "picture %u is of %ux%u, the header says %ux%u", s->count, picture->width,
                         picture->height, s->width, s->height);
        }
        if (picture) {
            return picture;
        }
    }
    return NULL;
}

static enum xc_status next_raw(struct xc_tool_source *s, struct xc_picture **picture, struct xc_error *err)
{
    bool end;
    enum xc_status status = xc_picture_new(picture, xc_workspace_pool(s->workspace), s->width, s->height, err);
    if (status) {
        return status;
    }
    status = xc_y4m_read_frame(*picture, &end, s->y4m.input.stream, err);
    if (status || end) {
        xc_picture_unref(*picture);
        *picture = NULL;
    }
    return status;
}

static enum xc_status read_picture(struct xc_tool_source *s, struct xc_picture **picture, struct xc_error *err)
{
    if (!s->is_ivf) {
        return next_raw(s, picture, err);
    }
    *picture = next_decoded(s);
    return XC_OK;
}

enum xc_status xc_tool_source_read(struct xc_tool_source *s, struct xc_picture **picture, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    *picture = NULL;
    if (s->ahead_count) {
        *picture = s->ahead[0];
        s->ahead_count--;
        for (unsigned i = 0; i < s->ahead_count; i++) {
            s->ahead[i] = s->ahead[i + 1];
        }
    } else {
        status = read_picture(s, picture, err);
    }
    s->count += *picture != NULL;
    return status;
}

enum xc_status xc_tool_source_peek(struct xc_tool_source *s, uint64_t number, struct xc_picture **picture,
                                   struct xc_error *err)
{
    const uint64_t distance = number - s->count;
    *picture = NULL;
    while (s->ahead_count <= distance && s->ahead_count < XC_TOOL_SPAN) {
        struct xc_picture **next = &s->ahead[s->ahead_count];
        enum xc_status status = read_picture(s, next, err);
        if (status || !*next) {
            return status;
        }
        s->ahead_count++;
    }
    *picture = distance < XC_TOOL_SPAN ? xc_picture_ref(s->ahead[distance]) : NULL;
    return XC_OK;
}

void xc_tool_source_check(const struct xc_tool_source *s, enum xc_status status, const struct xc_error *err)
{
    if (status) {
        xc_tool_fail(s->name, "frame %u: %s", s->count + s->ahead_count, err->text);
    }
}

struct xc_picture *xc_tool_source_next(struct xc_tool_source *s)
{
    struct xc_picture *picture;
    struct xc_error err;
    xc_tool_source_check(s, xc_tool_source_read(s, &picture, &err), &err);
    return picture;
}

struct xc_picture *xc_tool_source_expect(struct xc_tool_source *s, const char *predictor)
{
    struct xc_picture *picture = xc_tool_source_next(s);
    if (!picture) {
        xc_tool_fail(s->name, "has only %u frames; %s shows more", s->count, predictor);
    }
    return picture;
}

void xc_tool_source_expect_end(struct xc_tool_source *s, const char *predictor)
{
    if (xc_tool_source_next(s)) {
        xc_tool_fail(s->name, "has more frames than the %u that %s shows", s->count - 1, predictor);
    }
}

void xc_tool_source_check_file(const struct xc_tool_source *s, const struct xc_tool_ivf *file)
{
    const struct xc_ivf_header *header = &file->ivf.header;
    if (header->frame_count == 0) {
        xc_tool_fail(file->name, "has no frame");
    }
    if (header->width != s->width || header->height != s->height) {
        xc_tool_fail(file->name, "is of %ux%u, but %s is of %ux%u", header->width, header->height, s->name, s->width,
                     s->height);
    }
}

void xc_tool_source_close(struct xc_tool_source *s)
{
    while (s->ahead_count) {
        xc_picture_unref(s->ahead[--s->ahead_count]);
    }
    if (s->is_ivf) {
        xc_ivf_free(&s->ivf.ivf);
        xc_state_clear(&s->state);
    } else {
        xc_tool_input_close(&s->y4m.input);
    }
}

/* --- the chunk in the making --- */

void xc_tool_chunk_start(struct xc_tool_chunk *chunk, const struct xc_tool_source *source, const struct xc_state *state)
{
    if (state->width && (state->width != source->width || state->height != source->height)) {
        xc_tool_fail(source->name, "is of %ux%u, but the state is of %ux%u", source->width, source->height,
                     state->width, state->height);
    }
    *chunk = (struct xc_tool_chunk){ .header = {
                                         .width = (uint16_t)source->width,
                                         .height = (uint16_t)source->height,
                                         .rate_num = source->rate_num,
                                         .rate_den = source->rate_den,
                                         .expected_state = xc_state_id(state),
                                     } };
}

void xc_tool_chunk_append(struct xc_tool_chunk *chunk, struct xc_bytes *bytes, uint64_t number)
{
    size_t count = chunk->header.frame_count;
    struct xc_tool_chunk_frame *frames = realloc(chunk->frames, (count + 1) * sizeof *frames);
    if (!frames) {
        xc_tool_fail(NULL, "out of memory for %zu frames", count + 1);
    }
    frames[count] = (struct xc_tool_chunk_frame){ .timestamp = number, .bytes = *bytes };
    chunk->shown += xc_data_is_shown(bytes->data, bytes->size);
    chunk->frames = frames;
    chunk->header.frame_count++;
    *bytes = XC_BYTES_INIT;
}

void xc_tool_chunk_encode(struct xc_tool_chunk *chunk, struct xc_encoder *encoder, const struct xc_picture *picture,
                          uint64_t number, const struct xc_encode_params *params, const char *name)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_encode(encoder, picture, params, &bytes, &err), name, &err);
    xc_tool_chunk_append(chunk, &bytes, number);
}

void xc_tool_chunk_copy(struct xc_tool_chunk *chunk, const struct xc_tool_ivf *file, uint32_t frame)
{
    const struct xc_ivf_frame *from = &file->ivf.frames[frame];
    struct xc_bytes bytes = { .data = malloc(from->size), .size = from->size, .capacity = from->size };
    if (!bytes.data) {
        xc_tool_fail(file->name, "out of memory for a frame of %u bytes", from->size);
    }
    memcpy(bytes.data, from->data, from->size);
    xc_tool_chunk_append(chunk, &bytes, from->timestamp);
}

void xc_tool_chunk_write(struct xc_tool_chunk *chunk, const char *name, const struct xc_state *state,
                         const char *state_name)
{
    struct xc_tool_output outputs[2];
    struct xc_error err;
    xc_tool_output_open(&outputs[0], name);
    xc_tool_check(xc_ivf_write_header(outputs[0].stream, &chunk->header, &err), name, &err);
    for (uint32_t i = 0; i < chunk->header.frame_count; i++) {
        struct xc_tool_chunk_frame *frame = &chunk->frames[i];
        xc_tool_check(
            xc_ivf_write_frame(outputs[0].stream, frame->timestamp, frame->bytes.data, frame->bytes.size, &err), name,
            &err);
        xc_bytes_clear(&frame->bytes);
    }
    free(chunk->frames);
    if (state_name) {
        xc_tool_output_open(&outputs[1], state_name);
        xc_tool_check(xc_state_write(state, outputs[1].stream, &err), state_name, &err);
    }
    xc_tool_output_commit(outputs, state_name ? 2 : 1);
}

/* --- predicted frames --- */

/* Whether a hidden frame's timestamp is that of a raw picture to come (docs/ivf.md). */
static bool stands_for_picture(const struct xc_ivf_frame *frame, uint64_t shown)
{
    return frame->timestamp > shown && frame->timestamp - shown < XC_TOOL_SPAN;
}

void xc_tool_prediction_open(struct xc_tool_prediction *p, const char *name, const char *state_name,
                             const struct xc_tool_source *source)
{
    *p = (struct xc_tool_prediction){ .next = 0 };
    xc_tool_ivf_read(&p->file, name);
    xc_tool_source_check_file(source, &p->file);
    xc_tool_state_read(&p->state, xc_workspace_pool(source->workspace), state_name);
    xc_tool_ivf_check_state(&p->file, &p->state);
    uint64_t shown = 0;
    for (uint32_t i = 0; i < p->file.ivf.header.frame_count; i++) {
        if (xc_data_is_shown(p->file.ivf.frames[i].data, p->file.ivf.frames[i].size)) {
            shown++;
        } else {
            p->decodes |= !stands_for_picture(&p->file.ivf.frames[i], shown);
        }
    }
}

bool xc_tool_prediction_begins_with_key(const struct xc_tool_prediction *p)
{
    const struct xc_ivf *ivf = &p->file.ivf;
    return ivf->header.frame_count && xc_data_is_key_frame(ivf->frames[0].data, ivf->frames[0].size);
}

bool xc_tool_prediction_at_end(const struct xc_tool_prediction *p)
{
    return p->next == p->file.ivf.header.frame_count;
}

enum xc_status xc_tool_prediction_read(struct xc_tool_prediction *p, struct xc_frame *frame, struct xc_picture **hidden,
                                       struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &p->file.ivf.frames[p->next];
    const struct xc_ivf_header *file = &p->file.ivf.header;
    const struct xc_frame_header *h = &frame->header;
    enum xc_status status;
    *hidden = NULL;
    if ((status = xc_frame_open(frame, &p->state, data->data, data->size, err)) ||
        (p->decodes && (status = xc_frame_complete(frame, err)))) {
        return status;
    }
    if (h->key_frame && (h->width != file->width || h->height != file->height)) {
        return xc_fail(err, XC_ERR_MISMATCH, "is of %ux%u, the file's header says %ux%u", h->width, h->height,
                       file->width, file->height);
    }
    return p->decodes ? xc_decode_frame(workspace, &p->state, frame, h->show ? NULL : hidden, err)
                      : xc_state_follow_header(&p->state, frame, err);
}

bool xc_tool_prediction_next(struct xc_tool_prediction *p, struct xc_workspace *workspace)
{
    struct xc_error err;
    struct xc_picture *hidden;
    if (xc_tool_prediction_at_end(p)) {
        return false;
    }
    if (xc_tool_prediction_read(p, &p->frame, &hidden, workspace, &err) || xc_frame_complete(&p->frame, &err)) {
        xc_tool_fail(p->file.name, "frame %u: %s", p->next, err.text);
    }
    xc_picture_unref(hidden);
    p->next++;
    return true;
}

void xc_tool_prediction_close(struct xc_tool_prediction *p)
{
    xc_ivf_free(&p->file.ivf);
    xc_state_clear(&p->state);
    xc_frame_clear(&p->frame);
}

/* --- frames --- */

void xc_tool_copy_frame(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_chunk *chunk,
                        struct xc_workspace *workspace)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    if (xc_tool_prediction_at_end(p)) {
        xc_frame_terminate(&p->frame);
    }
    xc_tool_check(xc_frame_serialize(&bytes, &p->frame, state, &err), p->file.name, &err);
    xc_tool_check(xc_decode_frame(workspace, state, &p->frame, NULL, &err), p->file.name, &err);
    xc_tool_chunk_append(chunk, &bytes, chunk->shown);
}
