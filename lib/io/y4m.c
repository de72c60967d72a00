/* SPDX-License-Identifier: BSD-2-Clause */
/* Y4M in and out: a line "YUV4MPEG2 W432 H240 F24:1 ..." and then, for each picture, a line "FRAME" and raw samples. */
#include "excamera/y4m.h"

#include <string.h>

#include "base/stream_error.h"

#define STREAM_MAGIC "YUV4MPEG2"
#define FRAME_MAGIC "FRAME"

enum { LINE_SIZE = sizeof((struct xc_y4m_header *)NULL)->line };

/* What ended a line: its newline, the end of the stream, the bounds, or a control character, which no header has. */
enum line_end { LINE_OK, LINE_EOF, LINE_TOO_LONG, LINE_NOT_TEXT };

/* Reads up to the next newline into line, always terminated, without the newline. */
static enum line_end read_line(char line[LINE_SIZE], FILE *stream)
{
    for (int length = 0; length < LINE_SIZE; length++) {
        int c = getc(stream);
        line[length] = '\0';
        if (c == '\n') {
            return LINE_OK;
        }
        if (c < ' ') {
            return c == EOF ? LINE_EOF : LINE_NOT_TEXT;
        }
        if (length < LINE_SIZE - 1) {
            line[length] = (char)c;
        }
    }
    return LINE_TOO_LONG;
}

/* Cuts the next parameter from *rest; false if there is none left. */
static bool next_parameter(char parameter[LINE_SIZE], const char **rest)
{
    *rest += strspn(*rest, " ");
    size_t length = strcspn(*rest, " ");
    memcpy(parameter, *rest, length);
    parameter[length] = '\0';
    *rest += length;
    return length > 0;
}

/* Whether line is the magic word, alone or followed by parameters. */
static bool has_magic(const char *line, const char *magic)
{
    size_t length = strlen(magic);
    return !strncmp(line, magic, length) && (line[length] == ' ' || line[length] == '\0');
}

/* Reads decimal digits from *text, which moves after them; false if there are none or the number is above maximum. */
static bool parse_digits(const char **text, uint32_t maximum, uint32_t *value)
{
    const char *start = *text;
    uint64_t number = 0;
    for (; **text >= '0' && **text <= '9' && number <= maximum; ++*text) {
        number = number * 10 + (uint64_t)(**text - '0');
    }
    *value = (uint32_t)number;
    return *text > start && number <= maximum;
}

static bool parse_dimension(const char *text, uint16_t *dimension)
{
    uint32_t value;
    if (!parse_digits(&text, XC_MAX_ENCODED, &value) || *text || value == 0) {
        return false;
    }
    *dimension = (uint16_t)value;
    return true;
}

/* "30000:1001"; 0:0 stands for an unknown rate and leaves the default in place. */
static bool parse_rate(const char *text, struct xc_y4m_header *header)
{
    uint32_t num, den;
    if (!parse_digits(&text, UINT32_MAX, &num) || *text++ != ':' || !parse_digits(&text, UINT32_MAX, &den) || *text) {
        return false;
    }
    if (num == 0 && den == 0) {
        return true;
    }
    header->rate_num = num;
    header->rate_den = den;
    return num > 0 && den > 0;
}

/* The names differ in where the chroma samples lie, about which VP8 has nothing to say. */
static bool is_420(const char *format)
{
    return !strcmp(format, "420") || !strcmp(format, "420jpeg") || !strcmp(format, "420mpeg2") ||
           !strcmp(format, "420paldv");
}

static enum xc_status parse_parameter(struct xc_y4m_header *header, const char *parameter, struct xc_error *err)
{
    const char *value = parameter + 1;
    switch (parameter[0]) {
    case 'W':
    case 'H':
        if (!parse_dimension(value, parameter[0] == 'W' ? &header->width : &header->height)) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "%s %.32s is not between 1 and %d",
                           parameter[0] == 'W' ? "width" : "height", value, XC_MAX_ENCODED);
        }
        return XC_OK;
    case 'F':
        if (!parse_rate(value, header)) {
            return xc_fail(err, XC_ERR_FORMAT, "impossible frame rate %.32s", value);
        }
        return XC_OK;
    case 'I':
        if (strcmp(value, "p") && strcmp(value, "?")) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "interlaced (%.32s); only progressive film is taken", parameter);
        }
        return XC_OK;
    case 'C':
        if (!is_420(value)) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "chroma format %.32s; only 4:2:0 with 8 bits is taken", value);
        }
        return XC_OK;
    case 'X':
        if (!strcmp(value, "COLORRANGE=FULL")) {
            return xc_fail(err, XC_ERR_UNSUPPORTED,
                           "full range (%.32s); only limited range is taken; ffmpeg makes it: -vf scale=out_range=tv",
                           parameter);
        }
        return XC_OK;
    default: /* sample aspect ratio, comments, and what a later version may add */
        return XC_OK;
    }
}

