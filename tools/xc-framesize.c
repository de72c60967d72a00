/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-framesize: the size of each frame. */
#include "json.h"

#include "excamera/frame.h"

static void print_text(FILE *out, const struct xc_ivf *ivf, uint64_t total)
{
    for (uint32_t i = 0; i < ivf->header.frame_count; i++) {
        fprintf(out, "%08u %u\n", (unsigned)i, (unsigned)ivf->frames[i].size);
    }
    fprintf(out, "Total %llu\n", (unsigned long long)total);
}

static void print_json(FILE *out, const struct xc_tool_ivf *input, uint64_t total)
{
    struct xc_json json = { .stream = out };
    xc_json_object(&json, NULL);
    xc_json_text(&json, "file", input->name);
    xc_json_array(&json, "frames");
    for (uint32_t i = 0; i < input->ivf.header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &input->ivf.frames[i];
        xc_json_object(&json, NULL);
        xc_json_integer(&json, "frame", i);
        xc_json_integer(&json, "size", frame->size);
        xc_json_flag(&json, "key_frame", xc_data_is_key_frame(frame->data, frame->size));
        xc_json_flag(&json, "shown", xc_data_is_shown(frame->data, frame->size));
        xc_json_end(&json);
    }
    xc_json_end(&json);
    xc_json_integer(&json, "total", (int64_t)total);
    xc_json_end(&json);
}

int main(int argc, char **argv)
{
    bool json = false;
    const struct xc_tool_option options[] = { XC_TOOL_JSON_OPTION(json), { 0 } };
    const struct xc_tool tool = {
        .name = "xc-framesize",
        .synopsis = "[OPTION]... IN.ivf",
        .description = "Prints the number of each frame, counted from 0, hidden frames included, and its size in "
                       "bytes; then the size of the whole file, in which each frame has 12 bytes more, and the header "
                       "32.",
        .examples = "xc-framesize film.ivf",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_tool_ivf input;
    struct xc_tool_output output;
    xc_tool_ivf_read(&input, operands[0]);
    uint64_t total = XC_IVF_HEADER_SIZE;
    for (uint32_t i = 0; i < input.ivf.header.frame_count; i++) {
        total += XC_IVF_FRAME_HEADER_SIZE + (uint64_t)input.ivf.frames[i].size;
    }
    xc_tool_output_open(&output, "-");
    if (json) {
        print_json(output.stream, &input, total);
    } else {
        print_text(output.stream, &input.ivf, total);
    }
    xc_tool_output_commit(&output, 1);
    xc_ivf_clear(&input.ivf);
    return 0;
}
