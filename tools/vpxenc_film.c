/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpxenc_film.h"

#include <errno.h>
#include <string.h>

static const char spool_name[] = "temporary file for the second pass";

/* Whether the stream goes on with this word of four letters. Nothing is taken from it. */
static bool goes_on_with(FILE *stream, const char *word)
{
    char start[4];
    const size_t got = fread(start, 1, sizeof start, stream);
    for (size_t i = got; i > 0; i--) {
        ungetc((unsigned char)start[i - 1], stream);
    }
    return got == sizeof start && !memcmp(start, word, sizeof start);
}

/* -w and -h must not ask for another size than the film's. Given alone, each means that the other follows from it. */
static void check_size(const struct film *film)
{
    const struct xc_y4m_header *header = &film->y4m.header;
    const struct film_options *options = &film->options;
    if ((options->width && options->width != header->width) || (options->height && options->height != header->height)) {
        xc_tool_fail(options->name, "is %ux%u; -w and -h cannot scale it, but ffmpeg -vf scale can", header->width,
                     header->height);
    }
}

static void begin_raw(struct film *film)
{
    const struct film_options *options = &film->options;
    if (goes_on_with(film->y4m.input.stream, "DKIF")) {
        xc_tool_fail(options->name, "is IVF; only raw pictures can be encoded: Y4M, I420 or YV12");
    }
    if (!options->width || !options->height) {
        xc_tool_fail(options->name, "is not Y4M; if it is raw I420 or YV12, give its size with -w and -h");
    }
    /* vpxenc's default rate. */
    film->y4m.header = (struct xc_y4m_header){
        .width = (uint16_t)options->width, .height = (uint16_t)options->height, .rate_num = 30, .rate_den = 1
    };
    snprintf(film->y4m.header.line, sizeof film->y4m.header.line, "YUV4MPEG2 W%u H%u F30:1", film->y4m.header.width,
             film->y4m.header.height);
}

/* Reads the header, if there is one. */
static void begin(struct film *film)
{
    struct xc_error err;
    struct xc_tool_input *input = &film->y4m.input;
    film->raw = !goes_on_with(input->stream, "YUV4");
    if (film->raw) {
        begin_raw(film);
        return;
    }
    xc_tool_check(xc_y4m_read_header(&film->y4m.header, input->stream, &err), input->name, &err);
    check_size(film);
}

/* false: the film ends here. */
static bool read_raw(struct film *film, struct xc_picture *picture)
{
    FILE *stream = film->y4m.input.stream;
    const int order[] = { XC_PLANE_Y, film->options.yv12 ? XC_PLANE_V : XC_PLANE_U,
                          film->options.yv12 ? XC_PLANE_U : XC_PLANE_V };
    for (int i = 0; i < 3; i++) {
        const struct xc_plane *plane = &picture->plane[order[i]];
        const size_t width = i ? (picture->width + 1u) / 2 : picture->width;
        const unsigned height = i ? (picture->height + 1u) / 2 : picture->height;
        for (unsigned y = 0; y < height; y++) {
            const size_t got = fread(plane->data + (ptrdiff_t)y * plane->stride, 1, width, stream);
            if (ferror(stream)) {
                xc_tool_fail(film->options.name, "%s", strerror(errno));
            }
            if (got == 0 && i == 0 && y == 0) {
                return false;
            }
            if (got < width) {
                xc_tool_fail(film->options.name, "frame %lld: cut short, or not of %ux%u", (long long)film->frames,
                             picture->width, picture->height);
            }
        }
    }
    return true;
}

/* The function xc_vpxenc_film.next. */
static enum xc_status read_next(void *context, struct xc_picture **picture, struct xc_error *err)
{
    struct film *film = context;
    enum xc_status status = xc_picture_new(picture, film->pool, film->pictures.width, film->pictures.height, err);
    if (status) {
        return status;
    }
    const bool more = (!film->options.limit || film->frames < film->options.limit) &&
                      (film->raw ? read_raw(film, *picture) : xc_tool_y4m_next(&film->y4m, *picture));
    if (!more) {
        xc_picture_unref(*picture);
        *picture = NULL;
        return XC_OK;
    }
    film->frames++;
    if (film->spool) {
        xc_tool_check(xc_y4m_write_frame(film->spool, *picture, err), spool_name, err);
    }
    return XC_OK;
}

void film_open(struct film *film, const struct film_options *options)
{
    struct xc_error err;
    *film = (struct film){ .options = *options };
    xc_tool_check(xc_picture_pool_new(&film->pool, &err), options->name, &err);
    xc_tool_input_open(&film->y4m.input, options->name);
    begin(film);
    const struct xc_y4m_header *header = &film->y4m.header;
    film->pictures = (struct xc_vpxenc_film){ header->width, header->height, read_next, film };
    if (!options->twice || !fseeko(film->y4m.input.stream, 0, SEEK_CUR)) {
        return;
    }
    film->spool = tmpfile();
    if (!film->spool) {
        xc_tool_fail(spool_name, "%s", strerror(errno));
    }
    xc_tool_check(xc_y4m_write_header(film->spool, header, &err), spool_name, &err);
}

void film_rewind(struct film *film)
{
    struct xc_tool_input *input = &film->y4m.input;
    if (film->spool) {
        xc_tool_input_close(input);
        *input = (struct xc_tool_input){ .stream = film->spool, .name = input->name };
        film->spool = NULL;
    }
    if (fseeko(input->stream, 0, SEEK_SET)) {
        xc_tool_fail(input->name, "%s", strerror(errno));
    }
    film->y4m.frames = 0;
    film->frames = 0;
    begin(film);
}

void film_close(struct film *film)
{
    xc_tool_input_close(&film->y4m.input);
    xc_picture_pool_free(film->pool);
}
