/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpx/vpxenc_config.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include <vpx/vp8cx.h>

static const char *const end_usages[] = { "vbr", "cbr", "cq", "q" };
static const char *const tunings[] = { "psnr", "ssim" };
_Static_assert(VPX_VBR == 0 && VPX_CBR == 1 && VPX_CQ == 2 && VPX_Q == 3, "libvpx's numbers for these names");
_Static_assert(VP8_TUNE_PSNR == 0 && VP8_TUNE_SSIM == 1, "libvpx's numbers for these names");
_Static_assert(VPX_DL_BEST_QUALITY == XC_VPXENC_BEST && VPX_DL_GOOD_QUALITY == XC_VPXENC_GOOD &&
                   VPX_DL_REALTIME == XC_VPXENC_REALTIME,
               "libvpx's deadlines");

/* Each option, and where it goes: into a field of libvpx's configuration, each of which has the size of an int, or to
 * one of its controls. */
#define FIELD(field_) .field = offsetof(vpx_codec_enc_cfg_t, field_)
#define CONTROL(control_) .control = (control_)
static const struct {
    struct xc_vpxenc_option option;
    size_t field;
    int control; /* 0: field says where */
} options[XC_VPXENC_OPTIONS] = {
    { { "threads", "threads to use; 2 or more change the result", 0, 64, NULL, 't' }, FIELD(g_threads) },
    { { "profile", "bitstream profile", 0, 3, NULL, 0 }, FIELD(g_profile) },
    { { "error-resilient", "resist the loss of: 1 frames, 2 partitions, 3 both", 0, 3, NULL, 0 },
      FIELD(g_error_resilient) },
    { { "lag-in-frames", "frames to look ahead, needed for alt-ref frames", 0, 25, NULL, 0 }, FIELD(g_lag_in_frames) },
    { { "drop-frame", "drop frames if the buffer is less full, percent", 0, 100, NULL, 0 },
      FIELD(rc_dropframe_thresh) },
    { { "resize-allowed", "1: the encoder may scale the pictures", 0, 1, NULL, 0 }, FIELD(rc_resize_allowed) },
    { { "resize-up", "scale up if the buffer is fuller, percent", 0, 100, NULL, 0 }, FIELD(rc_resize_up_thresh) },
    { { "resize-down", "scale down if the buffer is less full, percent", 0, 100, NULL, 0 },
      FIELD(rc_resize_down_thresh) },
    { { "target-bitrate", "kilobits per second", 1, UINT_MAX, NULL, 0 }, FIELD(rc_target_bitrate) },
    { { "min-q", "smallest (best) quantizer", 0, 63, NULL, 0 }, FIELD(rc_min_quantizer) },
    { { "max-q", "largest (worst) quantizer", 0, 63, NULL, 0 }, FIELD(rc_max_quantizer) },
    { { "undershoot-pct", "how far the bitrate may fall below, percent", 0, 100, NULL, 0 }, FIELD(rc_undershoot_pct) },
    { { "overshoot-pct", "how far the bitrate may go above, percent", 0, 100, NULL, 0 }, FIELD(rc_overshoot_pct) },
    { { "buf-sz", "size of the player's buffer, milliseconds", 0, INT_MAX, NULL, 0 }, FIELD(rc_buf_sz) },
    { { "buf-initial-sz", "how full it is before playing begins, milliseconds", 0, INT_MAX, NULL, 0 },
      FIELD(rc_buf_initial_sz) },
    { { "buf-optimal-sz", "how full it should be, milliseconds", 0, INT_MAX, NULL, 0 }, FIELD(rc_buf_optimal_sz) },
    { { "bias-pct", "second pass: from 0, constant, to 100, variable bitrate", 0, 100, NULL, 0 },
      FIELD(rc_2pass_vbr_bias_pct) },
    { { "minsection-pct", "second pass: lowest bitrate of a section, percent", 0, INT_MAX, NULL, 0 },
      FIELD(rc_2pass_vbr_minsection_pct) },
    { { "maxsection-pct", "second pass: highest bitrate of a section, percent", 0, INT_MAX, NULL, 0 },
      FIELD(rc_2pass_vbr_maxsection_pct) },
    { { "kf-min-dist", "fewest frames from one key frame to the next", 0, INT_MAX, NULL, 0 }, FIELD(kf_min_dist) },
    { { "kf-max-dist", "most frames from one key frame to the next", 0, INT_MAX, NULL, 0 }, FIELD(kf_max_dist) },
    { { "cpu-used", "speed, from 0, slow and good, to 16, fast", -16, 16, NULL, 0 }, CONTROL(VP8E_SET_CPUUSED) },
    { { "auto-alt-ref", "1: use alt-ref frames; needs two passes and lag", 0, 1, NULL, 0 },
      CONTROL(VP8E_SET_ENABLEAUTOALTREF) },
    { { "noise-sensitivity", "remove noise", 0, 6, NULL, 0 }, CONTROL(VP8E_SET_NOISE_SENSITIVITY) },
    { { "sharpness", "sharpness of the loop filter", 0, 7, NULL, 0 }, CONTROL(VP8E_SET_SHARPNESS) },
    { { "static-thresh", "smaller changes do not count as motion", 0, INT_MAX, NULL, 0 },
      CONTROL(VP8E_SET_STATIC_THRESHOLD) },
    { { "token-parts", "token partitions: 0 to 3 for 1, 2, 4 or 8", 0, 3, NULL, 0 },
      CONTROL(VP8E_SET_TOKEN_PARTITIONS) },
    { { "arnr-maxframes", "frames to average into an alt-ref frame", 0, 15, NULL, 0 },
      CONTROL(VP8E_SET_ARNR_MAXFRAMES) },
    { { "arnr-strength", "strength of that filter", 0, 6, NULL, 0 }, CONTROL(VP8E_SET_ARNR_STRENGTH) },
    { { "arnr-type", "frames to average: 1 earlier, 2 later, 3 both", 1, 3, NULL, 0 }, CONTROL(VP8E_SET_ARNR_TYPE) },
    { { "cq-level", "quantizer for --end-usage=cq and q", 0, 63, NULL, 0 }, CONTROL(VP8E_SET_CQ_LEVEL) },
    { { "max-intra-rate", "largest key frame, percent of a frame's share", 0, INT_MAX, NULL, 0 },
      CONTROL(VP8E_SET_MAX_INTRA_BITRATE_PCT) },
    { { "gf-cbr-boost", "cbr: more bits for golden frames, percent", 0, INT_MAX, NULL, 0 },
      CONTROL(VP8E_SET_GF_CBR_BOOST_PCT) },
    { { "screen-content-mode", "1: for screen content, 2: and drop frames", 0, 2, NULL, 0 },
      CONTROL(VP8E_SET_SCREEN_CONTENT_MODE) },
    { { "end-usage", "rate control: vbr (the default), cbr, cq or q", 0, 3, end_usages, 0 }, FIELD(rc_end_usage) },
    { { "tune", "measure to optimize for: psnr (the default) or ssim", 0, 1, tunings, 0 }, CONTROL(VP8E_SET_TUNING) },
};

