/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-zero-out-residues: a film of nothing but predictions. */
#include "json.h"
#include "tool-chunk.h"

static void print_json(FILE *out, const struct xc_tool_ivf *input, const struct xc_chunk *chunk)
{
    struct xc_json json = { .stream = out };
    xc_json_object(&json, NULL);
    xc_json_text(&json, "file", input->name);
    xc_json_array(&json, "frames");
    for (uint32_t i = 0; i < chunk->header.frame_count; i++) {
        xc_json_object(&json, NULL);
        xc_json_integer(&json, "frame", i);
        xc_json_integer(&json, "size", input->ivf.frames[i].size);
        xc_json_integer(&json, "size_without_residue", (int64_t)chunk->frames[i].bytes.size);
        xc_json_end(&json);
    }
    xc_json_end(&json);
    xc_json_end(&json);
}

int main(int argc, char **argv)
{
    const char *state_name = NULL;
    bool json = false;
    const struct xc_tool_option options[] = {
        { 'S', "input-state", "FILE", "the state that IN.ivf needs, unless it begins with a key frame",
          .text = &state_name },
        { 0, "json", NULL, "print the size of each frame, before and after, as JSON", .flag = &json },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-zero-out-residues",
        .synopsis = "[OPTION]... IN.ivf OUT.ivf",
        .description = "Copies IN.ivf without the coefficients of its interframes. What OUT.ivf shows is what the "
                       "modes and motion vectors make of the key frames; what it has in bytes is what these cost.",
        .examples = "xc-zero-out-residues film.ivf vectors-only.ivf",
        .options = options,
        .minimum_operands = 2,
        .maximum_operands = 2,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_workspace *workspace = xc_tool_workspace(1);
    struct xc_tool_chunk_input input;
    struct xc_chunk chunk;
    struct xc_error err;
    xc_tool_chunk_input_read(&input, operands[0], state_name, "-S", workspace);
    xc_tool_ivf_check_state(&input.file, &input.state, state_name, "-S");
    if (!input.file.ivf.header.frame_count) {
        xc_tool_fail(operands[0], "has no frame");
    }
    xc_tool_check_about(xc_chunk_zero_residues(&chunk, &input.input, &err), operands[0], &err);
    struct xc_tool_output report;
    if (json) {
        xc_tool_output_open(&report, "-");
        print_json(report.stream, &input.file, &chunk);
    }
    xc_tool_chunk_write(&chunk, operands[1], NULL, NULL);
    if (json) {
        xc_tool_output_commit(&report, 1);
    }
    xc_tool_chunk_input_clear(&input);
    xc_workspace_free(workspace);
    return 0;
}
