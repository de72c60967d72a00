/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-dump: decodes a file up to some frame and writes the state after it, or only names it. */
#include "json.h"
#include "tool-chunk.h"

#include <string.h>
#include <sys/stat.h>

static void write_state(const struct xc_state *state, bool compress, const char *name)
{
    struct xc_tool_output output;
    xc_tool_output_open(&output, name);
    xc_tool_state_write(state, compress, output.stream, name);
    xc_tool_output_commit(&output, 1);
}

/* A state's name: the id that IVF files carry, and the hash that it is taken from. */
static void print_id(const struct xc_state *state, const char *name, bool as_json)
{
    struct xc_tool_output output;
    char id[9], hash[17];
    snprintf(id, sizeof id, "%08x", (unsigned)xc_state_id(state));
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)xc_state_hash(state));
    xc_tool_output_open(&output, "-");
    if (as_json) {
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

/* The state after a file's frames up to last, or all of them. */
static void follow(struct xc_state *state, const char *name, const char *state_name, int64_t last,
                   struct xc_workspace *workspace)
{
    struct xc_tool_chunk_input input;
    struct xc_error err;
    xc_tool_chunk_input_read(&input, name, state_name, "-S", workspace);
    xc_tool_ivf_check_state(&input.file, &input.state, state_name, "-S");
    const uint32_t count = input.file.ivf.header.frame_count;
    if (count == 0) {
        xc_tool_fail(name, "has no frame");
    }
    if (last >= count) {
        xc_tool_fail(name, "has no frame %lld, only %u frames", (long long)last, (unsigned)count);
    }
    const uint32_t frames = last < 0 ? count : (uint32_t)last + 1;
    xc_tool_check_about(xc_chunk_play(&input.state, &input.input, frames, workspace, &err), name, &err);
    *state = input.state;
    input.state = (struct xc_state)XC_STATE_INIT;
    xc_tool_chunk_input_clear(&input);
}

int main(int argc, char **argv)
{
    bool id = false, json = false, compress = false;
    int64_t last = -1, threads = 1;
    const char *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'f', "frame-number", "N", "stop after frame N, counted from 0, hidden frames included (default: the last)",
          .integer = &last, .maximum = UINT32_MAX },
        { 'S', "input-state", "FILE", "decode from this state; needed unless IN.ivf begins with a key frame",
          .text = &state_name },
        { 'z', "compress", NULL,
          "write the state compressed (zlib, level 1), as do all tools with XC_COMPRESS_STATES=1 in the environment; "
          "all of them read both",
          .flag = &compress },
        { 0, "id", NULL, "print the state's id, which an IVF file has that expects it, and its hash", .flag = &id },
        { 0, "json", NULL, "with --id: print JSON", .flag = &json },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-dump",
        .synopsis = "[OPTION]... IN.ivf OUT.state\n--id [OPTION]... IN.ivf|IN.state",
        .description = "Decodes IN.ivf and writes the state that the decoder is in afterwards: all that decoding "
                       "further frames depends on.",
        .examples = "xc-dump 00000000.ivf 00000000-0.state\n"
                    "xc-dump --id 00000000-0.state",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 2,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (id == (operands[1] != NULL)) {
        xc_tool_usage_error(id ? "--id writes no file" : "a file is missing: xc-dump IN.ivf OUT.state");
    }
    if (compress && id) {
        xc_tool_usage_error("--id writes no file, so there is nothing for -z");
    }
    if (json && !id) {
        xc_tool_usage_error("--json needs --id");
    }

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_state state;
    if (id && !is_ivf(operands[0])) {
        if (state_name || last >= 0) {
            xc_tool_usage_error("-S and -f are for IVF files, which %s is not", operands[0]);
        }
        xc_tool_state_read(&state, NULL, operands[0]);
    } else {
        follow(&state, operands[0], state_name, last, workspace);
    }
    if (id) {
        print_id(&state, operands[0], json);
    } else {
        write_state(&state, compress, operands[1]);
    }
    xc_state_clear(&state);
    xc_workspace_free(workspace);
    return 0;
}