const struct xc_vpxenc_option *xc_vpxenc_option_at(int number)
{
    return &options[number].option;
}

void xc_vpxenc_defaults(struct xc_vpxenc_settings *settings)
{
    *settings = (struct xc_vpxenc_settings){ .deadline = XC_VPXENC_GOOD, .timebase = { 1, 1000 } };
    for (int i = 0; i < XC_VPXENC_OPTIONS; i++) {
        settings->values[i] = XC_VPXENC_DEFAULT;
    }
}

static void apply(struct xc_vpxenc_config *out, int option, int64_t value)
{
    const unsigned number = (unsigned)value;
    if (options[option].control) {
        out->controls[out->control_count++] = (struct xc_vpxenc_control){ options[option].control, (int)value };
    } else {
        memcpy((char *)&out->config + options[option].field, &number, sizeof number);
    }
}

static bool is_fraction(struct xc_vpxenc_fraction fraction)
{
    enum { MOST = 1000000 }; /* two of these multiplied fit into 64 bits, with room for a number of frames */
    return fraction.num >= 1 && fraction.num <= MOST && fraction.den >= 1 && fraction.den <= MOST;
}

static enum xc_status check_times(const struct xc_vpxenc_settings *settings, struct xc_error *err)
{
    if ((settings->rate.num || settings->rate.den) && !is_fraction(settings->rate)) {
        return xc_fail(err, XC_ERR_ARGUMENT, "impossible frame rate %d/%d", settings->rate.num, settings->rate.den);
    }
    if (settings->rate.den && !is_fraction(settings->timebase)) {
        return xc_fail(err, XC_ERR_ARGUMENT, "impossible timebase %d/%d", settings->timebase.num,
                       settings->timebase.den);
    }
    return XC_OK;
}

