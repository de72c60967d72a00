/* SPDX-License-Identifier: BSD-2-Clause */
/* libvpx's VP8 encoder over a whole film, driven as vpxenc drives it, so that the same settings give the same bytes:
 * timestamps, which pictures are skipped, and when the encoder is flushed. From libvpx's vpxenc.c (encode_frame, main).
 */
#ifndef XC_VPX_VPXENC_H
#define XC_VPX_VPXENC_H

#include <stdbool.h>
#include <stdint.h>

#include <vpx/vpx_encoder.h>

#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/picture.h"

enum { XC_VPXENC_MAX_CONTROLS = 64 };

struct xc_vpxenc_settings {
    vpx_codec_enc_cfg_t config; /* its g_pass and rc_twopass_stats_in are not used */
    struct {
        int id, value; /* of vpx_codec_control */
    } controls[XC_VPXENC_MAX_CONTROLS];
    int control_count;
    unsigned long deadline;   /* microseconds per frame, or VPX_DL_... */
    struct vpx_rational rate; /* frames per second; 0/0: one frame is one unit of the timebase */
    int64_t skip;             /* pictures to leave out at the beginning; timestamps count them */
    bool measure_psnr;
};

/* Where pictures come from and frames go. If a function fails, the pass fails with its status and message. */
struct xc_vpxenc_io {
    /* The next picture, of config.g_w x config.g_h, which stays until the next call; *picture NULL: there is no more.
     * A pass asks again after that. */
    enum xc_status (*read)(void *read_context, const struct xc_picture **picture, struct xc_error *err);
    void *read_context;
    enum xc_status (*write)(void *write_context, int64_t timestamp, const uint8_t *data, size_t size,
                            struct xc_error *err);
    void *write_context;
};

/* PSNR of what was encoded against the pictures, as libvpx reports it, in dB. */
struct xc_vpxenc_psnr {
    uint64_t error, samples; /* sum of squared errors over all samples of all planes and frames */
    double sum[4];           /* over the frames, of the PSNR of all planes, and of Y, U and V */
    unsigned frames;
};

/* PSNR of the mean squared error of all frames; at most 100. */
double xc_vpxenc_psnr_overall(const struct xc_vpxenc_psnr *psnr);

/* Runs one pass. The first of two passes appends to *statistics and writes no frame, the last one reads *statistics.
 * *psnr becomes what was measured if settings->measure_psnr; it may be NULL otherwise. XC_ERR_ARGUMENT: libvpx does not
 * take the settings, or there is no picture to encode. */
enum xc_status xc_vpxenc_pass(const struct xc_vpxenc_settings *settings, enum vpx_enc_pass pass,
                              const struct xc_vpxenc_io *io, struct xc_bytes *statistics, struct xc_vpxenc_psnr *psnr,
                              struct xc_error *err);

#endif
