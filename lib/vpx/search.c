/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpx/search.h"

#include "bitstream/header_rewrite.h"
#include "excamera/quantizer.h"
#include "vpx/image.h"

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

/* libvpx makes a golden frame this many frames after a key frame, whatever its flags say: DEFAULT_GF_INTERVAL of its
 * vp8/encoder/onyx_int.h. */
enum { GOLDEN_INTERVAL = 7 };

struct xc_search {
    struct xc_search_options options;
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t config;
    uint8_t *segment_map; /* room for one; libvpx wants one that it could write to */
    bool segmented;       /* libvpx has been given segments */
    bool open;            /* codec is initialized and has not failed */
    vpx_codec_pts_t next_pts;
    unsigned golden_countdown;     /* how many frames libvpx still leaves without a golden one */
    struct xc_state shadow;        /* the state that libvpx's stream is in, without pictures */
    unsigned holds[XC_REFERENCES]; /* a number for the picture that each reference is; equal numbers, one picture */
    unsigned pictures;             /* numbers given so far */
};

static const int no_reference[XC_REFERENCES] = { VP8_EFLAG_NO_REF_LAST, VP8_EFLAG_NO_REF_GF, VP8_EFLAG_NO_REF_ARF };

unsigned xc_search_quantizer(unsigned quantizer)
{
    return xc_quantizer_of_level(xc_level_of_quantizer(quantizer));
}

static enum xc_status fail_codec(struct xc_search *search, struct xc_error *err, const char *what)
{
    const char *detail = vpx_codec_error_detail(&search->codec);
    return xc_fail(err, search->codec.err == VPX_CODEC_MEM_ERROR ? XC_ERR_MEMORY : XC_ERR_UNSUPPORTED,
                   "libvpx cannot %s: %s%s%s", what, vpx_codec_error(&search->codec), detail ? ": " : "",
                   detail ? detail : "");
}

static void close_codec(struct xc_search *search)
{
    if (search->open) {
        vpx_codec_destroy(&search->codec);
    }
    search->open = false;
}

enum xc_status xc_search_new(struct xc_search **out, const struct xc_search_options *options, struct xc_error *err)
{
    *out = NULL;
    const unsigned limit = XC_MAX_ENCODED;
    if (!options->width || !options->height || options->width > limit || options->height > limit) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "libvpx cannot search in pictures of %u x %u, only in 1 x 1 to %u x %u",
                       options->width, options->height, limit, limit);
    }
    struct xc_search *search = calloc(1, sizeof *search);
    if (search) {
        search->segment_map = malloc((size_t)((options->width + 15) / 16) * ((options->height + 15) / 16));
    }
    if (!search || !search->segment_map) {
        free(search);
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for the encoder");
    }
    search->options = *options;
    *out = search;
    return XC_OK;
}

void xc_search_free(struct xc_search *search)
{
    if (!search) {
        return;
    }
    close_codec(search);
    xc_state_clear(&search->shadow);
    free(search->segment_map);
    free(search);
}

/* Sets how hard libvpx looks at a picture: as the options say, or, where there is nothing to find, as fast as its "good
 * quality" mode gets. Its realtime mode is faster, but leaves traces: what followed was 4 % larger. Returns whether it
 * failed. */
static bool set_effort(struct xc_search *search, bool full)
{
    const struct xc_search_options *options = &search->options;
    const bool tune_ssim = full && options->tune_ssim;
    return vpx_codec_control(&search->codec, VP8E_SET_CPUUSED, full ? options->cpu_used : 5) ||
           vpx_codec_control(&search->codec, VP8E_SET_TUNING, tune_ssim ? VP8_TUNE_SSIM : VP8_TUNE_PSNR);
}

/* A new encoder. Its rate control is left with nothing to do: a bit rate that is never reached (libvpx lowers it to
 * that of raw pictures, and stays free of overflow up to 1 Gbit/s, with no more than a second of buffer), and no
 * frame ever dropped. */
