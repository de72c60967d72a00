/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-terminate-chunk: makes the last interframe of a chunk refresh all three references. The state after the chunk then
 * holds one picture instead of up to three, and the chunk that follows may predict from any of them. */
#include "tool-chunk.h"

int main(int argc, char **argv)
{
    int64_t threads = 1;
    const struct xc_tool_option options[] = { XC_TOOL_THREADS_OPTION(threads), { 0 } };
    const struct xc_tool tool = {
        .name = "xc-terminate-chunk",
        .synopsis = "[OPTION]... IN.ivf OUT.ivf [OUT.state]",
        .description = "Copies IN.ivf, which must begin with a key frame, and lets its last interframe refresh the "
                       "last, golden and alt-ref pictures. OUT.state: the state after it, as xc-dump writes it.",
        .examples = "xc-terminate-chunk 00000001-vpxenc.ivf 00000001-0.ivf",
        .options = options,
        .minimum_operands = 2,
        .maximum_operands = 3,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_tool_ivf file;
    struct xc_chunk chunk;
    struct xc_state state = XC_STATE_INIT;
    struct xc_error err;
    xc_tool_ivf_read(&file, operands[0]);
    const struct xc_chunk_input input = { .ivf = &file.ivf, .name = operands[0] };
    xc_tool_check_about(xc_chunk_terminate(&chunk, operands[2] ? &state : NULL, &input, workspace, &err), operands[0],
                        &err);
    xc_tool_chunk_write(&chunk, operands[1], &state, operands[2]);

    xc_state_clear(&state);
    xc_ivf_clear(&file.ivf);
    xc_workspace_free(workspace);
    return 0;
}
