/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-vpxenc: libvpx's VP8 encoder with vpxenc's command line and, byte for byte, its output. */
#include "vpxenc_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>

/* The IVF file that is written. */
struct ivf_output {
    struct xc_tool_output file;
    off_t start; /* where the header stands; -1: a pipe, or a file where every byte is put at the end */
    struct xc_ivf_header header;
};

static void write_header(struct ivf_output *output)
{
    struct xc_error err;
    xc_tool_check(xc_ivf_write_header(output->file.stream, &output->header, &err), output->file.name, &err);
}

static void open_output(struct ivf_output *output, const struct vpxenc_job *job)
{
    const vpx_codec_enc_cfg_t *config = &job->settings.config;
    output->header = (struct xc_ivf_header){ .width = (uint16_t)config->g_w,
                                             .height = (uint16_t)config->g_h,
                                             .rate_num = (uint32_t)config->g_timebase.den,
                                             .rate_den = (uint32_t)config->g_timebase.num };
    xc_tool_output_open(&output->file, job->output);
    const bool appends = fcntl(fileno(output->file.stream), F_GETFL) & O_APPEND;
    output->start = appends ? -1 : ftello(output->file.stream);
    write_header(output);
}

static enum xc_status write_frame(void *context, int64_t timestamp, const uint8_t *data, size_t size,
                                  struct xc_error *err)
{
    struct ivf_output *output = context;
    xc_tool_check(xc_ivf_write_frame(output->file.stream, (uint64_t)timestamp, data, size, err), output->file.name,
                  err);
    output->header.frame_count++;
    return XC_OK;
}

/* Puts the frame count into the header, if there is a way back to it. */
static void finish_output(struct ivf_output *output)
{
    FILE *stream = output->file.stream;
    if (output->start >= 0) {
        if (fseeko(stream, output->start, SEEK_SET)) {
            xc_tool_fail(output->file.name, "%s", strerror(errno));
        }
        write_header(output);
        if (fseeko(stream, 0, SEEK_END)) {
            xc_tool_fail(output->file.name, "%s", strerror(errno));
        }
    }
    xc_tool_output_commit(&output->file, 1);
}

static void write_statistics(const struct xc_bytes *statistics, const char *name)
{
    struct xc_tool_output output;
    xc_tool_output_open(&output, name);
    if (fwrite(statistics->data, 1, statistics->size, output.stream) != statistics->size) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
    xc_tool_output_commit(&output, 1);
}

static void read_statistics(struct xc_bytes *statistics, const char *name)
{
    enum { AT_ONCE = 64 * 1024 };
    struct xc_tool_input input;
    size_t got = AT_ONCE;
    xc_tool_input_open(&input, name);
    while (got == AT_ONCE) {
        uint8_t *grown = realloc(statistics->data, statistics->size + AT_ONCE);
        if (!grown) {
            xc_tool_fail(name, "out of memory");
        }
        statistics->data = grown;
        statistics->capacity = statistics->size + AT_ONCE;
        got = fread(statistics->data + statistics->size, 1, AT_ONCE, input.stream);
        statistics->size += got;
    }
    if (ferror(input.stream)) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
    if (!statistics->size) {
        xc_tool_fail(name, "is empty; make it with --pass=1");
    }
    xc_tool_input_close(&input);
}

/* The lines of vpxenc's --verbose. */
static void print_settings(const struct vpxenc_job *job, const struct film *film)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
#define FIELD(field) { #field, offsetof(vpx_codec_enc_cfg_t, field) }
        FIELD(g_usage),
        FIELD(g_threads),
        FIELD(g_profile),
        FIELD(g_w),
        FIELD(g_h),
        FIELD(g_bit_depth),
        FIELD(g_input_bit_depth),
        FIELD(g_timebase.num),
        FIELD(g_timebase.den),
        FIELD(g_error_resilient),
        FIELD(g_pass),
        FIELD(g_lag_in_frames),
        FIELD(rc_dropframe_thresh),
        FIELD(rc_resize_allowed),
        FIELD(rc_scaled_width),
        FIELD(rc_scaled_height),
        FIELD(rc_resize_up_thresh),
        FIELD(rc_resize_down_thresh),
        FIELD(rc_end_usage),
        FIELD(rc_target_bitrate),
        FIELD(rc_min_quantizer),
        FIELD(rc_max_quantizer),
        FIELD(rc_undershoot_pct),
        FIELD(rc_overshoot_pct),
        FIELD(rc_buf_sz),
        FIELD(rc_buf_initial_sz),
        FIELD(rc_buf_optimal_sz),
        FIELD(rc_2pass_vbr_bias_pct),
        FIELD(rc_2pass_vbr_minsection_pct),
        FIELD(rc_2pass_vbr_maxsection_pct),
        FIELD(rc_2pass_vbr_corpus_complexity),
        FIELD(kf_mode),
        FIELD(kf_min_dist),
        FIELD(kf_max_dist),