static enum xc_status open_codec(struct xc_search *search, bool altref_ahead, struct xc_error *err)
{
    const struct xc_search_options *options = &search->options;
    close_codec(search);
    vpx_codec_enc_cfg_t *config = &search->config;
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0)) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "this libvpx has no VP8 encoder");
    }
    config->g_w = (options->width + 15) / 16 * 16;
    config->g_h = (options->height + 15) / 16 * 16;
    config->g_threads = 1;
    config->g_timebase = (struct vpx_rational){ 1, 30 };
    config->g_pass = VPX_RC_ONE_PASS;
    config->g_lag_in_frames = 0;
    config->kf_mode = VPX_KF_DISABLED;
    config->rc_end_usage = VPX_Q;
    config->rc_target_bitrate = 1000000;
    config->rc_buf_sz = config->rc_buf_initial_sz = config->rc_buf_optimal_sz = 1000;
    config->rc_dropframe_thresh = 0;
    config->rc_resize_allowed = 0;
    if (vpx_codec_enc_init(&search->codec, vpx_codec_vp8_cx(), config, 0)) {
        return fail_codec(search, err, "start its encoder");
    }
    search->open = true;
    search->segmented = false;
    search->next_pts = 0;
    xc_state_clear(&search->shadow);
    if (vpx_codec_control(&search->codec, VP8E_SET_ENABLEAUTOALTREF, altref_ahead) || set_effort(search, true)) {
        return fail_codec(search, err, "take its options");
    }
    return XC_OK;
}

/* The frame is exactly of this level: the least and the greatest allowed. Error-resilient frames do not bring the next
 * golden frame nearer, which is what we use them for; besides, they leave libvpx's probabilities as they are. */
static enum xc_status configure(struct xc_search *search, unsigned level, bool resilient, struct xc_error *err)
{
    search->config.rc_min_quantizer = search->config.rc_max_quantizer = level;
    search->config.g_error_resilient = resilient ? VPX_ERROR_RESILIENT_DEFAULT : 0;
    if (vpx_codec_enc_config_set(&search->codec, &search->config) ||
        vpx_codec_control(&search->codec, VP8E_SET_CQ_LEVEL, level)) {
        return fail_codec(search, err, "change its settings");
    }
    return XC_OK;
}

/* Encodes one picture and parses what comes out, while the shadow follows. */
static enum xc_status encode_picture(struct xc_search *search, struct xc_frame *frame, const struct xc_picture *source,
                                     vpx_enc_frame_flags_t flags, struct xc_error *err)
{
    vpx_image_t image;
    xc_vpx_wrap(&image, source);
    if (vpx_codec_encode(&search->codec, &image, search->next_pts++, 1, flags, VPX_DL_GOOD_QUALITY)) {
        return fail_codec(search, err, "encode a picture");
    }
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    do {
        packet = vpx_codec_get_cx_data(&search->codec, &iterator);
    } while (packet && packet->kind != VPX_CODEC_CX_FRAME_PKT);
    if (!packet) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "libvpx dropped a frame");
    }
    enum xc_status status = xc_frame_parse(frame, &search->shadow, packet->data.frame.buf, packet->data.frame.sz, err);
    return status == XC_OK ? xc_state_follow_header(&search->shadow, frame, err) : status;
}

static enum xc_status new_grey(struct xc_picture **out, const struct xc_search_options *options, struct xc_error *err)
{
    enum xc_status status = xc_picture_new(out, NULL, options->width, options->height, err);
    for (int i = 0; !status && i < 3; i++) {
        const struct xc_plane *plane = &(*out)->plane[i];
        for (unsigned y = 0; y < xc_plane_coded_height(*out, i); y++) {
            memset(plane->data + (ptrdiff_t)y * plane->stride, 128, xc_plane_coded_width(*out, i));
        }
    }
    return status;
}

/* After a key frame, libvpx keeps one buffer for all of its references; replacing one would replace them all. Two
 * interframes that refresh one reference each pull them apart. All of it is flat grey, which costs next to nothing,
 * and leaves libvpx's probabilities as they were.
 *
 * If the first of the two refreshes alt-ref and is not error-resilient, libvpx takes alt-ref for a later picture from
 * then on (source_alt_ref_active in its vp8/encoder/onyx_if.c), provided that it may make such frames by itself, too,
 * which it can't without a lag. */
static enum xc_status encode_grey(struct xc_search *search, struct xc_frame *frame, bool altref_ahead,
                                  struct xc_error *err)
{
    struct xc_picture *grey;
    enum xc_status status = new_grey(&grey, &search->options, err);
    if (status) {
        return status;
    }
    const vpx_enc_frame_flags_t steps[] = {
        VPX_EFLAG_FORCE_KF,
        altref_ahead ? VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_FORCE_ARF
                     : VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_FORCE_GF | VP8_EFLAG_NO_UPD_ARF,
        VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF,
    };
    if (set_effort(search, false)) {
        status = fail_codec(search, err, "set cpu-used");
    }
    for (size_t i = 0; !status && i < sizeof steps / sizeof *steps; i++) {
        const bool resilient = i > (altref_ahead ? 1 : 0);
        status = configure(search, 0, resilient, err);
        if (!status) {
            status = encode_picture(search, frame, grey, steps[i] | VP8_EFLAG_NO_UPD_ENTROPY, err);
        }
    }
    if (!status && set_effort(search, true)) {
        status = fail_codec(search, err, "set cpu-used");
    }
    search->golden_countdown = GOLDEN_INTERVAL - 1;
    xc_picture_unref(grey);
    return status;
}

