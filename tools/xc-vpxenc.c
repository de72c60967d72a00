/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-vpxenc: libvpx's VP8 encoder with vpxenc's command line and, byte for byte, its output. */
#include "vpxenc_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

static void open_output(struct ivf_output *output, const struct vpxenc_job *job, const struct xc_y4m_header *film)
{
    output->header = (struct xc_ivf_header){ .width = film->width,
                                             .height = film->height,
                                             .rate_num = (uint32_t)job->settings.timebase.den,
                                             .rate_den = (uint32_t)job->settings.timebase.num };
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

/* statistics must be empty. */
static void read_statistics(struct xc_bytes *statistics, const char *name)
{
    enum { AT_ONCE = 64 * 1024 };
    struct xc_tool_input input;
    size_t got;
    xc_tool_input_open(&input, name);
    do {
        uint8_t *grown = realloc(statistics->data, statistics->size + AT_ONCE);
        if (!grown) {
            xc_tool_fail(name, "%s", strerror(errno));
        }
        statistics->data = grown;
        statistics->capacity = statistics->size + AT_ONCE;
        got = fread(grown + statistics->size, 1, AT_ONCE, input.stream);
        statistics->size += got;
    } while (got == AT_ONCE);
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
    fprintf(stderr, "Codec: %s\n", xc_vpxenc_codec());
    fprintf(stderr, "Source file: %s File Type: %s Format: %s\n", job->film.name, film->raw ? "RAW" : "Y4M",
            film->raw && job->film.yv12 ? "YV12" : "I420");
    fprintf(stderr, "Destination file: %s\nEncoder parameters:\n", job->output);
    const char *name;
    int value;
    for (unsigned i = 0; (name = xc_vpxenc_parameter(&job->settings, &film->pictures, i, &value)); i++) {
        fprintf(stderr, "    %-28s = %d\n", name, value);
    }
}

/* The last line of vpxenc's --psnr. */
static void print_psnr(const struct xc_vpxenc_psnr *psnr)
{
    if (psnr->frames) {
        fprintf(stderr, "Stream 0 PSNR (Overall/Avg/Y/U/V) %.3f %.3f %.3f %.3f %.3f\n", psnr->overall, psnr->average,
                psnr->planes[0], psnr->planes[1], psnr->planes[2]);
    }
}

static void run_first_pass(const struct vpxenc_job *job, struct film *film, struct xc_bytes *statistics)
{
    struct xc_error err;
    xc_tool_check(xc_vpxenc_run(&job->settings, XC_VPXENC_FIRST_PASS, &film->pictures, NULL, statistics, NULL, &err),
                  job->film.name, &err);
    if (job->statistics) {
        write_statistics(statistics, job->statistics);
    }
}

static void run_last_pass(const struct vpxenc_job *job, struct film *film, struct ivf_output *output,
                          struct xc_bytes *statistics)
{
    const enum xc_vpxenc_pass pass = job->passes == 2 ? XC_VPXENC_LAST_PASS : XC_VPXENC_ONLY_PASS;
    const struct xc_vpxenc_sink sink = { write_frame, output };
    struct xc_vpxenc_psnr psnr = { .frames = 0 };
    struct xc_error err;
    if (pass == XC_VPXENC_LAST_PASS && job->only_pass) {
        read_statistics(statistics, job->statistics);
    }
    xc_tool_check(xc_vpxenc_run(&job->settings, pass, &film->pictures, &sink, statistics, &psnr, &err), job->film.name,
                  &err);
    finish_output(output);
    print_psnr(&psnr);
}

int main(int argc, char **argv)
{
    struct vpxenc_job job;
    struct film film;
    struct ivf_output output = { .start = -1 };
    struct xc_bytes statistics = XC_BYTES_INIT;
    vpxenc_parse(&job, argc, argv);
    const bool first_pass = job.passes == 2 && job.only_pass != 2;
    const bool last_pass = job.passes == 1 || job.only_pass != 1;

    film_open(&film, &job.film);
    if (!job.settings.rate.den) {
        job.settings.timebase =
            (struct xc_vpxenc_fraction){ (int)film.y4m.header.rate_den, (int)film.y4m.header.rate_num };
    }
    if (job.verbose && job.only_pass != 2) {
        print_settings(&job, &film);
    }
    if (last_pass) {
        open_output(&output, &job, &film.y4m.header);
    }
    if (first_pass) {
        run_first_pass(&job, &film, &statistics);
    }
    if (first_pass && last_pass) {
        film_rewind(&film);
    }
    if (last_pass) {
        run_last_pass(&job, &film, &output, &statistics);
    }
    xc_bytes_clear(&statistics);
    film_close(&film);
    return 0;
}
