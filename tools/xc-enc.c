/* xc-enc: encodes raw pictures given a state, from nothing, or after the example of a chunk that was encoded
 * elsewhere. */
#include <string.h>
#include <unistd.h>

#include "enc_modes.h"

/* Where a number is optional, -1 says that it is not given: its default comes after it is checked what is. */
static struct options {
    const char *format, *output, *state, *output_state, *prediction, *prediction_state, *quality;
    bool reencode, extra, no_wait, two_pass;
    double weight;
    int64_t threads;
    struct primary_options primary;
    bool anchors;
    const char *anchors_name;
    struct anchored_options anchored;
} given = {
    .format = "ivf",
    .output = "output.ivf",
    .quality = "best",
    .weight = -1,
    .threads = 1,
    .primary = { .quantizer = -1, .ssim = -1 },
    .anchored = { .cq_level = -1, .key_weight = -1, .anchor_weight = -1 },
};

static const struct xc_tool_option options[] = {
    { 'o', "output", "FILE", "the encoded chunk (default: output.ivf)", .text = &given.output },
    { 'i', "input-format", "FORMAT", "of IN: ivf (default) or y4m", .text = &given.format },
    { 'I', "input-state", "FILE", "the state to predict from (default: none, begin with a key frame)",
      .text = &given.state },
    { 'O', "output-state", "FILE", "where to write the state behind the chunk", .text = &given.output_state },
    { 'y', "y-ac-qi", "QINDEX", "quantizer index of all frames, 0 to 127", .integer = &given.primary.quantizer,
      .minimum = 0, .maximum = 127 },
    { 's', "ssim", "SSIM", "in place of -y: the least SSIM of each frame (default: 0.99)", .real = &given.primary.ssim,
      .minimum = 0, .maximum = 1 },
    { 'F', "frame-sizes", "FILE", "in place of -y: the greatest size of each frame in bytes, one a line",
      .text = &given.primary.frame_sizes },
    { 'q', "quality", "best|rt", "search thoroughly (default) or fast", .text = &given.quality },
    { '2', "two-pass", NULL, "taken for compatibility; one pass knows all that two would", .flag = &given.two_pass },
    { 'r', "reencode", NULL, "encode after the example of PRED.ivf", .flag = &given.reencode },
    { 'p', "pred-ivf", "FILE", "that example, begun with a key frame; otherwise it is rebased",
      .text = &given.prediction },
    { 'S', "pred-state", "FILE", "the state that PRED.ivf was predicted from", .text = &given.prediction_state },
    { 'w', "kf-q-weight", "WEIGHT",
      "of the key frame's quantizer against the next one's, for what replaces it (default: 1)", .real = &given.weight,
      .minimum = 0, .maximum = 1 },
    { 'e', "extra-frame-chunk", NULL,
      "PRED.ivf and IN begin with one frame, in PRED.ivf a key frame, that is not part of the chunk",
      .flag = &given.extra },
    { 'W', "no-wait", NULL, "do not wait for the end of standard input before reading SOURCE.state",
      .flag = &given.no_wait },
    { 0, "anchors", NULL,
      "encode only the anchors of IN: its last picture, every twelfth, the last of each scene; "
      "and key frames, where scenes begin",
      .flag = &given.anchors },
    { 0, "follow", "ANCHORS.ivf", "encode all pictures of IN but these, and put these in their places",
      .text = &given.anchors_name },
    { 0, "cq-level", "LEVEL", "with --anchors and --follow: quality from 0 (best) to 63, as vpxenc's (default: 22)",
      .integer = &given.anchored.cq_level, .minimum = 0, .maximum = 63 },
    { 0, "key-weight", "WEIGHT",
      "with --anchors: of the quantizer index for key frames (default: 0.2), times the "
      "root of how much changes from picture to picture; no finer than 1/n if a cut comes n pictures later",
      .real = &given.anchored.key_weight, .minimum = 0, .maximum = 4 },
    { 0, "anchor-weight", "WEIGHT",
      "with --anchors: of the quantizer index for other anchors (default: 0.3); no finer than 1/n if it is for n "
      "pictures and a cut follows it",
      .real = &given.anchored.anchor_weight, .minimum = 0, .maximum = 4 },
    XC_TOOL_THREADS_OPTION(given.threads),
    { 0 },
};

static const char *parse(int argc, char **argv)
{
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
    return xc_tool_start(&tool, argc, argv)[0];
}

/* An option of one way to encode says nothing in another. */
static void check_modes(const struct options *o)
{
    const struct primary_options *primary = &o->primary;
    const struct anchored_options *anchored = &o->anchored;
    const bool follow = o->anchors_name;
    const int goals = (primary->quantizer >= 0) + (primary->ssim >= 0) + (primary->frame_sizes != NULL);
    if (o->reencode + o->anchors + follow + goals > 1) {
        xc_tool_usage_error("-r, --anchors, --follow, -y, -s and -F exclude each other");
    }
    if (!o->reencode && (o->prediction || o->prediction_state || o->extra || o->weight >= 0)) {
        xc_tool_usage_error("-p, -S, -e and -w go with -r");
    }
    /* Both steps take the same options, though --follow heeds only the first of them. */
    if (!o->anchors && !follow &&
        (anchored->cq_level >= 0 || anchored->key_weight >= 0 || anchored->anchor_weight >= 0)) {
        xc_tool_usage_error("--cq-level, --key-weight and --anchor-weight go with --anchors and --follow");
    }
}

