/* One or two passes of libvpx's VP8 encoder over a film. Whatever ends up in the file is done as vpxenc does it, byte
 * for byte: timestamps, when the encoder is flushed, and the frame count, which the header gets at the end. */
#include "vpxenc_encode.h"

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>

/* The film as it comes by, once per pass. */
struct film {
    struct xc_tool_y4m y4m;
    struct xc_picture *picture;
    FILE *spool;    /* during the first of two passes over a pipe: a copy for the second one; NULL otherwise */
    int64_t frames; /* read in this pass */
};

struct encoder {
    const struct xc_vpxenc_job *job;
    vpx_codec_ctx_t codec;
    struct xc_tool_output output;
    off_t output_start; /* -1: a pipe, or a file where every byte is put at the end */
    struct xc_ivf_header header;
    vpx_fixed_buf_t statistics; /* of the first pass */
};

static void check_codec(struct encoder *encoder, vpx_codec_err_t status, const char *what)
{
    if (!status) {
        return;
    }
    const char *detail = vpx_codec_error_detail(&encoder->codec);
    xc_tool_fail(encoder->job->input, "libvpx cannot %s: %s%s%s", what, vpx_codec_err_to_string(status),
                 detail ? ": " : "", detail ? detail : "");
}

static void open_film(struct film *film, const struct xc_vpxenc_job *job)
{
    struct xc_error err;
    *film = (struct film){ 0 };
    xc_tool_y4m_open(&film->y4m, job->input);
    const struct xc_y4m_header *header = &film->y4m.header;
    xc_tool_check(xc_picture_new(&film->picture, NULL, header->width, header->height, &err), job->input, &err);
    if (job->passes == 1 || !fseeko(film->y4m.input.stream, 0, SEEK_CUR)) {
        return;
    }
    film->spool = tmpfile();
    if (!film->spool) {
        xc_tool_fail(job->input, "no temporary file for the second pass: %s", strerror(errno));
    }
    xc_tool_check(xc_y4m_write_header(film->spool, header, &err), "temporary file for the second pass", &err);
}

static void rewind_film(struct film *film)
{
    struct xc_error err;
    struct xc_tool_input *input = &film->y4m.input;
    if (film->spool) {
        xc_tool_input_close(input);
        *input = (struct xc_tool_input){ .stream = film->spool, .name = input->name };
        film->spool = NULL;
    }
    if (fseeko(input->stream, 0, SEEK_SET)) {
        xc_tool_fail(input->name, "%s", strerror(errno));
    }
    xc_tool_check(xc_y4m_read_header(&film->y4m.header, input->stream, &err), input->name, &err);
    film->y4m.frames = 0;
    film->frames = 0;
}

static bool read_film(struct film *film, int64_t limit)
{
    struct xc_error err;
    if ((limit && film->frames >= limit) || !xc_tool_y4m_next(&film->y4m, film->picture)) {
        return false;
    }
    film->frames++;
    if (film->spool) {
        xc_tool_check(xc_y4m_write_frame(film->spool, film->picture, &err), "temporary file for the second pass", &err);
    }
    return true;
}

/* Fails if frame number ends beyond what frame_start can compute in 64 bits. */
static void check_frame_number(const struct xc_vpxenc_job *job, int64_t number)
{
    const int64_t factor = (int64_t)job->config.g_timebase.den * job->rate.den;
    if (factor && number >= INT64_MAX / factor) {
        xc_tool_fail(job->input, "frame %lld: its timestamp is too large in this timebase", (long long)number);
    }
}

/* Where frame number begins, in units of the timebase. */
static int64_t frame_start(const struct xc_vpxenc_job *job, int64_t number)
{
    const struct vpx_rational *timebase = &job->config.g_timebase;
    if (!job->rate.den) {
        return number;
    }
    return timebase->den * number * job->rate.den / timebase->num / job->rate.num;
}

/* picture NULL: there is no more, finish what has been delayed. */
static void encode_picture(struct encoder *encoder, const struct xc_picture *picture, int64_t number)
{
    vpx_image_t image;
    if (picture) {
        vpx_img_wrap(&image, VPX_IMG_FMT_I420, picture->width, picture->height, 1, picture->plane[XC_PLANE_Y].data);
        for (int i = 0; i < 3; i++) {
            image.planes[i] = picture->plane[i].data;
            image.stride[i] = (int)picture->plane[i].stride;
        }
    }
    check_frame_number(encoder->job, number);
    const int64_t start = frame_start(encoder->job, number);
    const int64_t duration = frame_start(encoder->job, number + 1) - start;
    check_codec(encoder,
                vpx_codec_encode(&encoder->codec, picture ? &image : NULL, start, (unsigned long)duration, 0,
                                 encoder->job->deadline),
                "encode a frame");
}

