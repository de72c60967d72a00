#include "source.h"

#include <string.h>

void xc_tool_source_open(struct xc_tool_source *s, const char *name, const char *format, struct xc_workspace *workspace)
{
    *s = (struct xc_tool_source){ .workspace = workspace, .name = name, .is_ivf = !strcmp(format, "ivf") };
    if (!s->is_ivf && strcmp(format, "y4m")) {
        xc_tool_usage_error("unknown input format '%s': y4m and ivf are known", format);
    }
    if (s->is_ivf) {
        xc_tool_ivf_read(&s->ivf, name);
        const struct xc_ivf_header *header = &s->ivf.ivf.header;
        xc_tool_ivf_check_state(&s->ivf, &s->state, NULL);
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

void xc_tool_source_check_state(const struct xc_tool_source *s, const struct xc_state *state, const char *name)
{
    if (state->width && (state->width != s->width || state->height != s->height)) {
        xc_tool_fail(s->name, "is of %ux%u, but the state %s is of %ux%u", s->width, s->height, name, state->width,
                     state->height);
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
