/* xc-merge: one stream out of chunks that follow one another. The inputs are read twice, first to check and count them
 * and then to copy them, so that only one of them is in memory at a time and the output may be a pipe. */
#include "tool.h"

#include <string.h>
#include <sys/stat.h>

#include "excamera/frame.h"
#include "excamera/state.h"

static bool same_rate(const struct xc_ivf_header *a, const struct xc_ivf_header *b)
{
    return (uint64_t)a->rate_num * b->rate_den == (uint64_t)b->rate_num * a->rate_den;
}

/* Fails unless the input can follow those whose common header is given. */
static void check_header(const struct xc_tool_ivf *input, const struct xc_ivf_header *first)
{
    const struct xc_ivf_header *header = &input->ivf.header;
    if (header->width != first->width || header->height != first->height) {
        xc_tool_fail(input->name, "is %ux%u, but the first file %ux%u", header->width, header->height, first->width,
                     first->height);
    }
    if (!same_rate(header, first)) {
        xc_tool_fail(input->name, "has %u/%u frames per second, but the first file %u/%u", (unsigned)header->rate_num,
                     (unsigned)header->rate_den, (unsigned)first->rate_num, (unsigned)first->rate_den);
    }
    if (header->frame_count > UINT32_MAX - first->frame_count) {
        xc_tool_fail(input->name, "more frames than an IVF file can have");
    }
}

/* Decodes the whole input from *state, which the input must expect. */
static void follow_state(const struct xc_tool_ivf *input, struct xc_state *state, struct xc_workspace *workspace)
{
    xc_tool_ivf_check_state(input, state, "-S");
    for (uint32_t i = 0; i < input->ivf.header.frame_count; i++) {
        xc_picture_unref(xc_tool_ivf_decode(input, i, state, workspace));
    }
}

/* The header of the inputs merged. Decodes along from *state, unless workspace is NULL. */
static struct xc_ivf_header check_inputs(char **names, struct xc_state *state, struct xc_workspace *workspace)
{
    struct xc_ivf_header merged = { 0 };
    for (char **name = names; *name; name++) {
        struct xc_tool_ivf input;
        xc_tool_ivf_read(&input, *name);
        if (input.ivf.header.frame_count == 0) {
            xc_tool_fail(*name, "has no frame");
        }
        if (name == names) {
            merged = input.ivf.header;
        } else {
            check_header(&input, &merged);
            merged.frame_count += input.ivf.header.frame_count;
        }
        if (workspace) {
            follow_state(&input, state, workspace);
        }
        xc_ivf_clear(&input.ivf);
    }
    return merged;
}

/* Appends the input's frames and returns how many. *time: when the next frame is shown, in frames; a hidden one gets
 * the time of what follows it. */
static uint32_t copy_frames(const char *name, uint64_t *time, const struct xc_tool_output *output)
{
    struct xc_tool_ivf input;
    struct xc_error err;
    xc_tool_ivf_read(&input, name);
    uint32_t count = input.ivf.header.frame_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct xc_ivf_frame *frame = &input.ivf.frames[i];
        xc_tool_check(xc_ivf_write_frame(output->stream, *time, frame->data, frame->size, &err), output->name, &err);
        if (frame->size == 0 || xc_data_is_shown(frame->data, frame->size)) { /* a lost frame takes its time, too */
            ++*time;
        }
    }
    xc_ivf_clear(&input.ivf);
    return count;
}

static void merge(char **names, const struct xc_ivf_header *header, const char *output_name)
{
    struct xc_tool_output output;
    struct xc_error err;
    xc_tool_output_open(&output, output_name);
    xc_tool_check(xc_ivf_write_header(output.stream, header, &err), output_name, &err);
    uint64_t time = 0;
    uint32_t missing = header->frame_count;
    for (char **name = names; *name; name++) {
        missing -= copy_frames(*name, &time, &output);
    }
    if (missing) {
        xc_tool_fail(output_name, "the inputs have changed while they were being merged");
    }
    xc_tool_output_commit(&output, 1);
}

/* The form without -o, "A B [OUT]": the output's name, which is taken off the operands. */
static const char *take_output_name(char **operands)
{
    int count = 0;
    while (operands[count]) {
        count++;
    }
    if (count < 2 || count > 3) {
        xc_tool_usage_error("without -o: two files to merge, and perhaps the output");
    }
    if (count == 2) {
        return "output.ivf";
    }
    const char *name = operands[2];
    operands[2] = NULL;
    return name;
}

static void refuse_pipes(char **names)
{
    for (; *names; names++) {
        struct stat status;
        if (!strcmp(*names, "-") || (stat(*names, &status) == 0 && !S_ISREG(status.st_mode))) {
            xc_tool_fail(*names, "cannot be read twice, as inputs are; a named regular file can");
        }
    }
}

int main(int argc, char **argv)
{
    bool no_check = false;
    int64_t threads = 1;
    const char *output_name = NULL, *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'o', "output", "FILE", "the stream to write (default: the third file named, or else output.ivf)",
          .text = &output_name },
        { 'S', "input-state", "FILE", "the state that the first input expects, if it does not begin with a key frame",
          .text = &state_name },
        { 0, "no-check", NULL, "do not decode; take it on trust that the inputs follow one another",
          .flag = &no_check },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-merge",
        .synopsis = "-o OUT.ivf [OPTION]... IN.ivf...\n[OPTION]... A.ivf B.ivf [OUT.ivf]",
        .description = "Joins chunks into one stream. All must have the same size and rate. Decodes along to see that "
                       "each chunk expects the very state that those before it leave behind.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = argc,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!output_name) {
        output_name = take_output_name(operands);
    }
    refuse_pipes(operands);

    struct xc_workspace *workspace = no_check ? NULL : xc_tool_workspace(threads);
    struct xc_state state = XC_STATE_INIT;
    if (workspace) {
        xc_tool_state_read(&state, xc_workspace_pool(workspace), state_name);
    }
    struct xc_ivf_header header = check_inputs(operands, &state, workspace);
    merge(operands, &header, output_name);

    xc_state_clear(&state);
    if (workspace) {
        xc_workspace_free(workspace);
    }
    return 0;
}
