/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool-chunk.h"

#include <string.h>

void xc_tool_check_about(enum xc_status status, const char *otherwise, const struct xc_error *err)
{
    xc_tool_check(status, status && err->about ? err->about : otherwise, err);
}

void xc_tool_source_open(struct xc_tool_source *source, const char *name, const char *format,
                         struct xc_workspace *workspace)
{
    struct xc_error err;
    enum xc_status status;
    if (!strcmp(format, "ivf")) {
        xc_tool_ivf_read(&source->ivf, name);
        source->y4m.stream = NULL;
        status = xc_source_open_ivf(&source->pictures, &source->ivf.ivf, workspace, &err);
    } else if (!strcmp(format, "y4m")) {
        xc_tool_input_open(&source->y4m, name);
        status = xc_source_open_y4m(&source->pictures, source->y4m.stream, xc_workspace_pool(workspace), &err);
    } else {
        xc_tool_usage_error("unknown input format '%s': y4m and ivf are known", format);
    }
    xc_tool_check(status, name, &err);
    source->pictures.name = name;
}

void xc_tool_source_close(struct xc_tool_source *source)
{
    xc_source_close(&source->pictures);
    if (source->y4m.stream) {
        xc_tool_input_close(&source->y4m);
    } else {
        xc_ivf_clear(&source->ivf.ivf);
    }
}

void xc_tool_chunk_input_read(struct xc_tool_chunk_input *input, const char *name, const char *state_name,
                              const char *option, struct xc_workspace *workspace)
{
    xc_tool_ivf_read(&input->file, name);
    const unsigned expected = input->file.ivf.header.expected_state;
    if (expected && !state_name) {
        xc_tool_fail(name, "expects state %08x; name its file with %s", expected, option);
    }
    xc_tool_state_read(&input->state, xc_workspace_pool(workspace), state_name);
    input->input = (struct xc_chunk_input){
        .ivf = &input->file.ivf,
        .state = &input->state,
        .name = name,
        .state_name = state_name,
    };
}

void xc_tool_chunk_input_clear(struct xc_tool_chunk_input *input)
{
    xc_state_clear(&input->state);
    xc_ivf_clear(&input->file.ivf);
}

void xc_tool_replay_anchors(struct xc_state *state, const char *name, const char *before, const char *option,
                            int64_t cq_level, struct xc_workspace *workspace)
{
    struct xc_anchored_options how = xc_anchored_defaults;
    struct xc_tool_ivf file;
    struct xc_error err;
    how.cq_level = (unsigned)cq_level;
    xc_tool_ivf_read(&file, name);
    xc_tool_ivf_check_state(&file, state, before, option);
    if (file.ivf.header.frame_count == 0) {
        xc_tool_fail(name, "has no frame");
    }
    const struct xc_chunk_input input = { .ivf = &file.ivf, .name = name };
    xc_tool_check_about(xc_chunk_play_anchors(state, &input, &how, workspace, &err), name, &err);
    xc_ivf_clear(&file.ivf);
}

static void write_chunk(struct xc_chunk *chunk, const char *name, struct xc_tool_output *output)
{
    struct xc_error err;
    xc_tool_output_open(output, name);
    xc_tool_check(xc_chunk_write(chunk, output->stream, &err), name, &err);
    xc_chunk_clear(chunk);
}

void xc_tool_chunk_write(struct xc_chunk *chunk, const char *name, const struct xc_state *state, const char *state_name)
{
    struct xc_tool_output outputs[2];
    write_chunk(chunk, name, &outputs[0]);
    if (state_name) {
        xc_tool_output_open(&outputs[1], state_name);
        xc_tool_state_write(state, false, outputs[1].stream, state_name);
    }
    xc_tool_output_commit(outputs, state_name ? 2 : 1);
}

void xc_tool_chunk_write_beside(struct xc_chunk *chunk, const char *name, const struct xc_tool_output *complete)
{
    struct xc_tool_output outputs[2] = { [1] = *complete };
    write_chunk(chunk, name, &outputs[0]);
    xc_tool_output_commit(outputs, 2);
}
