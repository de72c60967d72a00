/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/vpxenc.h"

#include <math.h>
#include <string.h>

#include <vpx/vp8cx.h>

#include "bitstream/bytes.h"
#include "vpx/image.h"
#include "vpx/vpxenc_config.h"

/* What libvpx has reported of each frame. */
struct psnr_sums {
    uint64_t error, samples; /* the sum of squared errors, and over how many samples */
    double psnr[4];          /* of all planes, Y, U and V */
    unsigned frames;
};

struct encoder {
    const struct xc_vpxenc_settings *settings;
    const struct xc_vpxenc_film *film;
    const struct xc_vpxenc_sink *sink;
    struct xc_bytes *statistics;
    struct psnr_sums psnr;
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

static enum xc_status open_codec(struct encoder *e, struct xc_vpxenc_config *config, enum xc_vpxenc_pass pass,
                                 struct xc_error *err)
{
    static const enum vpx_enc_pass passes[] = {
        [XC_VPXENC_ONLY_PASS] = VPX_RC_ONE_PASS,
        [XC_VPXENC_FIRST_PASS] = VPX_RC_FIRST_PASS,
        [XC_VPXENC_LAST_PASS] = VPX_RC_LAST_PASS,
    };
    config->config.g_pass = passes[pass];
    if (pass == XC_VPXENC_LAST_PASS) {
        config->config.rc_twopass_stats_in = (vpx_fixed_buf_t){ e->statistics->data, e->statistics->size };
    }
    const vpx_codec_flags_t flags = e->settings->measure_psnr ? VPX_CODEC_USE_PSNR : 0;
    enum xc_status status = check_codec(e, vpx_codec_enc_init(&e->codec, vpx_codec_vp8_cx(), &config->config, flags),
                                        "start its encoder", err);
    for (int i = 0; !status && i < config->control_count; i++) {
        const struct xc_vpxenc_control *control = &config->controls[i];
        status = check_codec(e, vpx_codec_control_(&e->codec, control->id, control->value), "take its options", err);
    }
    return status;
}

/* Fails if picture number ends beyond what picture_start can compute in 64 bits. */
static enum xc_status check_number(const struct xc_vpxenc_settings *settings, int64_t number, struct xc_error *err)
{
    const int64_t factor = (int64_t)settings->timebase.den * settings->rate.den;
    if (factor && number >= INT64_MAX / factor) {
        return xc_fail(err, XC_ERR_ARGUMENT, "frame %lld: its timestamp is too large in this timebase",
                       (long long)number);
    }
    return XC_OK;
}

/* Where picture number begins, in units of the timebase. */
static int64_t picture_start(const struct xc_vpxenc_settings *settings, int64_t number)
{
    const struct xc_vpxenc_fraction *timebase = &settings->timebase;
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
    if (picture && (picture->width != e->film->width || picture->height != e->film->height)) {
        return xc_fail(err, XC_ERR_MISMATCH, "a picture of %ux%u in a film of %ux%u", picture->width, picture->height,
                       e->film->width, e->film->height);
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

static void count_psnr(struct psnr_sums *sums, const struct vpx_psnr_pkt *packet)
{
    sums->error += packet->sse[0];
    sums->samples += packet->samples[0];
    for (int i = 0; i < 4; i++) {
        sums->psnr[i] += packet->psnr[i];
    }
    sums->frames++;
}

static void report_psnr(struct xc_vpxenc_psnr *psnr, const struct psnr_sums *sums)
{
    const double most = 100, peak = 255;
    *psnr = (struct xc_vpxenc_psnr){ .overall = most, .frames = sums->frames };
    if (sums->error) {
        psnr->overall = fmin(most, 10 * log10((double)sums->samples * peak * peak / (double)sums->error));
    }
    if (sums->frames) {
        psnr->average = sums->psnr[0] / sums->frames;
        for (int i = 0; i < 3; i++) {
            psnr->planes[i] = sums->psnr[1 + i] / sums->frames;
        }
    }
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
            status = e->sink->write(e->sink->context, packet->data.frame.pts, packet->data.frame.buf,
                                    packet->data.frame.sz, err);
            *got_frame = true;
        } else if (packet->kind == VPX_CODEC_PSNR_PKT) {
            count_psnr(&e->psnr, &packet->data.psnr);
        }
    }
    return status;
}

/* As vpxenc does, this goes on after the last picture until the encoder has nothing more to give. */
static enum xc_status encode_film(struct encoder *e, struct xc_error *err)
{
    const int64_t skip = e->settings->skip;
    int64_t pictures = 0;
    bool more = true, got_frame = false;
    enum xc_status status = check_number(e->settings, skip, err);
    while (!status && (more || got_frame)) {
        struct xc_picture *picture = NULL;
        if (more) {
            status = e->film->next(e->film->context, &picture, err);
        }
        more = picture != NULL;
        pictures += more;
        if (!status && pictures > skip) {
            status = encode_picture(e, picture, pictures - 1, err);
        }
        if (!status && pictures > skip) {
            status = collect_packets(e, &got_frame, err);
        }
        xc_picture_unref(picture);
    }
    if (!status && pictures <= skip) {
        status = xc_fail(err, XC_ERR_ARGUMENT, "no frame to encode");
    }
    return status;
}

enum xc_status xc_vpxenc_run(const struct xc_vpxenc_settings *settings, enum xc_vpxenc_pass pass,
                             const struct xc_vpxenc_film *film, const struct xc_vpxenc_sink *sink,
                             struct xc_bytes *statistics, struct xc_vpxenc_psnr *psnr, struct xc_error *err)
{
    struct encoder e = { .settings = settings, .film = film, .sink = sink, .statistics = statistics };
    const size_t size_before = statistics->size;
    struct xc_vpxenc_config config;
    enum xc_status status = xc_vpxenc_configure(&config, settings, film, err);
    if (!status) {
        status = open_codec(&e, &config, pass, err);
    }
    if (!status) {
        status = encode_film(&e, err);
    }
    if (!status && psnr && settings->measure_psnr) {
        report_psnr(psnr, &e.psnr);
    }
    if (status) {
        statistics->size = size_before;
    }
    vpx_codec_destroy(&e.codec);
    return status;
}
