/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-merge: joins chunks into one stream. Each input is read twice, first to check it and count its frames, then to
 * copy it. So only one input is in memory at a time, and the output, whose header states the count, may be a pipe. */
#include "tool.h"

#include <string.h>
#include <sys/stat.h>

#include "excamera/frame.h"
#include "excamera/state.h"

static bool same_rate(const struct xc_ivf_header *a, const struct xc_ivf_header *b)
{
    return (uint64_t)a->rate_num * b->rate_den == (uint64_t)b->rate_num * a->rate_den;
}

/* What is known of the inputs so far. */
struct progress {
    const char *first_name, *last_name; /* NULL before the first input */
    struct xc_ivf_header header;        /* of the merged stream */
    struct xc_state state;              /* after the last input */
};

/* Fails unless the input has the size and rate of the first one. */
static void check_header(const struct xc_tool_ivf *input, const struct progress *progress)
{
    const struct xc_ivf_header *header = &input->ivf.header, *first = &progress->header;
    if (header->width != first->width || header->height != first->height) {
        xc_tool_fail(input->name, "is %ux%u, but %s is %ux%u", header->width, header->height, progress->first_name,
                     first->width, first->height);
    }
    if (!same_rate(header, first)) {
        xc_tool_fail(input->name, "has %u/%u frames per second, but %s has %u/%u", (unsigned)header->rate_num,
                     (unsigned)header->rate_den, progress->first_name, (unsigned)first->rate_num,
                     (unsigned)first->rate_den);
    }
    if (header->frame_count > UINT32_MAX - first->frame_count) { /* it never lasts longer */
        xc_tool_fail(input->name, "with this file, the stream has more frames than an IVF file can have");
    }
}

static bool begins_with_interframe(const struct xc_ivf *ivf)
{
    return ivf->header.frame_count && !xc_data_is_key_frame(ivf->frames[0].data, ivf->frames[0].size);
}

/* Fails unless the input can be decoded from the state after the last one or, if it is the first, from the state in the
 * file state_name, which may be NULL. */
static void check_state(const struct xc_tool_ivf *input, const struct progress *progress, const char *state_name)
{
    const unsigned expected = input->ivf.header.expected_state;
    if (!begins_with_interframe(&input->ivf)) {
        return;
    }
    if (!expected && !progress->state.width) {
        xc_tool_fail(input->name, "begins with an interframe and names no state; name the state before it with -S");
    }
    if (!expected && progress->last_name) {
        xc_tool_fail(input->name,
                     "begins with an interframe and names no state, so it may not belong after %s; join them with "
                     "--no-check if it does",
                     progress->last_name);
    }
    if (xc_state_satisfies(&progress->state, expected)) {
        return;
    }
    if (progress->last_name) {
        xc_tool_fail(input->name, "expects state %08x, but %s, which is before it, leaves state %08x", expected,
                     progress->last_name, (unsigned)xc_state_id(&progress->state));
    }
    if (state_name) {
        xc_tool_fail(input->name, "expects state %08x, but %s is state %08x", expected, state_name,
                     (unsigned)xc_state_id(&progress->state));
    }
    xc_tool_fail(input->name, "expects state %08x; name its file with -S", expected);
}

static bool takes_time(const struct xc_ivf_frame *frame)
{
    return frame->size == 0 || xc_data_is_shown(frame->data, frame->size); /* a lost frame takes its time, too */
}

/* Decodes along, unless workspace is NULL. */
static void check_input(struct progress *progress, const char *name, const char *state_name,
                        struct xc_workspace *workspace)
{
    struct xc_tool_ivf input;
    xc_tool_ivf_read(&input, name);
    const uint32_t count = input.ivf.header.frame_count;
    if (count == 0) {
        xc_tool_fail(name, "has no frame");
    }
    if (!progress->first_name) {
        progress->first_name = name;
        progress->header = input.ivf.header;
        progress->header.duration = 0;
    } else {
        check_header(&input, progress);
        progress->header.frame_count += count;
    }
    for (uint32_t i = 0; i < count; i++) {
        progress->header.duration += takes_time(&input.ivf.frames[i]);
    }
    if (workspace) {
        check_state(&input, progress, state_name);
        for (uint32_t i = 0; i < count; i++) {
            xc_picture_unref(xc_tool_ivf_decode(&input, i, &progress->state, workspace));
        }
    }
    progress->last_name = name;
    xc_ivf_clear(&input.ivf);
}

