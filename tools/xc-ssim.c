/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-ssim: how alike two films are, picture by picture. */
#include "json.h"
#include "tool-chunk.h"

#include "excamera/ssim.h"

struct report {
    FILE *out;
    bool as_json;
    struct xc_json json;
    int planes; /* how many are measured: Y, or Y, U and V */
    uint64_t frames;
    double sum[3];
};

static const char plane_name[3][2] = { "y", "u", "v" };

static void begin(struct report *r)
{
    r->json.stream = r->out;
    if (r->as_json) {
        xc_json_object(&r->json, NULL);
        xc_json_array(&r->json, "frames");
    }
}

static void print_frame(struct report *r, const double ssim[3])
{
    if (r->as_json) {
        xc_json_object(&r->json, NULL);
        xc_json_integer(&r->json, "frame", (int64_t)r->frames);
    }
    for (int i = 0; i < r->planes; i++) {
        if (r->as_json) {
            xc_json_real(&r->json, plane_name[i], ssim[i]);
        } else {
            fprintf(r->out, "%s%g", i ? "\t" : "", ssim[i]);
        }
        r->sum[i] += ssim[i];
    }
    r->frames++;
    if (r->as_json) {
        xc_json_end(&r->json);
    } else {
        putc('\n', r->out);
    }
}

static void end(struct report *r)
{
    if (!r->as_json) {
        return;
    }
    xc_json_end(&r->json);
    xc_json_object(&r->json, "mean");
    for (int i = 0; r->frames && i < r->planes; i++) {
        xc_json_real(&r->json, plane_name[i], r->sum[i] / (double)r->frames);
    }
    xc_json_end(&r->json);
    xc_json_end(&r->json);
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
        double ssim[3] = { 0 };
        for (int i = 0; i < r->planes; i++) {
            ssim[i] = xc_picture_ssim(workspace, a, b, i);
        }
        print_frame(r, ssim);
        xc_picture_unref(a);
        xc_picture_unref(b);
    }
}

int main(int argc, char **argv)
{
    bool all_planes = false, json = false;
    const char *format_1 = "ivf", *format_2 = "ivf";
    const struct xc_tool_option options[] = {
        { 'a', "all-planes", NULL, "print the SSIM of Y, U and V, with tabs between them", .flag = &all_planes },
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
    struct report report = { .out = output.stream, .as_json = json, .planes = all_planes ? 3 : 1 };
    begin(&report);
    compare(&report, films, workspace);
    end(&report);
    xc_tool_output_commit(&output, 1);
    xc_tool_source_close(&films[0]);
    xc_tool_source_close(&films[1]);
    xc_workspace_free(workspace);
    return 0;
}
