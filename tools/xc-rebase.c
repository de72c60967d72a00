/* xc-rebase: the serial step. Turns a chunk that was predicted from one state into one that predicts from another. */
#include "prediction.h"

static struct {
    const char *format, *output, *state, *output_state, *prediction, *prediction_state;
    double weight;
    bool reencode, no_wait;
    int64_t threads;
} given = { .format = "y4m", .output = "output.ivf", .threads = 1 };

static const struct xc_tool_option options[] = {
    { 'o', "output", "FILE", "the rebased chunk (default: output.ivf)", .text = &given.output },
    { 'i', "input-format", "FORMAT", "of IN: y4m (default) or ivf", .text = &given.format },
    { 'I', "input-state", "FILE", "the state to predict from", .text = &given.state },
    { 'p', "pred-ivf", "FILE", "the chunk to rebase", .text = &given.prediction },
    { 'S', "pred-state", "FILE", "the state that it was predicted from", .text = &given.prediction_state },
    { 'O', "output-state", "FILE", "where to write the state behind the chunk", .text = &given.output_state },
    { 'w', "kf-q-weight", "WEIGHT", "taken for compatibility with xc-enc; a rebased frame keeps its quantizer",
      .real = &given.weight, .minimum = 0, .maximum = 1 },
    { 'r', "reencode", NULL, "taken for compatibility with xc-enc", .flag = &given.reencode },
    { 'W', "no-wait", NULL, "taken for compatibility with xc-enc", .flag = &given.no_wait },
    XC_TOOL_THREADS_OPTION(given.threads),
    { 0 },
};

int main(int argc, char **argv)
{
    const struct xc_tool tool = {
        .name = "xc-rebase",
        .synopsis = "-o OUT.ivf -I SOURCE.state -p PRED.ivf -S PRED.state [-O OUT.state] IN.y4m",
        .description =
            "Rebases PRED.ivf, predicted from PRED.state, onto SOURCE.state: modes and motion vectors stay, the "
            "residue is made anew from the raw pictures of IN.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!given.state || !given.prediction || !given.prediction_state) {
        xc_tool_usage_error("-I, -p and -S are needed");
    }

    struct xc_workspace *workspace = xc_tool_workspace(given.threads);
    struct xc_tool_source source;
    struct xc_tool_prediction prediction;
    struct xc_tool_chunk chunk;
    struct xc_state state;
    xc_tool_source_open(&source, operands[0], given.format, workspace);
    xc_tool_prediction_open(&prediction, given.prediction, given.prediction_state, &source);
    xc_tool_state_read(&state, xc_workspace_pool(workspace), given.state);
    xc_tool_chunk_start(&chunk, &source, &state, given.state);
    xc_tool_rebase(&prediction, &state, &source, &chunk, workspace);
    xc_tool_chunk_write(&chunk, given.output, &state, given.output_state);

    xc_state_clear(&state);
    xc_tool_source_close(&source);
    xc_tool_prediction_close(&prediction);
    xc_workspace_free(workspace);
    return 0;
}
