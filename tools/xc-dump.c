/* xc-dump: decodes a file up to some frame and writes the state after it. */
#include "tool-chunk.h"

static void write_state(const struct xc_state *state, const char *name)
{
    struct xc_tool_output output;
    struct xc_error err;
    xc_tool_output_open(&output, name);
    xc_tool_check(xc_state_write(state, output.stream, &err), name, &err);
    xc_tool_output_commit(&output, 1);
}

int main(int argc, char **argv)
{
    int64_t last = -1, threads = 1;
    const char *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'f', "frame-number", "N", "stop after frame N, counted from 0, hidden frames included (default: the last)",
          .integer = &last, .maximum = UINT32_MAX },
        { 'S', "input-state", "FILE", "decode from this state; needed unless IN.ivf begins with a key frame",
          .text = &state_name },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-dump",
        .synopsis = "[OPTION]... IN.ivf OUT.state",
        .description = "Decodes IN.ivf and writes the state that the decoder is in afterwards: all that decoding "
                       "further frames depends on.",
        .options = options,
        .minimum_operands = 2,
        .maximum_operands = 2,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_tool_chunk_input input;
    struct xc_error err;
    xc_tool_chunk_input_read(&input, operands[0], state_name, "-S", workspace);
    xc_tool_ivf_check_state(&input.file, &input.state, "-S");
    const uint32_t count = input.file.ivf.header.frame_count;
    if (count == 0) {
        xc_tool_fail(operands[0], "has no frame");
    }
    if (last >= count) {
        xc_tool_fail(operands[0], "has no frame %lld, only %u frames", (long long)last, (unsigned)count);
    }
    const uint32_t frames = last < 0 ? count : (uint32_t)last + 1;
    xc_tool_check_about(xc_chunk_play(&input.state, &input.input, frames, workspace, &err), operands[0], &err);
    write_state(&input.state, operands[1]);

    xc_tool_chunk_input_clear(&input);
    xc_workspace_free(workspace);
    return 0;
}
