/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-ssim: how alike two films are, picture by picture. */
#include "json.h"
#include "tool-chunk.h"

#include <libyuv.h>

#include "excamera/ssim.h"

struct report {
    FILE *out;
    bool as_json;
    struct xc_json json;
    bool all_planes; /* Y, U and V are measured, not only Y */
    bool psnr;       /* beside the SSIM */
    uint64_t frames;
    double ssim[3];                /* sums over the frames */
    uint64_t errors[3], counts[3]; /* sums over the frames: of squared errors, and of samples */
};

/* What was measured of one frame, for each plane. */
struct figures {
    double ssim[3];
    uint64_t errors[3], counts[3];
};

static const char *const ssim_name[3] = { "y", "u", "v" };
static const char *const psnr_name[3] = { "psnr_y", "psnr_u", "psnr_v" };

/* In dB. libyuv's limit, 128, stands for equal pictures. */
static double psnr_of(uint64_t errors, uint64_t count)
{
    return SumSquareErrorToPsnr(errors, count);
}

static void begin(struct report *r)
{
    r->json.stream = r->out;
    if (r->as_json) {
        xc_json_object(&r->json, NULL);
        xc_json_array(&r->json, "frames");
    }
}

static int planes_of(const struct report *r)
{
    return r->all_planes ? 3 : 1;
}

static void print_json(struct report *r, const struct figures *f)
{
    xc_json_object(&r->json, NULL);
    xc_json_integer(&r->json, "frame", (int64_t)r->frames);
    for (int i = 0; i < planes_of(r); i++) {
        xc_json_real(&r->json, ssim_name[i], f->ssim[i]);
        if (r->psnr) {
            xc_json_real(&r->json, psnr_name[i], psnr_of(f->errors[i], f->counts[i]));
        }
    }
    xc_json_end(&r->json);
}

static void print_line(struct report *r, const struct figures *f)
{
    for (int i = 0; i < planes_of(r); i++) {
        fprintf(r->out, "%s%g", i ? "\t" : "", f->ssim[i]);
        if (r->psnr) {
            fprintf(r->out, "\t%g", psnr_of(f->errors[i], f->counts[i]));
        }
    }
    putc('\n', r->out);
}

static void take_frame(struct report *r, const struct figures *f)
{
    if (r->as_json) {
        print_json(r, f);
    } else {
        print_line(r, f);
    }
    for (int i = 0; i < planes_of(r); i++) {
        r->ssim[i] += f->ssim[i];
        r->errors[i] += f->errors[i];
        r->counts[i] += f->counts[i];
    }
    r->frames++;
}

/* The PSNR of a film is that of the mean squared error of all its samples. */
static void end(struct report *r)
{
    if (!r->as_json) {
        return;
    }
    xc_json_end(&r->json);
    xc_json_object(&r->json, "mean");
    for (int i = 0; r->frames && i < planes_of(r); i++) {
        xc_json_real(&r->json, ssim_name[i], r->ssim[i] / (double)r->frames);
        if (r->psnr) {
            xc_json_real(&r->json, psnr_name[i], psnr_of(r->errors[i], r->counts[i]));
        }
    }
    xc_json_end(&r->json);
    xc_json_end(&r->json);
}

static void measure(struct figures *f, const struct xc_workspace *workspace, const struct xc_picture *a,
                    const struct xc_picture *b, int plane)
{
    const struct xc_plane *p = &a->plane[plane], *q = &b->plane[plane];
    const unsigned width = xc_plane_width(a, plane), height = xc_plane_height(a, plane);
    f->ssim[plane] = xc_picture_ssim(workspace, a, b, plane);
    f->errors[plane] =
        ComputeSumSquareErrorPlane(p->data, (int)p->stride, q->data, (int)q->stride, (int)width, (int)height);
    f->counts[plane] = (uint64_t)width * height;
}

static struct xc_picture *next(struct xc_tool_source *source, uint64_t frame)
{
    struct xc_picture *picture;
    struct xc_error err;
    if (source->pictures.next(source->pictures.context, &picture, &err)) {
        xc_tool_fail(source->pictures.name, "picture %llu: %s", (unsigned long long)frame, err.text);
    }
    return picture;
}

/* Prints a line for each pair of pictures. */
static void compare(struct report *r, struct xc_tool_source films[2], const struct xc_workspace *workspace)
{
    const char *names[2] = { films[0].pictures.name, films[1].pictures.name };
    for (;;) {
        struct xc_picture *a = next(&films[0], r->frames), *b = next(&films[1], r->frames);
        if (!a && !b) {
            return;
        }
        if (!a || !b) {
            xc_tool_fail(names[a ? 1 : 0], "ends after %llu pictures, but %s goes on", (unsigned long long)r->frames,
                         names[a ? 0 : 1]);
        }
        if (a->width != b->width || a->height != b->height) {
            xc_tool_fail(names[1], "picture %llu is %ux%u, but that of %s %ux%u", (unsigned long long)r->frames,
                         b->width, b->height, names[0], a->width, a->height);
        }
        struct figures figures = { 0 };
        for (int i = 0; i < planes_of(r); i++) {
            measure(&figures, workspace, a, b, i);
        }
        take_frame(r, &figures);
        xc_picture_unref(a);
        xc_picture_unref(b);
    }
}

int main(int argc, char **argv)
{
    bool all_planes = false, psnr = false, json = false;
    const char *format_1 = "ivf", *format_2 = "ivf";
    const struct xc_tool_option options[] = {
        { 'a', "all-planes", NULL, "print the SSIM of Y, U and V, with tabs between them", .flag = &all_planes },
        { 0, "psnr", NULL, "print the PSNR of each plane, in dB, after its SSIM; 128 where the pictures are equal",
          .flag = &psnr },
        { '1', "video1-format", "FORMAT", "what the first film is: ivf or y4m", .text = &format_1 },
        { '2', "video2-format", "FORMAT", "what the second film is", .text = &format_2 },
        XC_TOOL_JSON_OPTION(json),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-ssim",
        .synopsis = "[OPTION]... FILM1 FILM2",
        .description = "Prints the structural similarity (SSIM) of two films' luma, a line for each picture that is "
                       "shown, measured as FFmpeg's ssim filter does: 1 where the pictures are equal.",
        .examples = "xc-ssim -1 y4m -2 ivf film.y4m film.ivf",
        .options = options,
        .minimum_operands = 2,
        .maximum_operands = 2,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_workspace *workspace = xc_tool_workspace(1);
    struct xc_tool_source films[2];
    struct xc_tool_output output;
    xc_tool_source_open(&films[0], operands[0], format_1, workspace);
    xc_tool_source_open(&films[1], operands[1], format_2, workspace);
    xc_tool_output_open(&output, "-");
    struct report report = { .out = output.stream, .as_json = json, .all_planes = all_planes, .psnr = psnr };
    begin(&report);
    compare(&report, films, workspace);
    end(&report);
    xc_tool_output_commit(&output, 1);
    xc_tool_source_close(&films[0]);
    xc_tool_source_close(&films[1]);
    xc_workspace_free(workspace);
    return 0;
}