#undef FIELD
    };
    fprintf(stderr, "Codec: %s\n", vpx_codec_iface_name(vpx_codec_vp8_cx()));
    fprintf(stderr, "Source file: %s File Type: %s Format: %s\n", job->film.name, film->raw ? "RAW" : "Y4M",
            film->raw && job->film.yv12 ? "YV12" : "I420");
    fprintf(stderr, "Destination file: %s\nEncoder parameters:\n", job->output);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int value; /* all of those fields have its size */
        memcpy(&value, (const char *)&job->settings.config + fields[i].offset, sizeof value);
        fprintf(stderr, "    %-28s = %d\n", fields[i].name, value);
    }
}

/* The last line of vpxenc's --psnr. */
static void print_psnr(const struct xc_vpxenc_psnr *psnr)
{
    if (psnr->frames) {
        fprintf(stderr, "Stream 0 PSNR (Overall/Avg/Y/U/V) %.3f", xc_vpxenc_psnr_overall(psnr));
        for (int i = 0; i < 4; i++) {
            fprintf(stderr, " %.3f", psnr->sum[i] / psnr->frames);
        }
        fputc('\n', stderr);
    }
}

/* The size and rate of the film become the encoder's. */
static void fit_settings(struct xc_vpxenc_settings *settings, const struct xc_y4m_header *header)
{
    settings->config.g_w = header->width;
    settings->config.g_h = header->height;
    settings->config.g_input_bit_depth = settings->config.g_bit_depth;
    if (!settings->rate.den) {
        settings->config.g_timebase = (struct vpx_rational){ (int)header->rate_den, (int)header->rate_num };
    }
}

static void run_first_pass(const struct vpxenc_job *job, const struct xc_vpxenc_io *io, struct xc_bytes *statistics)
{
    struct xc_error err;
    struct xc_vpxenc_psnr psnr;
    xc_tool_check(xc_vpxenc_pass(&job->settings, VPX_RC_FIRST_PASS, io, statistics, &psnr, &err), job->film.name, &err);
    if (job->statistics) {
        write_statistics(statistics, job->statistics);
    }
}

static void run_last_pass(const struct vpxenc_job *job, const struct xc_vpxenc_io *io, struct xc_bytes *statistics)
{
    const enum vpx_enc_pass pass = job->passes == 2 ? VPX_RC_LAST_PASS : VPX_RC_ONE_PASS;
    struct xc_error err;
    struct xc_vpxenc_psnr psnr;
    if (pass == VPX_RC_LAST_PASS && job->only_pass) {
        read_statistics(statistics, job->statistics);
    }
    xc_tool_check(xc_vpxenc_pass(&job->settings, pass, io, statistics, &psnr, &err), job->film.name, &err);
    finish_output(io->write_context);
    print_psnr(&psnr);
}

int main(int argc, char **argv)
{
    struct vpxenc_job job;
    struct film film;
    struct ivf_output output;
    struct xc_bytes statistics = XC_BYTES_INIT;
    vpxenc_parse(&job, argc, argv);
    const bool first_pass = job.passes == 2 && job.only_pass != 2;
    const bool last_pass = job.passes == 1 || job.only_pass != 1;
    const struct xc_vpxenc_io io = {
        .read = film_read, .read_context = &film, .write = write_frame, .write_context = &output
    };

    film_open(&film, &job.film);
    fit_settings(&job.settings, &film.y4m.header);
    if (job.verbose && job.only_pass != 2) {
        print_settings(&job, &film);
    }
    if (last_pass) {
        open_output(&output, &job);
    }
    if (first_pass) {
        run_first_pass(&job, &io, &statistics);
    }
    if (first_pass && last_pass) {
        film_rewind(&film);
    }
    if (last_pass) {
        run_last_pass(&job, &io, &statistics);
    }
    xc_bytes_clear(&statistics);
    film_close(&film);
    return 0;
}
