/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-rebase: the serial step. Turns a chunk that was predicted from one state into one that predicts from another. */
#include "tool-chunk.h"

static struct {
    const char *format, *output, *state, *output_state, *prediction, *prediction_state, *replay;
    double weight;
    bool reencode, no_wait, anchors;
    int64_t threads, cq_level, replay_level;
} given = { .format = "y4m", .output = "output.ivf", .weight = -1, .threads = 1, .replay_level = -1 };

static const struct xc_tool_option options[] = {
    { 'o', "output", "FILE", "the rebased chunk", .text = &given.output },
    { 'i', "input-format", "FORMAT", "format of IN: y4m or ivf", .text = &given.format },
    { 'I', "input-state", "FILE", "the state to predict from", .text = &given.state },
    { 'p', "pred-ivf", "FILE", "the chunk to rebase", .text = &given.prediction },
    { 'S', "pred-state", "FILE", "the state that it was predicted from", .text = &given.prediction_state },
    { 'O', "output-state", "FILE", "where to write the state after the chunk", .text = &given.output_state },
    { 0, "anchors", NULL, "PRED.ivf is a guess by xc-enc --guess, and IN its TARGETS.y4m", .flag = &given.anchors },
    { 0, "cq-level", "LEVEL", "with --anchors: as given to xc-enc --guess", .integer = &given.cq_level, .minimum = 0,
      .maximum = 63 },
    { 0, "replay", "ANCHORS",
      "with --anchors: the anchors of the chunk before; -I names the state before them, unless they begin with a key "
      "frame",
      .text = &given.replay },
    { 0, "replay-cq-level", "LEVEL", "with --replay: the level of that chunk (default: that of --cq-level)",
      .integer = &given.replay_level, .minimum = 0, .maximum = 63 },
    { 'w', "kf-q-weight", "WEIGHT",
      "no effect, since a rebased frame keeps its quantizer; taken for compatibility with xc-enc",
      .real = &given.weight, .minimum = 0, .maximum = 1 },
    { 'r', "reencode", NULL, "no effect; taken for compatibility with xc-enc", .flag = &given.reencode },
    { 'W', "no-wait", NULL, "no effect; taken for compatibility with xc-enc", .flag = &given.no_wait },
    XC_TOOL_THREADS_OPTION(given.threads),
    { 0 },
};

static void check(void)
{
    if ((!given.state && !given.replay) || !given.prediction || (!given.prediction_state && !given.anchors)) {
        xc_tool_usage_error("%s is needed", !given.state && !given.replay ? "-I SOURCE.state"
                                            : !given.prediction           ? "-p PRED.ivf"
                                                                          : "-S PRED.state");
    }
    if (given.anchors && given.prediction_state) {
        xc_tool_usage_error("--anchors goes without -S: a guess was made from no state");
    }
    if (!given.anchors && (given.replay || xc_tool_given(&given.cq_level))) {
        xc_tool_usage_error("%s goes with --anchors", given.replay ? "--replay" : "--cq-level");
    }
    if (!given.replay && xc_tool_given(&given.replay_level)) {
        xc_tool_usage_error("--replay-cq-level goes with --replay");
    }
}

static char **parse(int argc, char **argv)
{
    const struct xc_tool tool = {
        .name = "xc-rebase",
        .synopsis = "-o OUT.ivf -I SOURCE.state -p PRED.ivf -S PRED.state [-O OUT.state] IN.y4m\n"
                    "--anchors -o OUT.ivf -I SOURCE.state -p GUESS.ivf [-O OUT.state] TARGETS.y4m\n"
                    "--anchors --replay ANCHORS.ivf [-I BEFORE.state] -o OUT.ivf -p GUESS.ivf TARGETS.y4m",
        .description =
            "Rebases PRED.ivf, predicted from PRED.state, onto SOURCE.state: modes and motion vectors stay, unless "
            "others that are cheap do better, and the residue is made anew from the raw pictures of IN.\n\n"
            "The second form rebases anchors that xc-enc --guess made before SOURCE.state was known. The third form "
            "first decodes the anchors of the chunk before, which saves writing and reading the state between.",
        .examples = "xc-rebase -o 00000002.ivf -p 00000002-1.ivf -S 00000001-0.state -I 00000001-1.state 00000002.y4m",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    check();
    if (given.replay_level < 0) {
        given.replay_level = given.cq_level;
    }
    return operands;
}

static enum xc_status rebase_chunk(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err)
{
    struct xc_tool_chunk_input prediction;
    xc_tool_chunk_input_read(&prediction, given.prediction, given.prediction_state, "-S", job->workspace);
    enum xc_status status = xc_chunk_rebase(chunk, job, &prediction.input, err);
    xc_tool_chunk_input_clear(&prediction);
    return status;
}

static enum xc_status rebase_anchors(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err)
{
    struct xc_anchored_options how = xc_anchored_defaults;
    struct xc_tool_ivf guess;
    how.cq_level = (unsigned)given.cq_level;
    xc_tool_ivf_read(&guess, given.prediction);
    const struct xc_chunk_input input = { .ivf = &guess.ivf, .name = given.prediction };
    enum xc_status status = xc_chunk_rebase_anchors(chunk, job, &input, &how, err);
    xc_ivf_clear(&guess.ivf);
    return status;
}

int main(int argc, char **argv)
{
    given.cq_level = xc_anchored_defaults.cq_level;
    const char *input = parse(argc, argv)[0];

    struct xc_tool_source source;
    struct xc_state state;
    const struct xc_chunk_job job = {
        .workspace = xc_tool_workspace(given.threads),
        .source = &source.pictures,
        .state = &state,
        .state_name = given.replay ? given.replay : given.state,
    };
    struct xc_chunk chunk;
    struct xc_error err;
    xc_tool_source_open(&source, input, given.format, job.workspace);
    xc_tool_state_read(&state, xc_workspace_pool(job.workspace), given.state);
    if (given.replay) {
        xc_tool_replay_anchors(&state, given.replay, given.state, "-I", given.replay_level, job.workspace);
    }
    xc_tool_check_about((given.anchors ? rebase_anchors : rebase_chunk)(&chunk, &job, &err), input, &err);
    xc_tool_chunk_write(&chunk, given.output, &state, given.output_state);

    xc_state_clear(&state);
    xc_tool_source_close(&source);
    xc_workspace_free(job.workspace);
    return 0;
}