static void keep_statistics(struct encoder *encoder, const vpx_fixed_buf_t *packet)
{
    vpx_fixed_buf_t *kept = &encoder->statistics;
    char *grown = realloc(kept->buf, kept->sz + packet->sz);
    if (!grown) {
        xc_tool_fail(encoder->job->input, "out of memory for the first pass");
    }
    memcpy(grown + kept->sz, packet->buf, packet->sz);
    kept->buf = grown;
    kept->sz += packet->sz;
}

/* Takes what the encoder has ready; false: nothing that would be part of the output. */
static bool collect_packets(struct encoder *encoder)
{
    struct xc_error err;
    bool got_frame = false;
    vpx_codec_iter_t iterator = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&encoder->codec, &iterator))) {
        if (packet->kind == VPX_CODEC_STATS_PKT) {
            keep_statistics(encoder, &packet->data.twopass_stats);
        } else if (packet->kind == VPX_CODEC_CX_FRAME_PKT) {
            xc_tool_check(xc_ivf_write_frame(encoder->output.stream, (uint64_t)packet->data.frame.pts,
                                             packet->data.frame.buf, packet->data.frame.sz, &err),
                          encoder->output.name, &err);
            encoder->header.frame_count++;
            got_frame = true;
        }
    }
    return got_frame;
}

static void run_pass(struct encoder *encoder, struct film *film, enum vpx_enc_pass pass)
{
    const struct xc_vpxenc_job *job = encoder->job;
    vpx_codec_enc_cfg_t config = job->config;
    config.g_pass = pass;
    if (pass == VPX_RC_LAST_PASS) {
        config.rc_twopass_stats_in = encoder->statistics;
    }
    check_codec(encoder, vpx_codec_enc_init(&encoder->codec, vpx_codec_vp8_cx(), &config, 0), "start its encoder");
    for (int i = 0; i < job->control_count; i++) {
        check_codec(encoder, vpx_codec_control_(&encoder->codec, job->controls[i].id, job->controls[i].value),
                    "take its options");
    }

    check_frame_number(job, job->skip);
    bool got_picture, got_frame = false;
    do {
        got_picture = read_film(film, job->limit);
        if (film->frames > job->skip) {
            encode_picture(encoder, got_picture ? film->picture : NULL, film->frames - 1);
            got_frame = collect_packets(encoder);
        }
    } while (got_picture || got_frame);
    if (film->frames <= job->skip) {
        xc_tool_fail(job->input, "no frame to encode");
    }
    vpx_codec_destroy(&encoder->codec);
}

static void write_header(struct encoder *encoder)
{
    struct xc_error err;
    xc_tool_check(xc_ivf_write_header(encoder->output.stream, &encoder->header, &err), encoder->output.name, &err);
}

/* Puts the frame count into the header, if there is a way back to it. */
static void complete_header(struct encoder *encoder)
{
    FILE *stream = encoder->output.stream;
    if (encoder->output_start < 0) {
        return;
    }
    if (fseeko(stream, encoder->output_start, SEEK_SET)) {
        xc_tool_fail(encoder->output.name, "%s", strerror(errno));
    }
    write_header(encoder);
    if (fseeko(stream, 0, SEEK_END)) {
        xc_tool_fail(encoder->output.name, "%s", strerror(errno));
    }
}

void xc_vpxenc_run(struct xc_vpxenc_job *job)
{
    struct film film;
    open_film(&film, job);
    const struct xc_y4m_header *header = &film.y4m.header;
    job->config.g_w = header->width;
    job->config.g_h = header->height;
    if (!job->rate.den) {
        job->config.g_timebase = (struct vpx_rational){ (int)header->rate_den, (int)header->rate_num };
    }
    struct encoder encoder = {
        .job = job,
        .header = { .width = header->width,
                    .height = header->height,
                    .rate_num = (uint32_t)job->config.g_timebase.den,
                    .rate_den = (uint32_t)job->config.g_timebase.num },
    };
    xc_tool_output_open(&encoder.output, job->output);
    const bool appends = fcntl(fileno(encoder.output.stream), F_GETFL) & O_APPEND;
    encoder.output_start = appends ? -1 : ftello(encoder.output.stream);
    write_header(&encoder);
    if (job->passes == 2) {
        run_pass(&encoder, &film, VPX_RC_FIRST_PASS);
        rewind_film(&film);
    }
    run_pass(&encoder, &film, job->passes == 2 ? VPX_RC_LAST_PASS : VPX_RC_ONE_PASS);
    complete_header(&encoder);
    xc_tool_output_commit(&encoder.output, 1);
    xc_tool_input_close(&film.y4m.input);
    xc_picture_unref(film.picture);
    free(encoder.statistics.buf);
}
