/* SPDX-License-Identifier: BSD-2-Clause */
/* libvpx's VP8 encoder over a whole film, driven as vpxenc drives it: the same settings give the same frames, byte for
 * byte, with the same timestamps. From libvpx's vpxenc.c (encode_frame, get_cx_data, main). */
#ifndef EXCAMERA_VPXENC_H
#define EXCAMERA_VPXENC_H

#include <stdbool.h>
#include <stdint.h>

#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/picture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A setting that is a number, under the name that vpxenc's option has. */
struct xc_vpxenc_option {
    const char *name;
    const char *help; /* a line for users */
    int64_t minimum, maximum;
    const char *const *values; /* names of its values, from 0 to maximum, or NULL */
    char letter;               /* vpxenc's short option, or 0 */
};

enum { XC_VPXENC_OPTIONS = 36 };
/* Those with the numbers 0 to XC_VPXENC_OPTIONS - 1. */
const struct xc_vpxenc_option *xc_vpxenc_option_at(int number);

/* In place of a value: libvpx's default. */
enum { XC_VPXENC_DEFAULT = -1000 };

/* Deadlines of libvpx's that mean more than a number of microseconds. */
enum { XC_VPXENC_BEST = 0, XC_VPXENC_REALTIME = 1, XC_VPXENC_GOOD = 1000000 };

struct xc_vpxenc_fraction {
    int num, den;
};

struct xc_vpxenc_settings {
    int64_t values[XC_VPXENC_OPTIONS]; /* of the options, by their places */
    unsigned long deadline;            /* microseconds per frame, or one of those above */
    /* Frames per second, and the unit of timestamps in seconds; with a rate of 0/0, one frame is one unit. Either
     * number is 1 to 1000000. */
    struct xc_vpxenc_fraction rate, timebase;
    int64_t skip; /* pictures to leave out at the beginning; timestamps count them */
    bool no_key_frames;
    bool measure_psnr;
};

/* The pictures to encode. */
struct xc_vpxenc_film {
    unsigned width, height; /* display size of all pictures, in luma samples */
    /* Makes *picture the next picture, of which the caller gets one reference, or NULL after the last one. */
    enum xc_status (*next)(void *context, struct xc_picture **picture, struct xc_error *err);
    void *context;
};

/* libvpx's defaults, good quality, a timebase of a millisecond and no rate. */
void xc_vpxenc_defaults(struct xc_vpxenc_settings *settings);

/* The encoder's name and version, and its parameters as vpxenc --verbose lists them: from number 0 on, until NULL is
 * returned in place of a name. */
const char *xc_vpxenc_codec(void);
const char *xc_vpxenc_parameter(const struct xc_vpxenc_settings *settings, const struct xc_vpxenc_film *film,
                                unsigned number, int *value);

/* Where the frames go. */
struct xc_vpxenc_sink {
    enum xc_status (*write)(void *context, int64_t timestamp, const uint8_t *data, size_t size, struct xc_error *err);
    void *context;
};

/* How far the frames are from the pictures, as libvpx measures it, in dB. */
struct xc_vpxenc_psnr {
    double overall;   /* of the mean squared error of all samples of all frames; at most 100 */
    double average;   /* over the frames, of all planes together */
    double planes[3]; /* over the frames, of each plane */
    unsigned frames;  /* that were measured */
};

enum xc_vpxenc_pass { XC_VPXENC_ONLY_PASS, XC_VPXENC_FIRST_PASS, XC_VPXENC_LAST_PASS };

/* Runs one pass over the film, from its beginning to its end. The first of two passes writes no frame, so sink may be
 * NULL, and appends to *statistics; the last one, over the same pictures, reads *statistics. psnr may be NULL; it is
 * filled if settings->measure_psnr. If a function of the film's or the sink's fails, so does the pass. XC_ERR_ARGUMENT:
 * libvpx does not take the settings or the statistics, or there is no picture to encode. After a failure, the frames so
 * far have been written. */
enum xc_status xc_vpxenc_run(const struct xc_vpxenc_settings *settings, enum xc_vpxenc_pass pass,
                             const struct xc_vpxenc_film *film, const struct xc_vpxenc_sink *sink,
                             struct xc_bytes *statistics, struct xc_vpxenc_psnr *psnr, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
