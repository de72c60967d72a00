/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpx/vpxenc.h"

#include <math.h>
#include <string.h>

#include <vpx/vp8cx.h>

#include "bitstream/bytes.h"
#include "vpx/image.h"

struct encoder {
    const struct xc_vpxenc_settings *settings;
    const struct xc_vpxenc_io *io;
    struct xc_bytes *statistics;
    struct xc_vpxenc_psnr *psnr;
    vpx_codec_ctx_t codec;
};

static enum xc_status check_codec(struct encoder *e, vpx_codec_err_t code, const char *what, struct xc_error *err)
{
    if (!code) {
        return XC_OK;
    }
    const char *detail = vpx_codec_error_detail(&e->codec);
    return xc_fail(err, code == VPX_CODEC_MEM_ERROR ? XC_ERR_MEMORY : XC_ERR_ARGUMENT, "libvpx cannot %s: %s%s%s", what,
                   vpx_codec_err_to_string(code), detail ? ": " : "", detail ? detail : "");
}

static enum xc_status open_codec(struct encoder *e, enum vpx_enc_pass pass, struct xc_error *err)
{
    const struct xc_vpxenc_settings *settings = e->settings;
    vpx_codec_enc_cfg_t config = settings->config;
    config.g_pass = pass;
    if (pass == VPX_RC_LAST_PASS) {
        config.rc_twopass_stats_in = (vpx_fixed_buf_t){ e->statistics->data, e->statistics->size };
    }
    const vpx_codec_flags_t flags = settings->measure_psnr ? VPX_CODEC_USE_PSNR : 0;
    enum xc_status status =
        check_codec(e, vpx_codec_enc_init(&e->codec, vpx_codec_vp8_cx(), &config, flags), "start its encoder", err);
    for (int i = 0; !status && i < settings->control_count; i++) {
        status = check_codec(e, vpx_codec_control_(&e->codec, settings->controls[i].id, settings->controls[i].value),
                             "take its options", err);
    }
    return status;
}

/* Fails if picture number ends beyond what picture_start can compute in 64 bits. */
static enum xc_status check_number(const struct xc_vpxenc_settings *settings, int64_t number, struct xc_error *err)
{
    const int64_t factor = (int64_t)settings->config.g_timebase.den * settings->rate.den;
    if (factor && number >= INT64_MAX / factor) {
        return xc_fail(err, XC_ERR_ARGUMENT, "frame %lld: its timestamp is too large in this timebase",
                       (long long)number);
    }
    return XC_OK;
}

/* Where picture number begins, in units of the timebase. */
static int64_t picture_start(const struct xc_vpxenc_settings *settings, int64_t number)
{
    const struct vpx_rational *timebase = &settings->config.g_timebase;
    if (!settings->rate.den) {
        return number;
    }
    return timebase->den * number * settings->rate.den / timebase->num / settings->rate.num;
}

/* picture NULL: there is no more, finish what has been delayed. */
static enum xc_status encode_picture(struct encoder *e, const struct xc_picture *picture, int64_t number,
                                     struct xc_error *err)
{
    enum xc_status status = check_number(e->settings, number, err);
    if (status) {
        return status;
    }
    vpx_image_t image;
    if (picture) {
        xc_vpx_wrap_displayed(&image, picture);
    }
    const int64_t start = picture_start(e->settings, number);
    const int64_t duration = picture_start(e->settings, number + 1) - start;
    return check_codec(
        e,
        vpx_codec_encode(&e->codec, picture ? &image : NULL, start, (unsigned long)duration, 0, e->settings->deadline),
        "encode a frame", err);
}

static enum xc_status keep_statistics(struct encoder *e, const vpx_fixed_buf_t *packet, struct xc_error *err)
{
    struct xc_bytes *kept = e->statistics;
    if (!xc_bytes_reserve(kept, packet->sz)) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for the first pass's statistics");
    }
    memcpy(kept->data + kept->size, packet->buf, packet->sz);
    kept->size += packet->sz;
    return XC_OK;
}

static void count_psnr(struct encoder *e, const struct vpx_psnr_pkt *packet)
{
    e->psnr->error += packet->sse[0];
    e->psnr->samples += packet->samples[0];
    for (int i = 0; i < 4; i++) {
        e->psnr->sum[i] += packet->psnr[i];
    }
    e->psnr->frames++;
}

/* Takes what the encoder has ready. *got_frame: whether a frame was among it. */
static enum xc_status collect_packets(struct encoder *e, bool *got_frame, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    *got_frame = false;
    while (!status && (packet = vpx_codec_get_cx_data(&e->codec, &iterator))) {
        if (packet->kind == VPX_CODEC_STATS_PKT) {
            status = keep_statistics(e, &packet->data.twopass_stats, err);
        } else if (packet->kind == VPX_CODEC_CX_FRAME_PKT) {
            status = e->io->write(e->io->write_context, packet->data.frame.pts, packet->data.frame.buf,
                                  packet->data.frame.sz, err);
            *got_frame = true;
        } else if (packet->kind == VPX_CODEC_PSNR_PKT) {
            count_psnr(e, &packet->data.psnr);
        }
    }
    return status;
}

/* As vpxenc does, this goes on after the last picture until the encoder has nothing more to give. */
static enum xc_status encode_film(struct encoder *e, struct xc_error *err)
{
    const int64_t skip = e->settings->skip;
    int64_t pictures = 0;
    const struct xc_picture *picture = NULL;
    bool got_frame = false;
    enum xc_status status = check_number(e->settings, skip, err);
    do {
        if (!status) {
            status = e->io->read(e->io->read_context, &picture, err);
            pictures += !status && picture;
        }
        if (!status && pictures > skip) {
            status = encode_picture(e, picture, pictures - 1, err);
            if (!status) {
                status = collect_packets(e, &got_frame, err);
            }
        }
    } while (!status && (picture || got_frame));
    if (!status && pictures <= skip) {
        status = xc_fail(err, XC_ERR_ARGUMENT, "no frame to encode");
    }
    return status;
}

enum xc_status xc_vpxenc_pass(const struct xc_vpxenc_settings *settings, enum vpx_enc_pass pass,
                              const struct xc_vpxenc_io *io, struct xc_bytes *statistics, struct xc_vpxenc_psnr *psnr,
                              struct xc_error *err)
{
    struct encoder e = { .settings = settings, .io = io, .statistics = statistics, .psnr = psnr };
    if (psnr) {
        *psnr = (struct xc_vpxenc_psnr){ 0 };
    }
    enum xc_status status = open_codec(&e, pass, err);
    if (!status) {
        status = encode_film(&e, err);
    }
    vpx_codec_destroy(&e.codec);
    return status;
}

double xc_vpxenc_psnr_overall(const struct xc_vpxenc_psnr *psnr)
{
    const double most = 100, peak = 255;
    if (!psnr->error) {
        return most;
    }
    return fmin(most, 10 * log10((double)psnr->samples * peak * peak / (double)psnr->error));
}