static enum xc_status set_references(struct xc_search *search, const struct xc_state *state, struct xc_error *err)
{
    static const vpx_ref_frame_type_t type[XC_REFERENCES] = { VP8_LAST_FRAME, VP8_GOLD_FRAME, VP8_ALTR_FRAME };
    for (int i = 0; i < XC_REFERENCES; i++) {
        vpx_ref_frame_t reference = { .frame_type = type[i] };
        xc_vpx_wrap(&reference.img, state->reference[i]);
        if (vpx_codec_control(&search->codec, VP8_SET_REFERENCE, &reference)) {
            return fail_codec(search, err, "take a reference picture");
        }
        int same = 0;
        while (state->reference[same] != state->reference[i]) {
            same++;
        }
        search->holds[i] = same < i ? search->holds[same] : search->pictures++;
    }
    return XC_OK;
}

enum xc_status xc_search_set_state(struct xc_search *search, const struct xc_state *state, bool altref_ahead,
                                   struct xc_error *err)
{
    const struct xc_search_options *options = &search->options;
    if (state->width != options->width || state->height != options->height) {
        return xc_fail(err, XC_ERR_MISMATCH, "the state is of %u x %u, the pictures are of %u x %u", state->width,
                       state->height, options->width, options->height);
    }
    struct xc_frame frame = XC_FRAME_INIT;
    enum xc_status status = open_codec(search, altref_ahead, err);
    if (status == XC_OK) {
        status = encode_grey(search, &frame, altref_ahead, err);
    }
    if (status == XC_OK) {
        status = set_references(search, state, err);
    }
    if (status != XC_OK) {
        close_codec(search);
    }
    xc_frame_clear(&frame);
    return status;
}

/* References that libvpx keeps in one buffer can only be replaced by one picture. */
static bool can_replace(const struct xc_search *search, const struct xc_state *state)
{
    for (int i = 0; i < XC_REFERENCES; i++) {
        for (int j = 0; j < i; j++) {
            if (search->holds[i] == search->holds[j] && state->reference[i] != state->reference[j]) {
                return false;
            }
        }
    }
    return search->open && state->width == search->options.width && state->height == search->options.height;
}

enum xc_status xc_search_replace_state(struct xc_search *search, const struct xc_state *state, bool altref_ahead,
                                       struct xc_error *err)
{
    if (!can_replace(search, state)) {
        return xc_search_set_state(search, state, altref_ahead, err);
    }
    enum xc_status status = set_references(search, state, err);
    if (status) {
        close_codec(search);
    }
    return status;
}

/* There is always a flag about what to update, so that libvpx never decides that by itself. A reference that holds
 * the same picture as one before it is left out: searching it again gains nothing. */
static vpx_enc_frame_flags_t interframe_flags(const struct xc_search *search, const struct xc_search_request *request)
{
    const bool use[XC_REFERENCES] = { request->use_last, request->use_golden, request->use_altref };
    vpx_enc_frame_flags_t flags = 0;
    for (int i = 0; i < XC_REFERENCES; i++) {
        bool searched = !use[i];
        for (int j = 0; j < i; j++) {
            searched |= use[j] && search->holds[j] == search->holds[i];
        }
        if (searched) {
            flags |= no_reference[i];
        }
    }
    flags |= request->refresh_last ? 0 : VP8_EFLAG_NO_UPD_LAST;
    flags |= request->refresh_golden ? VP8_EFLAG_FORCE_GF : VP8_EFLAG_NO_UPD_GF;
    flags |= request->refresh_altref ? VP8_EFLAG_FORCE_ARF : VP8_EFLAG_NO_UPD_ARF;
    return flags;
}

/* libvpx has its own mind about golden frames, quantizers and more, all of which open_codec and the flags should have
 * silenced. */