enum xc_status xc_vpxenc_configure(struct xc_vpxenc_config *out, const struct xc_vpxenc_settings *settings,
                                   const struct xc_vpxenc_film *film, struct xc_error *err)
{
    *out = (struct xc_vpxenc_config){ .control_count = 0 };
    vpx_codec_enc_cfg_t *config = &out->config;
    enum xc_status status = check_times(settings, err);
    if (status) {
        return status;
    }
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0)) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "this libvpx has no VP8 encoder");
    }
    for (int i = 0; i < XC_VPXENC_OPTIONS; i++) {
        const struct xc_vpxenc_option *option = &options[i].option;
        const int64_t value = settings->values[i];
        if (value == XC_VPXENC_DEFAULT) {
            continue;
        }
        if (value < option->minimum || value > option->maximum) {
            return xc_fail(err, XC_ERR_ARGUMENT, "%s: %lld is not from %lld to %lld", option->name, (long long)value,
                           (long long)option->minimum, (long long)option->maximum);
        }
        apply(out, i, value);
    }
    config->g_w = film->width;
    config->g_h = film->height;
    config->g_input_bit_depth = config->g_bit_depth;
    config->g_timebase = (struct vpx_rational){ settings->timebase.num, settings->timebase.den };
    if (settings->no_key_frames) {
        config->kf_mode = VPX_KF_DISABLED;
    }
    return XC_OK;
}

const char *xc_vpxenc_codec(void)
{
    return vpx_codec_iface_name(vpx_codec_vp8_cx());
}

const char *xc_vpxenc_parameter(const struct xc_vpxenc_settings *settings, const struct xc_vpxenc_film *film,
                                unsigned number, int *value)
{
    static const struct {
        const char *name;
        size_t field;
    } parameters[] = {
#define PARAMETER(name_) { #name_, offsetof(vpx_codec_enc_cfg_t, name_) }
        PARAMETER(g_usage),
        PARAMETER(g_threads),
        PARAMETER(g_profile),
        PARAMETER(g_w),
        PARAMETER(g_h),
        PARAMETER(g_bit_depth),
        PARAMETER(g_input_bit_depth),
        PARAMETER(g_timebase.num),
        PARAMETER(g_timebase.den),
        PARAMETER(g_error_resilient),
        PARAMETER(g_pass),
        PARAMETER(g_lag_in_frames),
        PARAMETER(rc_dropframe_thresh),
        PARAMETER(rc_resize_allowed),
        PARAMETER(rc_scaled_width),
        PARAMETER(rc_scaled_height),
        PARAMETER(rc_resize_up_thresh),
        PARAMETER(rc_resize_down_thresh),
        PARAMETER(rc_end_usage),
        PARAMETER(rc_target_bitrate),
        PARAMETER(rc_min_quantizer),
        PARAMETER(rc_max_quantizer),
        PARAMETER(rc_undershoot_pct),
        PARAMETER(rc_overshoot_pct),
        PARAMETER(rc_buf_sz),
        PARAMETER(rc_buf_initial_sz),
        PARAMETER(rc_buf_optimal_sz),
        PARAMETER(rc_2pass_vbr_bias_pct),
        PARAMETER(rc_2pass_vbr_minsection_pct),
        PARAMETER(rc_2pass_vbr_maxsection_pct),
        PARAMETER(rc_2pass_vbr_corpus_complexity),
        PARAMETER(kf_mode),
        PARAMETER(kf_min_dist),
        PARAMETER(kf_max_dist),
    };
    struct xc_vpxenc_config config;
    if (number >= sizeof parameters / sizeof *parameters || xc_vpxenc_configure(&config, settings, film, NULL)) {
        return NULL;
    }
    memcpy(value, (const char *)&config.config + parameters[number].field, sizeof *value);
    return parameters[number].name;
}
