/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-dump: decodes a file up to some frame and writes the state after it, or only names it. */
#include "json.h"
#include "tool-chunk.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    bool id, json, compress, anchors;
    int64_t last, threads, cq_level;
    const char *state;
} given = { .last = -1, .threads = 1 };

static const struct xc_tool_option options[] = {
    { 'f', "frame-number", "N", "stop after frame N, counted from 0, hidden frames included (default: the last)",
      .integer = &given.last, .maximum = UINT32_MAX },
    { 'S', "input-state", "FILE", "decode from this state; needed unless IN.ivf begins with a key frame",
      .text = &given.state },
    { 'z', "compress", NULL,
      "write the state compressed (zlib, level 1), as do all tools with XC_COMPRESS_STATES=1 in the environment; all "
      "of them read both",
      .flag = &given.compress },
    { 0, "anchors", NULL,
      "each IN.ivf has a chunk's anchors (xc-enc --anchors): write the state after all of the last chunk",
      .flag = &given.anchors },
    { 0, "cq-level", "LEVEL", "with --anchors: as given to xc-enc", .integer = &given.cq_level, .minimum = 0,
      .maximum = 63 },
    { 0, "id", NULL, "print the state's id, which an IVF file has that expects it, and its hash", .flag = &given.id },
    { 0, "json", NULL, "with --id: print JSON", .flag = &given.json },
    XC_TOOL_THREADS_OPTION(given.threads),
    { 0 },
};

static void write_state(const struct xc_state *state, const char *name)
{
    struct xc_tool_output output;
    xc_tool_output_open(&output, name);
    xc_tool_state_write(state, given.compress, output.stream, name);
    xc_tool_output_commit(&output, 1);
}

/* A state's name: the id that IVF files carry, and the hash that it is taken from. */
static void print_id(const struct xc_state *state, const char *name)
{
    struct xc_tool_output output;
    char id[9], hash[17];
    snprintf(id, sizeof id, "%08x", (unsigned)xc_state_id(state));
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)xc_state_hash(state));
    xc_tool_output_open(&output, "-");
    if (given.json) {
        struct xc_json json = { .stream = output.stream };
        xc_json_object(&json, NULL);
        xc_json_text(&json, "file", name);
        xc_json_text(&json, "id", id);
        xc_json_text(&json, "hash", hash);
        xc_json_end(&json);
    } else {
        fprintf(output.stream, "%s %s\n", id, hash);
    }
    xc_tool_output_commit(&output, 1);
}

/* Whether a regular file begins as IVF files do. */
static bool is_ivf(const char *name)
{
    char start[4] = "";
    struct stat status;
    FILE *stream = stat(name, &status) == 0 && S_ISREG(status.st_mode) ? fopen(name, "rb") : NULL;
    const bool found = stream && fread(start, 1, 4, stream) == 4 && !memcmp(start, "DKIF", 4);
    if (stream) {
        fclose(stream);
    }
    return found;
}

/* The state after a file's frames up to the last one wanted, or all of them. state_name: of the state before; NULL:
 * there is none. */
static void follow(struct xc_state *state, const char *name, const char *state_name, struct xc_workspace *workspace)
{
    struct xc_tool_chunk_input input;
    struct xc_error err;
    xc_tool_chunk_input_read(&input, name, state_name, "-S", workspace);
    xc_tool_ivf_check_state(&input.file, &input.state, state_name, "-S");
    const uint32_t count = input.file.ivf.header.frame_count;
    if (count == 0) {
        xc_tool_fail(name, "has no frame");
    }
    if (given.last >= count) {
        xc_tool_fail(name, "has no frame %lld, only %u frames", (long long)given.last, (unsigned)count);
    }
    const uint32_t frames = given.last < 0 ? count : (uint32_t)given.last + 1;
    xc_tool_check_about(xc_chunk_play(&input.state, &input.input, frames, workspace, &err), name, &err);
    *state = input.state;
    input.state = (struct xc_state)XC_STATE_INIT;
    xc_tool_chunk_input_clear(&input);
}

/* The state after the anchors in all of the files. */
static void replay_all(struct xc_state *state, char **names, int count, struct xc_workspace *workspace)
{
    xc_tool_state_read(state, xc_workspace_pool(workspace), given.state);
    for (int i = 0; i < count; i++) {
        xc_tool_replay_anchors(state, names[i], i ? names[i - 1] : given.state, "-S", given.cq_level, workspace);
    }
}

/* Files to read, of the operands; the one after them, if there is one, is written. */
static int inputs_of(char **operands)
{
    int count = 0;
    while (operands[count]) {
        count++;
    }
    return given.id ? count : count - 1;
}

static void check(char **operands, int inputs)
{
    if (given.id && inputs > 1 && !given.anchors) {
        xc_tool_usage_error("--id writes no file");
    }
    if (inputs == 0) {
        xc_tool_usage_error("a file is missing: xc-dump IN.ivf OUT.state");
    }
    if (inputs > 1 && !given.anchors) {
        xc_tool_usage_error("only --anchors takes several files to read");
    }
    if (given.compress && given.id) {
        xc_tool_usage_error("--id writes no file, so there is nothing for -z");
    }
    if (given.json && !given.id) {
        xc_tool_usage_error("--json needs --id");
    }
    if (given.anchors && given.last >= 0) {
        xc_tool_usage_error("--anchors and -f exclude each other: followers come after the last anchor");
    }
    if (!given.anchors && xc_tool_given(&given.cq_level)) {
        xc_tool_usage_error("--cq-level goes with --anchors");
    }
    if (given.id && !is_ivf(operands[0]) && (given.state || given.last >= 0 || given.anchors)) {
        xc_tool_usage_error("-S, -f and --anchors are for IVF files, which %s is not", operands[0]);
    }
}

int main(int argc, char **argv)
{
    const struct xc_tool tool = {
        .name = "xc-dump",
        .synopsis = "[OPTION]... IN.ivf OUT.state\n"
                    "--anchors [OPTION]... IN.ivf... OUT.state\n"
                    "--id [OPTION]... IN.ivf|IN.state",
        .description = "Decodes IN.ivf and writes the state that the decoder is in afterwards: all that decoding "
                       "further frames depends on.",
        .examples = "xc-dump 00000000.ivf 00000000-0.state\n"
                    "xc-dump --id 00000000-0.state",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = INT_MAX,
    };
    given.cq_level = xc_anchored_defaults.cq_level;
    char **operands = xc_tool_start(&tool, argc, argv);
    const int inputs = inputs_of(operands);
    check(operands, inputs);

    struct xc_workspace *workspace = xc_tool_workspace(given.threads);
    struct xc_state state;
    if (given.anchors) {
        replay_all(&state, operands, inputs, workspace);
    } else if (given.id && !is_ivf(operands[0])) {
        xc_tool_state_read(&state, NULL, operands[0]);
    } else {
        follow(&state, operands[0], given.state, workspace);
    }
    if (given.id) {
        print_id(&state, operands[0]);
    } else {
        write_state(&state, operands[inputs]);
    }
    xc_state_clear(&state);
    xc_workspace_free(workspace);
    return 0;
}
