#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv/compare.h>

#include "enc_modes.h"

static double ssim_of(const struct xc_picture *a, const struct xc_picture *b)
{
    return CalcFrameSsim(a->plane[XC_PLANE_Y].data, (int)a->plane[XC_PLANE_Y].stride, b->plane[XC_PLANE_Y].data,
                         (int)b->plane[XC_PLANE_Y].stride, a->width, a->height);
}

/* What a quantizer is tried for. */
struct goal {
    double ssim;
    size_t size; /* if not 0, in place of ssim */
};

static bool good_enough(const struct xc_encoder *encoder, const struct xc_picture *picture,
                        const struct xc_bytes *bytes, const struct goal *goal)
{
    return goal->size ? bytes->size <= goal->size
                      : ssim_of(picture, xc_encoder_state(encoder)->reference[XC_LAST]) >= goal->ssim;
}

static void encode_at(struct xc_encoder *encoder, const struct xc_picture *picture, struct xc_encode_params *params,
                      unsigned quantizer, struct xc_bytes *bytes, const char *name)
{
    struct xc_error err;
    params->quantizer = quantizer;
    xc_tool_check(xc_encode(encoder, picture, params, bytes, &err), name, &err);
}

/* Bisects for the quantizer that reaches the goal at the least cost: the coarsest for a quality, the finest for a size.
 * Where none does, the one that comes nearest. */
static void search_quantizer(struct xc_encoder *encoder, const struct xc_picture *picture,
                             struct xc_encode_params *params, const struct goal *goal, struct xc_bytes *bytes,
                             const char *name)
{
    struct xc_state before = xc_tool_encoder_state(encoder);
    struct xc_error err;
    int good = goal->size ? 127 : 0, bad = goal->size ? -1 : 128; /* assumed, not tried */
    int last = -1;
    while (abs(good - bad) > 1) {
        last = (good + bad) / 2;
        encode_at(encoder, picture, params, (unsigned)last, bytes, name);
        *(good_enough(encoder, picture, bytes, goal) ? &good : &bad) = last;
        xc_tool_check(xc_encoder_set_state(encoder, &before, &err), NULL, &err);
    }
    encode_at(encoder, picture, params, (unsigned)good, bytes, name);
    xc_state_clear(&before);
}

/* The next size; behind the last line, the last size, before, goes on. It is 0 in front of the first line. */
static size_t next_size(FILE *sizes, size_t before, const char *name)
{
    char line[64];
    if (!fgets(line, sizeof line, sizes)) {
        if (ferror(sizes) || !before) {
            xc_tool_fail(name, "%s", ferror(sizes) ? strerror(errno) : "has no line");
        }
        return before;
    }
    const size_t length = strcspn(line, "\r\n");
    const bool ends = !line[length] || !strcmp(line + length, "\n") || !strcmp(line + length, "\r\n");
    line[length] = '\0';
    errno = 0;
    const unsigned long long size = strtoull(line, NULL, 10);
    if (!ends || strspn(line, "0123456789") < length || errno || size == 0) {
        xc_tool_fail(name, "'%s' is not a size in bytes", line);
    }
    return (size_t)size;
}

/* libyuv's windows of 8x8 samples end before the last sample of a row and of a column. */
static void check_ssim_exists(const struct xc_tool_source *source)
{
    if (source->width <= 8 || source->height <= 8) {
        xc_tool_fail(source->name, "is of %ux%u, too small for SSIM; choose the quantizer with -y or -F", source->width,
                     source->height);
    }
}

void encode_primary(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                    const struct primary_options *options)
{
    struct xc_tool_input sizes;
    struct goal goal = { .ssim = options->ssim };
    if (options->frame_sizes) {
        xc_tool_input_open(&sizes, options->frame_sizes);
    } else if (options->quantizer < 0) {
        check_ssim_exists(source);
    }
    struct xc_picture *picture;
    while ((picture = xc_tool_source_next(source))) {
        struct xc_bytes bytes = XC_BYTES_INIT;
        struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
        params.key_frame = xc_encoder_state(encoder)->width == 0;
        params.refresh_golden = params.refresh_altref = false;
        if (options->quantizer >= 0) {
            encode_at(encoder, picture, &params, (unsigned)options->quantizer, &bytes, source->name);
        } else {
            if (options->frame_sizes) {
                goal.size = next_size(sizes.stream, goal.size, options->frame_sizes);
            }
            search_quantizer(encoder, picture, &params, &goal, &bytes, source->name);
        }
        xc_tool_chunk_append(chunk, &bytes, chunk->shown);
        xc_picture_unref(picture);
    }
    if (options->frame_sizes) {
        xc_tool_input_close(&sizes);
    }
    if (source->count == 0) {
        xc_tool_fail(source->name, "has no frame");
    }
}