static bool is_as_asked(const struct xc_frame *frame, const struct xc_search_request *request)
{
    const struct xc_frame_header *header = &frame->header;
    if (header->key_frame != request->key_frame || header->quantizer != xc_search_quantizer(request->quantizer) ||
        header->segmentation != (request->segment_map != NULL)) {
        return false;
    }
    if (request->key_frame) {
        return true;
    }
    if (header->refresh_last != request->refresh_last || header->refresh_golden != request->refresh_golden ||
        header->refresh_altref != request->refresh_altref || header->copy_to_golden || header->copy_to_altref) {
        return false;
    }
    const bool use[] = { true, request->use_last, request->use_golden, request->use_altref };
    for (size_t i = 0; i < (size_t)frame->mb_cols * frame->mb_rows; i++) {
        if (!use[frame->macroblocks[i].reference]) {
            return false;
        }
    }
    return true;
}

/* Puts into the header what a decoder has to know that did not see libvpx's earlier frames. */
static void make_self_contained(const struct xc_search *search, struct xc_frame *frame)
{
    struct xc_frame_header *header = &frame->header;
    if (header->key_frame) {
        header->width = (uint16_t)search->options.width;
        header->height = (uint16_t)search->options.height;
    }
    xc_frame_make_explicit(frame, &search->shadow); /* which has followed the frame, and is as good as before it */
}

static void number_references(struct xc_search *search, const struct xc_frame_header *header)
{
    const unsigned number = search->pictures++;
    if (header->key_frame || header->refresh_last) {
        search->holds[XC_LAST] = number;
    }
    if (header->key_frame || header->refresh_golden) {
        search->holds[XC_GOLDEN] = number;
    }
    if (header->key_frame || header->refresh_altref) {
        search->holds[XC_ALTREF] = number;
    }
}

static enum xc_status set_segments(struct xc_search *search, const struct xc_search_request *request,
                                   struct xc_error *err)
{
    vpx_roi_map_t roi = {
        .rows = (search->options.height + 15) / 16,
        .cols = (search->options.width + 15) / 16,
    };
    if (!request->segment_map && !search->segmented) {
        return XC_OK;
    }
    if (request->segment_map) {
        memcpy(search->segment_map, request->segment_map, (size_t)roi.rows * roi.cols);
        roi.roi_map = search->segment_map;
    }
    for (int i = 0; i < XC_SEGMENTS; i++) {
        const int offset = request->segment_quantizer[i], level = (int)xc_level_of_quantizer((unsigned)abs(offset));
        roi.delta_q[i] = offset < 0 ? -level : level;
    }
    search->segmented = request->segment_map != NULL;
    return vpx_codec_control(&search->codec, VP8E_SET_ROI_MAP, &roi) ? fail_codec(search, err, "take a segment map")
                                                                     : XC_OK;
}

static enum xc_status encode_as_asked(struct xc_search *search, struct xc_frame *frame, const struct xc_picture *source,
                                      const struct xc_search_request *request, struct xc_error *err)
{
    if (request->key_frame) {
        search->golden_countdown = GOLDEN_INTERVAL;
    }
    const bool resilient = search->golden_countdown == 0;
    enum xc_status status = configure(search, xc_level_of_quantizer(request->quantizer), resilient, err);
    const vpx_enc_frame_flags_t flags = request->key_frame ? VPX_EFLAG_FORCE_KF : interframe_flags(search, request);
    if (status == XC_OK) {
        status = set_segments(search, request, err);
    }
    if (status == XC_OK) {
        status = encode_picture(search, frame, source, flags, err);
    }
    if (!resilient) {
        search->golden_countdown--;
    }
    if (status == XC_OK && !is_as_asked(frame, request)) {
        status = xc_fail(err, XC_ERR_UNSUPPORTED, "this libvpx encodes other frames than it is asked for");
    }
    return status;
}

enum xc_status xc_search_encode(struct xc_search *search, struct xc_frame *frame, const struct xc_picture *source,
                                const struct xc_search_request *request, struct xc_error *err)
{
    const struct xc_search_options *options = &search->options;
    if (source->width != options->width || source->height != options->height) {
        return xc_fail(err, XC_ERR_MISMATCH, "a picture of %u x %u among those of %u x %u", source->width,
                       source->height, options->width, options->height);
    }
    enum xc_status status = XC_OK;
    if (!search->open && !request->key_frame) {
        return xc_fail(err, XC_ERR_ARGUMENT, "an interframe needs a state to predict from");
    }
    if (!search->open) {
        status = open_codec(search, false, err);
    }
    if (status == XC_OK) {
        status = encode_as_asked(search, frame, source, request, err);
    }
    if (status != XC_OK) {
        close_codec(search);
        return status;
    }
    number_references(search, &frame->header);
    make_self_contained(search, frame);
    return XC_OK;
}