static enum xc_status read_header(struct xc_y4m_header *header, FILE *stream, struct xc_error *err)
{
    *header = (struct xc_y4m_header){ .rate_num = 30, .rate_den = 1 };
    enum line_end end = read_line(header->line, stream);
    if (ferror(stream)) {
        return xc_fail_io(err);
    }
    if (!has_magic(header->line, STREAM_MAGIC)) {
        return xc_fail(err, XC_ERR_FORMAT, "not a Y4M file");
    }
    if (end == LINE_EOF) {
        return xc_fail(err, XC_ERR_FORMAT, "truncated inside the Y4M header");
    }
    if (end == LINE_TOO_LONG) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "the Y4M header is longer than %d bytes", LINE_SIZE - 1);
    }
    if (end == LINE_NOT_TEXT) {
        return xc_fail(err, XC_ERR_FORMAT, "the Y4M header is not text");
    }

    const char *rest = header->line + strlen(STREAM_MAGIC);
    char parameter[LINE_SIZE];
    while (next_parameter(parameter, &rest)) {
        enum xc_status status = parse_parameter(header, parameter, err);
        if (status) {
            return status;
        }
    }
    if (header->width == 0 || header->height == 0) {
        return xc_fail(err, XC_ERR_FORMAT, "the Y4M header has no %s", header->width ? "height" : "width");
    }
    return XC_OK;
}

enum xc_status xc_y4m_read_header(struct xc_y4m_header *header, FILE *stream, struct xc_error *err)
{
    enum xc_status status = read_header(header, stream, err);
    if (status) {
        *header = (struct xc_y4m_header)XC_ZEROS;
    }
    return status;
}

/* Reads the line before a picture. Of the three letters of its I parameter, an "i" stands for interlacing. */
static enum xc_status read_frame_header(bool *end, FILE *stream, struct xc_error *err)
{
    char line[LINE_SIZE] = "", parameter[LINE_SIZE];
    enum line_end line_end = read_line(line, stream);
    if (ferror(stream)) {
        return xc_fail_io(err);
    }
    *end = line_end == LINE_EOF && line[0] == '\0';
    if (*end) {
        return XC_OK;
    }
    if (line_end == LINE_EOF) {
        return xc_fail(err, XC_ERR_FORMAT, "truncated inside a frame");
    }
    if (line_end != LINE_OK || !has_magic(line, FRAME_MAGIC)) {
        return xc_fail(err, XC_ERR_FORMAT, "bytes that are not a frame where one should begin");
    }

    const char *rest = line + strlen(FRAME_MAGIC);
    while (next_parameter(parameter, &rest)) {
        if (parameter[0] == 'I' && strchr(parameter + 1, 'i')) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "interlaced frame (%.32s); only progressive film is taken",
                           parameter);
        }
    }
    return XC_OK;
}

/* Where rows follow each other without gaps, a plane is read at once, straight into its place. */
static bool read_plane(const struct xc_plane *plane, unsigned width, unsigned height, FILE *stream)
{
    if (plane->stride == (ptrdiff_t)width) {
        return fread(plane->data, width, height, stream) == height;
    }
    for (unsigned y = 0; y < height; y++) {
        if (fread(plane->data + y * plane->stride, 1, width, stream) != width) {
            return false;
        }
    }
    return true;
}

enum xc_status xc_y4m_read_frame(struct xc_picture *picture, bool *end, FILE *stream, struct xc_error *err)
{
    *end = false;
    enum xc_status status = read_frame_header(end, stream, err);
    if (status || *end) {
        return status;
    }
    picture->complete = false;
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        if (!read_plane(&picture->plane[p], xc_plane_width(picture, p), xc_plane_height(picture, p), stream)) {
            return xc_fail_read(stream, err, "truncated inside a frame");
        }
    }
    xc_picture_pad(picture);
    return XC_OK;
}

enum xc_status xc_y4m_write_header(FILE *stream, const struct xc_y4m_header *header, struct xc_error *err)
{
    return fprintf(stream, "%s\n", header->line) >= 0 ? XC_OK : xc_fail_io(err);
}

enum xc_status xc_y4m_write_frame(FILE *stream, const struct xc_picture *picture, struct xc_error *err)
{
    bool ok = fputs(FRAME_MAGIC "\n", stream) >= 0;
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        unsigned width = xc_plane_width(picture, p), height = xc_plane_height(picture, p);
        const uint8_t *row = picture->plane[p].data;
        for (unsigned y = 0; ok && y < height; y++, row += picture->plane[p].stride) {
            ok = fwrite(row, 1, width, stream) == width;
        }
    }
    return ok ? XC_OK : xc_fail_io(err);
}