/* Appends the input's frames and returns how many. *time: when the next frame is shown, in frames; a hidden frame gets
 * the time of the shown frame after it, as libvpx's encoder has it. */
static uint32_t copy_frames(const char *name, uint64_t *time, const struct xc_tool_output *output)
{
    struct xc_tool_ivf input;
    struct xc_error err;
    xc_tool_ivf_read(&input, name);
    uint32_t count = input.ivf.header.frame_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct xc_ivf_frame *frame = &input.ivf.frames[i];
        xc_tool_check(xc_ivf_write_frame(output->stream, *time, frame->data, frame->size, &err), output->name, &err);
        *time += takes_time(frame);
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
        xc_tool_fail(output_name, "an input has changed while it was being merged; merge again");
    }
    xc_tool_output_commit(&output, 1);
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Whether a file is there that looks like a chunk to be merged. Of a pipe, nothing is read. */
static bool is_chunk(const char *name)
{
    struct stat status;
    struct xc_ivf ivf = { 0 };
    struct xc_error damage, err;
    FILE *stream = stat(name, &status) || !S_ISREG(status.st_mode) ? NULL : fopen(name, "rb");
    bool chunk = stream && !xc_ivf_read_damaged(&ivf, &damage, stream, &err) && begins_with_interframe(&ivf);
    if (stream) {
        fclose(stream);
    }
    xc_ivf_clear(&ivf);
    return chunk;
}

/* The output's name was not given with -o: whoever forgot that must not lose an input. */
static void protect_inputs(char **inputs, const char *output_name)
{
    for (; *inputs; inputs++) {
        if (same_file(*inputs, output_name)) {
            xc_tool_fail(output_name, "is an input; name the output with -o");
        }
    }
    if (is_chunk(output_name)) {
        xc_tool_fail(output_name, "begins with an interframe, so it may be an input; name the output with -o");
    }
}

/* The form without -o, "A B [OUT]": the output's name, which is taken off the operands. */
static const char *take_output_name(char **operands)
{
    int count = 0;
    while (operands[count]) {
        count++;
    }
    if (count < 2 || count > 3) {
        xc_tool_usage_error("without -o, name two files to merge and, if you like, the output");
    }
    const char *name = count == 3 ? operands[2] : "output.ivf";
    operands[2] = NULL;
    protect_inputs(operands, name);
    return name;
}

static void refuse_pipes(char **names)
{
    for (; *names; names++) {
        struct stat status;
        if (!strcmp(*names, "-") || (stat(*names, &status) == 0 && !S_ISREG(status.st_mode))) {
            xc_tool_fail(*names, "cannot be read twice, as xc-merge reads its inputs; name a regular file");
        }
    }
}

int main(int argc, char **argv)
{
    bool no_check = false;
    int64_t threads = 1;
    const char *output_name = NULL, *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'o', "output", "OUT.ivf", "the stream to write (default: OUT.ivf in the second form, or else output.ivf)",
          .text = &output_name },
        { 'S', "input-state", "FILE",
          "the state before the first input; needed if that does not begin with a key frame", .text = &state_name },
        { 0, "no-check", NULL, "do not decode the inputs to check that they follow one another", .flag = &no_check },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-merge",
        .synopsis = "-o OUT.ivf [OPTION]... IN.ivf...\n[OPTION]... A.ivf B.ivf [OUT.ivf]",
        .description = "Joins chunks, in the order given, into one stream. All must have the same size and frame rate. "
                       "Unless --no-check is given, decodes each chunk from the state that the chunks before it leave, "
                       "and refuses a chunk that expects another state.",
        .examples = "xc-merge -o film.ivf ????????.ivf",
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
    struct progress progress = { .state = XC_STATE_INIT };
    if (workspace) {
        xc_tool_state_read(&progress.state, xc_workspace_pool(workspace), state_name);
    }
    for (char **name = operands; *name; name++) {
        check_input(&progress, *name, state_name, workspace);
    }
    merge(operands, &progress.header, output_name);

    xc_state_clear(&progress.state);
    if (workspace) {
        xc_workspace_free(workspace);
    }
    return 0;
}