/* Waiting leaves nothing to read there. */
static void refuse_standard_input(const struct options *o, const char *input)
{
    const char *const names[] = { input, o->state, o->prediction, o->prediction_state };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i] && !strcmp(names[i], "-")) {
            xc_tool_usage_error("-r waits for the end of standard input, so no input can be - without -W");
        }
    }
}

static void check(const struct options *o, const char *input)
{
    if (strcmp(o->quality, "best") && strcmp(o->quality, "rt")) {
        xc_tool_usage_error("unknown quality '%s': best and rt are known", o->quality);
    }
    check_modes(o);
    if (o->reencode && (!o->state || !o->prediction)) {
        xc_tool_usage_error("-r needs -I and -p");
    }
    if (o->reencode && !o->no_wait) {
        refuse_standard_input(o, input);
    }
}

static void set_defaults(struct options *o)
{
    struct anchored_options *anchored = &o->anchored;
    o->weight = o->weight < 0 ? 1 : o->weight;
    o->primary.ssim = o->primary.ssim < 0 ? 0.99 : o->primary.ssim;
    anchored->cq_level = anchored->cq_level < 0 ? 22 : anchored->cq_level;
    anchored->key_weight = anchored->key_weight < 0 ? 0.2 : anchored->key_weight;
    anchored->anchor_weight = anchored->anchor_weight < 0 ? 0.3 : anchored->anchor_weight;
}

/* What the modes have in common. */
struct work {
    const struct options *options;
    struct xc_workspace *workspace;
    struct xc_tool_source source;
    struct xc_tool_chunk chunk;
    struct xc_state state;      /* before the chunk, and in the end behind it */
    struct xc_encoder *encoder; /* while it is needed; not for rebasing */
};

static void start_chunk(struct work *w)
{
    xc_tool_state_read(&w->state, xc_workspace_pool(w->workspace), w->options->state);
    xc_tool_chunk_start(&w->chunk, &w->source, &w->state, w->options->state);
}

/* libvpx's cpu-used; what 0 instead of 1 would give is in docs/compression.md. */
static int speed_of(const struct options *o)
{
    if (!strcmp(o->quality, "rt")) {
        return 5;
    }
    return o->reencode || o->anchors_name ? 1 : 0;
}

static void start_encoder(struct work *w)
{
    const struct xc_encoder_options how = {
        .width = w->source.width,
        .height = w->source.height,
        .speed = speed_of(w->options),
        .tune_ssim = true,
    };
    struct xc_error err;
    xc_tool_check(xc_encoder_new(&w->encoder, w->workspace, &how, &err), w->source.name, &err);
    if (w->options->state) {
        xc_tool_check(xc_encoder_set_state(w->encoder, &w->state, &err), w->options->state, &err);
    }
}

static void end_encoder(struct work *w)
{
    struct xc_error err;
    xc_tool_check(xc_state_copy(&w->state, xc_encoder_state(w->encoder), &err), NULL, &err);
    xc_encoder_free(w->encoder);
}

/* The state may be still on its way: whoever sends it closes our standard input when it is there. */
static void wait_for_end_of_input(void)
{
    char ignored[4096];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
    }
}

static void run_reencode(struct work *w)
{
    const struct options *o = w->options;
    struct xc_tool_prediction prediction;
    xc_tool_prediction_open(&prediction, o->prediction, o->prediction_state, &w->source);
    const bool anew = xc_tool_prediction_begins_with_key(&prediction);
    if (o->extra && !anew) {
        xc_tool_fail(o->prediction, "does not begin with a key frame, as with -e it must");
    }
    if (!o->no_wait) {
        wait_for_end_of_input();
    }
    start_chunk(w);
    if (anew) {
        start_encoder(w);
        reencode(w->encoder, &prediction, &w->source, &w->chunk, o->weight, o->extra, w->workspace);
        end_encoder(w);
    } else {
        xc_tool_rebase(&prediction, &w->state, &w->source, &w->chunk, w->workspace);
    }
    xc_tool_prediction_close(&prediction);
}

static void run_follow(struct work *w)
{
    struct xc_tool_ivf anchors;
    xc_tool_ivf_read(&anchors, w->options->anchors_name);
    xc_tool_source_check_file(&w->source, &anchors);
    start_chunk(w);
    xc_tool_ivf_check_state(&anchors, &w->state, "-I");
    start_encoder(w);
    encode_followers(w->encoder, &w->source, &anchors, &w->chunk, &w->options->anchored);
    end_encoder(w);
    xc_ivf_free(&anchors.ivf);
}

/* Without the frames of another chunk. */
static void run_alone(struct work *w)
{
    const struct options *o = w->options;
    start_chunk(w);
    start_encoder(w);
    if (o->anchors) {
        encode_anchors(w->encoder, &w->source, &w->chunk, &o->anchored);
    } else {
        encode_primary(w->encoder, &w->source, &w->chunk, &o->primary);
    }
    end_encoder(w);
}

int main(int argc, char **argv)
{
    const char *input = parse(argc, argv);
    check(&given, input);
    set_defaults(&given);

    struct work w = { .options = &given, .workspace = xc_tool_workspace(given.threads) };
    xc_tool_source_open(&w.source, input, given.format, w.workspace);
    if (given.reencode) {
        run_reencode(&w);
    } else if (given.anchors_name) {
        run_follow(&w);
    } else {
        run_alone(&w);
    }
    xc_tool_chunk_write(&w.chunk, given.output, &w.state, given.output_state);

    xc_state_clear(&w.state);
    xc_tool_source_close(&w.source);
    xc_workspace_free(w.workspace);
    return 0;
}
