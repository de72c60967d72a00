/* xc-enc: encodes raw pictures given a state, from nothing, or after the example of a chunk that was encoded
 * elsewhere. */
#include <string.h>
#include <unistd.h>

#include "enc_modes.h"

struct options {
    const char *format, *output, *state, *output_state, *prediction, *prediction_state, *quality;
    bool reencode, extra, no_wait, two_pass;
    double weight;
    int64_t threads;
    struct primary_options primary;
    bool anchors;
    const char *anchors_name;
    struct anchored_options anchored;
};

static char **parse(struct options *o, int argc, char **argv)
{
    const struct xc_tool_option options[] = {
        { 'o', "output", "FILE", "the encoded chunk (default: output.ivf)", .text = &o->output },
        { 'i', "input-format", "FORMAT", "of IN: ivf (default) or y4m", .text = &o->format },
        { 'I', "input-state", "FILE", "the state to predict from (default: none, begin with a key frame)",
          .text = &o->state },
        { 'O', "output-state", "FILE", "where to write the state behind the chunk", .text = &o->output_state },
        { 'y', "y-ac-qi", "QINDEX", "quantizer index of all frames, 0 to 127", .integer = &o->primary.quantizer,
          .minimum = 0, .maximum = 127 },
        { 's', "ssim", "SSIM", "without -y: the least SSIM of each frame (default: 0.99)", .real = &o->primary.ssim,
          .minimum = 0, .maximum = 1 },
        { 'F', "frame-sizes", "FILE", "without -y: the greatest size of each frame in bytes, one a line",
          .text = &o->primary.frame_sizes },
        { 'q', "quality", "best|rt", "search thoroughly (default) or fast", .text = &o->quality },
        { '2', "two-pass", NULL, "taken for compatibility; one pass knows all that two would", .flag = &o->two_pass },
        { 'r', "reencode", NULL, "encode after the example of PRED.ivf", .flag = &o->reencode },
        { 'p', "pred-ivf", "FILE", "that example, begun with a key frame; otherwise it is rebased",
          .text = &o->prediction },
        { 'S', "pred-state", "FILE", "the state that PRED.ivf was predicted from", .text = &o->prediction_state },
        { 'w', "kf-q-weight", "WEIGHT",
          "of the key frame's quantizer against the next one's, for what replaces it "
          "(default: 1)",
          .real = &o->weight, .minimum = 0, .maximum = 1 },
        { 'e', "extra-frame-chunk", NULL, "PRED.ivf and IN begin with one frame that is not part of the chunk",
          .flag = &o->extra },
        { 'W', "no-wait", NULL, "do not wait for the end of standard input before reading SOURCE.state",
          .flag = &o->no_wait },
        { 0, "anchors", NULL,
          "encode only the anchors of IN: its last picture, every twelfth, the last of each scene; "
          "and key frames, where scenes begin",
          .flag = &o->anchors },
        { 0, "follow", "ANCHORS.ivf", "encode all pictures of IN but these, and put these in their places",
          .text = &o->anchors_name },
        { 0, "cq-level", "LEVEL", "with --anchors and --follow: quality from 0 (best) to 63, as vpxenc's (default: 22)",
          .integer = &o->anchored.cq_level, .minimum = 0, .maximum = 63 },
        { 0, "key-weight", "WEIGHT",
          "with --anchors: of the quantizer index for key frames (default: 0.2), times the "
          "root of how much changes from picture to picture",
          .real = &o->anchored.key_weight, .minimum = 0, .maximum = 4 },
        { 0, "anchor-weight", "WEIGHT", "with --anchors: of the quantizer index for other anchors (default: 0.3)",
          .real = &o->anchored.anchor_weight, .minimum = 0, .maximum = 4 },
        XC_TOOL_THREADS_OPTION(o->threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-enc",
        .synopsis =
            "[-I SOURCE.state] (-y QINDEX | -s SSIM | -F SIZES) [-O OUT.state] -o OUT.ivf IN\n"
            "-r -W [-w WEIGHT] -i y4m -I SOURCE.state -p PRED.ivf [-S PRED.state] [-O OUT.state] -o OUT.ivf IN.y4m\n"
            "--anchors [--cq-level LEVEL] -i y4m [-I SOURCE.state] [-O OUT.state] -o ANCHORS.ivf IN.y4m\n"
            "--follow ANCHORS.ivf [--cq-level LEVEL] -i y4m [-I SOURCE.state] -o OUT.ivf IN.y4m",
        .description =
            "Encodes IN as interframes that predict from SOURCE.state. With -r, quantizers and key frames within "
            "are those of PRED.ivf; if PRED.ivf itself begins with an interframe, it is rebased. --anchors and "
            "--follow encode a chunk in two steps, of which only the first hands on a state.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    return xc_tool_start(&tool, argc, argv);
}

static void check(const struct options *o)
{
    if (strcmp(o->quality, "best") && strcmp(o->quality, "rt")) {
        xc_tool_usage_error("unknown quality '%s': best and rt are known", o->quality);
    }
    if (o->reencode && (!o->state || !o->prediction)) {
        xc_tool_usage_error("-r needs -I and -p");
    }
    const bool primary = o->primary.quantizer >= 0 || o->primary.frame_sizes;
    if (o->reencode + o->anchors + (o->anchors_name != NULL) + primary > 1) {
        xc_tool_usage_error("-r, --anchors, --follow, -y and -F exclude each other");
    }
    if (!o->reencode && (o->prediction || o->prediction_state || o->extra)) {
        xc_tool_usage_error("-p, -S and -e go with -r");
    }
}

/* The state may be still on its way: whoever sends it closes our standard input when it is there. */
static void wait_for_end_of_input(void)
{
    char ignored[4096];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
    }
}

/* libvpx's cpu-used. Where spans are filled, 0 instead of 1 takes a fifth more time for 1 % fewer bits, and for none
 * where they are rebased later (docs/compression.md). */
static int speed_of(const struct options *o)
{
    if (!strcmp(o->quality, "rt")) {
        return 5;
    }
    return o->reencode || o->anchors_name ? 1 : 0;
}

static void run(const struct options *o, const char *input)
{
    struct xc_workspace *workspace = xc_tool_workspace(o->threads);
    struct xc_tool_source source;
    struct xc_tool_prediction prediction;
    struct xc_tool_ivf anchors;
    struct xc_tool_chunk chunk;
    struct xc_state state;
    struct xc_encoder *encoder;
    struct xc_error err;

    xc_tool_source_open(&source, input, o->format, workspace);
    if (o->reencode) {
        xc_tool_prediction_open(&prediction, o->prediction, o->prediction_state, &source);
        if (!o->no_wait) {
            wait_for_end_of_input();
        }
    }
    xc_tool_state_read(&state, xc_workspace_pool(workspace), o->state);
    xc_tool_chunk_start(&chunk, &source, &state);
    const struct xc_encoder_options how = {
        .width = source.width,
        .height = source.height,
        .speed = speed_of(o),
        .tune_ssim = true,
    };
    xc_tool_check(xc_encoder_new(&encoder, workspace, &how, &err), NULL, &err);
    if (o->state) {
        xc_tool_check(xc_encoder_set_state(encoder, &state, &err), o->state, &err);
    }

    if (o->reencode && !xc_tool_prediction_begins_with_key(&prediction)) {
        xc_tool_rebase(&prediction, &state, &source, &chunk, workspace);
    } else {
        if (o->reencode) {
            reencode(encoder, &prediction, &source, &chunk, o->weight, o->extra, workspace);
        } else if (o->anchors) {
            encode_anchors(encoder, &source, &chunk, &o->anchored);
        } else if (o->anchors_name) {
            xc_tool_ivf_read(&anchors, o->anchors_name);
            xc_tool_source_check_file(&source, &anchors);
            xc_tool_ivf_check_state(&anchors, &state);
            encode_followers(encoder, &source, &anchors, &chunk, &o->anchored);
            xc_ivf_free(&anchors.ivf);
        } else {
            encode_primary(encoder, &source, &chunk, &o->primary);
        }
        xc_tool_check(xc_state_copy(&state, xc_encoder_state(encoder), &err), NULL, &err);
    }
    xc_tool_chunk_write(&chunk, o->output, &state, o->output_state);

    if (o->reencode) {
        xc_tool_prediction_close(&prediction);
    }
    xc_encoder_free(encoder);
    xc_state_clear(&state);
    xc_tool_source_close(&source);
    xc_workspace_free(workspace);
}

int main(int argc, char **argv)
{
    struct options options = {
        .format = "ivf",
        .output = "output.ivf",
        .quality = "best",
        .weight = 1,
        .threads = 1,
        .primary = { .quantizer = -1, .ssim = 0.99 },
        .anchored = { .cq_level = 22, .key_weight = 0.2, .anchor_weight = 0.3 },
    };
    char **operands = parse(&options, argc, argv);
    check(&options);
    run(&options, operands[0]);
    return 0;
}
