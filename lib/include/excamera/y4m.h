/* SPDX-License-Identifier: BSD-2-Clause */
/* YUV4MPEG2 (Y4M): raw pictures after one line of text. Only what VP8 can carry is taken: 4:2:0, 8 bits, progressive.
 * Format: mjpegtools, yuv4mpeg(5). */
#ifndef EXCAMERA_Y4M_H
#define EXCAMERA_Y4M_H

#include <stdbool.h>
#include <stdio.h>

#include "excamera/error.h"
#include "excamera/picture.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xc_y4m_header {
    uint16_t width, height;      /* 1 to XC_MAX_ENCODED */
    uint32_t rate_num, rate_den; /* frames per second; 30/1 where the file does not say */
    char line[256];              /* the whole first line, as it stood, without its newline */
};

/* Reads the first line. Refused, each with its own message: another magic, no or impossible sizes, a chroma format
 * other than the 420 family (C420jpeg, C420mpeg2, C420paldv, C420, or none given), full range (XCOLORRANGE=FULL, which
 * FFmpeg writes), interlaced material, a line that is too long. */
enum xc_status xc_y4m_read_header(struct xc_y4m_header *header, FILE *stream, struct xc_error *err);

/* Reads the next frame into picture, which has the header's size, and pads it. *end tells whether the stream has ended
 * before another frame began: then the picture is left alone. A stream that ends inside a frame is an error, after
 * which the picture's samples are unspecified. */
enum xc_status xc_y4m_read_frame(struct xc_picture *picture, bool *end, FILE *stream, struct xc_error *err);

enum xc_status xc_y4m_write_header(FILE *stream, const struct xc_y4m_header *header,
                                   struct xc_error *err); /* writes line */
enum xc_status xc_y4m_write_frame(FILE *stream, const struct xc_picture *picture, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
