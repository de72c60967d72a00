/* xc-terminate-chunk: makes the last interframe of a chunk refresh all three references. The state behind the chunk
 * then holds one picture instead of up to three, and the chunk that follows may predict from any of them. */
#include "tool.h"

#include "excamera/encode.h"
#include "excamera/frame.h"
#include "excamera/state.h"

/* The last frame that has data, if it is an interframe; frame_count if there is nothing to rewrite. */
static uint32_t find_last_interframe(const struct xc_ivf *ivf)
{
    uint32_t last = ivf->header.frame_count;
    while (ivf->frames[--last].size == 0)
        ;
    bool key = xc_data_is_key_frame(ivf->frames[last].data, ivf->frames[last].size);
    return key ? ivf->header.frame_count : last;
}

/* Replaces an interframe, to be decoded in this state, by one that refreshes everything. bytes: holds the new data. */
static void terminate(struct xc_tool_ivf *input, uint32_t number, const struct xc_state *state, struct xc_bytes *bytes)
{
    struct xc_ivf_frame *data = &input->ivf.frames[number];
    struct xc_frame frame = XC_FRAME_INIT;
    struct xc_error err;
    if (xc_frame_parse(&frame, state, data->data, data->size, &err)) {
        xc_tool_fail(input->name, "frame %u: %s", (unsigned)number, err.text);
    }
    xc_frame_terminate(&frame);
    xc_tool_check(xc_frame_serialize(bytes, &frame, state, &err), input->name, &err);
    xc_frame_clear(&frame);
    data->data = bytes->data;
    data->size = (uint32_t)bytes->size;
}

/* Moves the state past a frame, whose bits are all looked at, but for its pictures, which only whoever wants to keep
 * the state needs. */
static void skip(const struct xc_tool_ivf *input, uint32_t number, struct xc_state *state, struct xc_frame *frame)
{
    const struct xc_ivf_frame *data = &input->ivf.frames[number];
    struct xc_error err;
    if (data->size &&
        (xc_frame_parse(frame, state, data->data, data->size, &err) || xc_state_follow_header(state, frame, &err))) {
        xc_tool_fail(input->name, "frame %u: %s", (unsigned)number, err.text);
    }
}

static void write_ivf(const struct xc_ivf *ivf, const struct xc_tool_output *output)
{
    struct xc_error err;
    xc_tool_check(xc_ivf_write_header(output->stream, &ivf->header, &err), output->name, &err);
    for (uint32_t i = 0; i < ivf->header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &ivf->frames[i];
        enum xc_status status = xc_ivf_write_frame(output->stream, frame->timestamp, frame->data, frame->size, &err);
        xc_tool_check(status, output->name, &err);
    }
}

/* state_name may be NULL. */
static void write_outputs(const struct xc_ivf *ivf, const struct xc_state *state, const char *ivf_name,
                          const char *state_name)
{
    struct xc_tool_output outputs[2];
    struct xc_error err;
    xc_tool_output_open(&outputs[0], ivf_name);
    if (state_name) {
        xc_tool_output_open(&outputs[1], state_name);
        xc_tool_check(xc_state_write(state, outputs[1].stream, &err), state_name, &err);
    }
    write_ivf(ivf, &outputs[0]);
    xc_tool_output_commit(outputs, state_name ? 2 : 1);
}

int main(int argc, char **argv)
{
    int64_t threads = 1;
    const struct xc_tool_option options[] = { XC_TOOL_THREADS_OPTION(threads), { 0 } };
    const struct xc_tool tool = {
        .name = "xc-terminate-chunk",
        .synopsis = "[OPTION]... IN.ivf OUT.ivf [OUT.state]",
        .description = "Copies IN.ivf, which must begin with a key frame, and lets its last interframe refresh the "
                       "last, golden and alt-ref pictures. OUT.state: the state behind it, as xc-dump writes it.",
        .options = options,
        .minimum_operands = 2,
        .maximum_operands = 3,
    };
    char **operands = xc_tool_start(&tool, argc, argv);

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_tool_ivf input;
    xc_tool_ivf_read(&input, operands[0]);
    const struct xc_ivf_frame *first = input.ivf.frames;
    if (input.ivf.header.frame_count == 0 || !xc_data_is_key_frame(first->data, first->size)) {
        xc_tool_fail(operands[0], "does not begin with a key frame");
    }

    struct xc_state state = XC_STATE_INIT;
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_frame frame = XC_FRAME_INIT;
    uint32_t last = find_last_interframe(&input.ivf);
    for (uint32_t i = 0; i < input.ivf.header.frame_count; i++) {
        if (i == last) {
            terminate(&input, i, &state, &bytes);
        }
        if (operands[2]) {
            xc_picture_unref(xc_tool_ivf_decode(&input, i, &state, workspace));
        } else {
            skip(&input, i, &state, &frame);
        }
    }
    write_outputs(&input.ivf, &state, operands[1], operands[2]);

    xc_frame_clear(&frame);
    xc_bytes_clear(&bytes);
    xc_state_clear(&state);
    xc_ivf_free(&input.ivf);
    xc_workspace_free(workspace);
    return 0;
}
