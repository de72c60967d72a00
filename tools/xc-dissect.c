/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-dissect: frames taken apart. */
#include "dissect_overlay.h"
#include "tool-chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dissection {
    const struct xc_tool_ivf *input;
    struct xc_state state;
    struct dissect_parts parts;
    int64_t only; /* the frame to print; below 0: all */
    bool as_json;
    struct xc_json json; /* its stream is the output */
    const char *overlay; /* the name of the picture to draw; NULL: none */
    struct xc_workspace *workspace;
};

static void parse(struct dissect_frame *frame, const struct dissection *d)
{
    const struct xc_ivf_frame *data = &d->input->ivf.frames[frame->number];
    struct xc_error err;
    frame->size = data->size;
    if (xc_frame_parse(&frame->frame, &d->state, data->data, data->size, &err)) {
        xc_tool_fail(d->input->name, "frame %u: %s", (unsigned)frame->number, err.text);
    }
}

static void measure(struct dissect_frame *frame, const struct dissection *d)
{
    const size_t count = (size_t)frame->frame.mb_cols * frame->frame.mb_rows;
    struct xc_error err;
    free(frame->macroblocks);
    frame->macroblocks = calloc(count, sizeof *frame->macroblocks);
    if (!frame->macroblocks) {
        xc_tool_fail(NULL, "%s", strerror(errno));
    }
    xc_tool_check(xc_frame_measure(&frame->frame, &frame->bits, frame->macroblocks, &err), d->input->name, &err);
}

/* A frame without data marks a lost one, and changes nothing. */
static void print_lost(struct dissection *d, uint32_t number)
{
    if (!d->as_json) {
        fprintf(d->json.stream, ">> Frame #%u (lost)\n   Size: 0 B\n", (unsigned)number);
        return;
    }
    xc_json_object(&d->json, NULL);
    xc_json_integer(&d->json, "frame", number);
    xc_json_integer(&d->json, "size", 0);
    xc_json_end(&d->json);
}

/* The picture is needed; the state moves on. */
static void draw(struct dissection *d, struct dissect_frame *frame)
{
    struct xc_picture *picture;
    struct xc_error err;
    measure(frame, d);
    xc_tool_check(xc_decode_frame(d->workspace, &d->state, &frame->frame, &picture, &err), d->input->name, &err);
    dissect_draw(d->json.stream, d->overlay, frame, picture);
    xc_picture_unref(picture);
}

static void draw_overlay(struct dissection *d)
{
    struct dissect_frame frame = { .frame = XC_FRAME_INIT, .number = (uint32_t)(d->only < 0 ? 0 : d->only) };
    for (uint32_t i = 0; i < frame.number; i++) {
        xc_picture_unref(xc_tool_ivf_decode(d->input, i, &d->state, d->workspace));
    }
    if (!d->input->ivf.frames[frame.number].size) {
        xc_tool_fail(d->input->name, "frame %u has no data: it is lost", (unsigned)frame.number);
    }
    parse(&frame, d);
    draw(d, &frame);
    xc_frame_clear(&frame.frame);
    free(frame.macroblocks);
}

static void dissect_frame(struct dissection *d, struct dissect_frame *frame)
{
    const bool print = d->only < 0 || d->only == frame->number;
    if (!d->input->ivf.frames[frame->number].size) {
        if (print) {
            print_lost(d, frame->number);
        }
        return;
    }
    struct xc_error err;
    parse(frame, d);
    if (print) {
        measure(frame, d);
        if (d->as_json) {
            dissect_print_json(&d->json, frame, &d->parts);
        } else {
            dissect_print_text(d->json.stream, frame, &d->parts);
        }
    }
    xc_tool_check(xc_state_follow_header(&d->state, &frame->frame, &err), d->input->name, &err);
}

static void dissect(struct dissection *d)
{
    const uint32_t count = d->input->ivf.header.frame_count;
    const uint32_t end = d->only < 0 ? count : (uint32_t)d->only + 1;
    struct dissect_frame frame = { .frame = XC_FRAME_INIT };
    if (d->as_json) {
        xc_json_object(&d->json, NULL);
        xc_json_text(&d->json, "file", d->input->name);
        xc_json_array(&d->json, "frames");
    }
    for (; frame.number < end; frame.number++) {
        dissect_frame(d, &frame);
    }
    if (d->as_json) {
        xc_json_end(&d->json);
        xc_json_end(&d->json);
    }
    xc_frame_clear(&frame.frame);
    free(frame.macroblocks);
}

/* The file that an overlay or the other output is about, and the state that it begins in. */
static void open_input(struct dissection *d, struct xc_tool_ivf *input, const char *name, const char *state_name)
{
    xc_tool_ivf_read(input, name);
    d->workspace = xc_tool_workspace(1);
    xc_tool_state_read(&d->state, xc_workspace_pool(d->workspace), state_name);
    xc_tool_ivf_check_state(input, &d->state, state_name, "-s");
    const uint32_t count = input->ivf.header.frame_count;
    if (d->overlay && !count) {
        xc_tool_fail(name, "has no frame");
    }
    if (d->only >= count) {
        xc_tool_fail(name, "has no frame %lld, only %u frames", (long long)d->only, (unsigned)count);
    }
    d->input = input;
}

int main(int argc, char **argv)
{
    struct dissection d = { .only = -1 };
    const char *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'm', "macroblocks", NULL, "print how each macroblock is predicted", .flag = &d.parts.macroblocks },
        { 'p', "probability-tables", NULL, "print the probabilities of coefficients that each frame sends",
          .flag = &d.parts.probabilities },
        { 'c', "coefficients", NULL, "with -m: print the coefficients of each block, too",
          .flag = &d.parts.coefficients },
        { 'b', "bits", NULL, "print how many bits each kind of syntax takes", .flag = &d.parts.bits },
        { 'f', "frame", "N", "print only frame N, counted from 0, hidden frames included", .integer = &d.only,
          .maximum = UINT32_MAX },
        { 's', "initial-state", "FILE", "the state that the first frame needs, unless it is a key frame",
          .text = &state_name },
        { 0, "overlay", "OUT.png",
          "draw modes, vectors, segments and bits on the picture of frame N (default: 0), and print nothing",
          .text = &d.overlay },
        { 0, "json", NULL, "print JSON; the bits are always in it", .flag = &d.as_json },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-dissect",
        .synopsis = "[OPTION]... IN.ivf\n--overlay=OUT.png [-f N] [-s FILE] IN.ivf",
        .description = "Prints what is in each frame: its header and quantizers, and what the options ask for. Motion "
                       "vectors have the column first; the text counts them in eighths of a sample, JSON in "
                       "quarters.",
        .examples = "xc-dissect -m -f 3 film.ivf\n"
                    "xc-dissect --overlay=frame.png -f 3 film.ivf",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (d.overlay && d.as_json) {
        xc_tool_usage_error("only one of --overlay and --json can be chosen");
    }

    struct xc_tool_ivf input;
    struct xc_tool_output output;
    open_input(&d, &input, operands[0], state_name);
    xc_tool_output_open(&output, d.overlay ? d.overlay : "-");
    d.json.stream = output.stream;
    if (d.overlay) {
        draw_overlay(&d);
    } else {
        dissect(&d);
    }
    xc_tool_output_commit(&output, 1);
    xc_state_clear(&d.state);
    xc_ivf_clear(&input.ivf);
    xc_workspace_free(d.workspace);
    return 0;
}
