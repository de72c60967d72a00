/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-enc: encodes raw pictures from a state, from nothing, or after the example of a chunk that was encoded
 * elsewhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enc_guess.h"
#include "enc_pictures.h"
#include "excamera/encode.h"
#include "tool-chunk.h"

enum { FASTEST = 4 };                  /* --speed */
static const double MOST_BYTES = 1e15; /* --fit-bytes: as many as ./excamera --size takes */

static struct {
    const char *format, *output, *state, *output_state, *prediction, *prediction_state, *quality, *frame_sizes,
        *anchors_name, *guess_targets, *picture_before, *key_picture, *after;
    bool reencode, extra, no_wait, two_pass, anchors;
    int64_t quantizer, cq_level, place, fit_bytes, speed, threads;
    double ssim, key_frame_weight, key_weight, anchor_weight, fit_ssim;
} given = { .format = "ivf", .output = "output.ivf", .quality = "best", .threads = 1, .quantizer = -1, .place = -1 };

static const struct xc_tool_option options[] = {
    { 'o', "output", "FILE", "the encoded chunk", .group = "Files", .text = &given.output },
    { 'i', "input-format", "FORMAT", "format of IN: ivf or y4m", .text = &given.format },
    { 'I', "input-state", "FILE", "the state to continue from; without it, the chunk begins with a key frame",
      .text = &given.state },
    { 'O', "output-state", "FILE", "where to write the state after the chunk", .text = &given.output_state },

    { 's', "ssim", "SSIM", "at least this SSIM in each frame; takes about twice as long as -y",
      .group = "How good, one of", .real = &given.ssim, .minimum = 0, .maximum = 1 },
    { 'y', "y-ac-qi", "QINDEX", "this quantizer index for all frames, from 0 (best) to 127",
      .integer = &given.quantizer, .minimum = 0, .maximum = 127 },
    { 'F', "frame-sizes", "FILE", "at most so many bytes in each frame; FILE has a number on each line",
      .text = &given.frame_sizes },

    { 'r', "reencode", NULL, "take quantizers and the places of key frames from PRED.ivf",
      .group = "After the example of another chunk (classic structure)", .flag = &given.reencode },
    { 'p', "pred-ivf", "PRED.ivf", "the example; if it begins with an interframe, it is rebased",
      .text = &given.prediction },
    { 'S', "pred-state", "FILE", "the state that PRED.ivf was predicted from", .text = &given.prediction_state },
    { 'w', "kf-q-weight", "WEIGHT",
      "how fine the first anchor is: from 1, as fine as PRED.ivf's key frame, which takes more bytes, to 0, no finer "
      "than the frame that it replaces",
      .real = &given.key_frame_weight, .minimum = 0, .maximum = 1 },
    { 'e', "extra-frame-chunk", NULL,
      "PRED.ivf and IN begin with one frame that is not part of the chunk; in PRED.ivf it is a key frame",
      .flag = &given.extra },
    { 'W', "no-wait", NULL,
      "read the state at once; without -W, -r reads it when standard input has ended, so that a program can deliver "
      "the state while this one prepares",
      .flag = &given.no_wait },

    { 0, "anchors", NULL,
      "encode only the anchors of IN (its last picture, every twelfth, and the last of each scene), and a key frame "
      "where a scene begins",
      .group = "In two steps (anchored structure)", .flag = &given.anchors },
    { 0, "follow", "ANCHORS.ivf", "encode all other pictures of IN, and put the anchors in their places",
      .text = &given.anchors_name },
    { 0, "guess", "TARGETS.y4m",
      "encode the anchors before the state is known, from raw pictures instead: a guess, for xc-rebase --anchors. "
      "TARGETS.y4m becomes what the anchors are to look like",
      .text = &given.guess_targets },
    { 0, "after", "FILE",
      "with --anchors and --guess: the film that comes after IN; the last anchor is averaged with its first pictures, "
      "too",
      .text = &given.after },
    { 0, "before", "FILE", "with --guess: the film whose last picture comes before IN", .text = &given.picture_before },
    { 0, "key", "FILE", "with --guess: the film whose first picture is that of the key frame that IN follows",
      .text = &given.key_picture },
    { 0, "cq-level", "LEVEL", "quality, from 0 (best) to 63 (smallest), as vpxenc's", .integer = &given.cq_level,
      .minimum = 0, .maximum = 63 },
    { 0, "key-weight", "WEIGHT",
      "the quantizer index of key frames as a part of that of followers, at level 35 and above: less makes them better "
      "and larger. Where little moves or the level is finer it is made less, and shortly before a scene cut more",
      .real = &given.key_weight, .minimum = 0, .maximum = 4 },
    { 0, "anchor-weight", "WEIGHT", "the same of anchors", .real = &given.anchor_weight, .minimum = 0, .maximum = 4 },
    { 0, "place", "N",
      "the place of IN in its batch, from 0 on: of chunks of six pictures or less, only one in twelve pictures gets a "
      "fine anchor then",
      .integer = &given.place, .minimum = 0, .maximum = INT32_MAX },
    { 0, "fit-bytes", "BYTES",
      "with --follow: make the chunk about this large; the pictures between anchors get finer or coarser for that",
      .integer = &given.fit_bytes, .minimum = 1, .maximum = MOST_BYTES },
    { 0, "fit-ssim", "SSIM", "with --follow: the same until the mean SSIM of the chunk is about this",
      .real = &given.fit_ssim, .minimum = 0, .maximum = 1 },

    { 'q', "quality", "best|rt", "search thoroughly, as --speed says, or as fast as possible", .group = "Others",
      .text = &given.quality },
    { 0, "speed", "N", "from 0 (smallest file) to 4 (fastest, as -q rt)", .integer = &given.speed, .minimum = 0,
      .maximum = FASTEST },
    XC_TOOL_THREADS_OPTION(given.threads),
    { '2', "two-pass", NULL, "no effect; taken for compatibility", .flag = &given.two_pass },
    { 0 },
};

static void set_defaults(void)
{
    given.ssim = xc_primary_defaults.ssim;
    given.key_frame_weight = xc_reencode_defaults.key_weight;
    given.cq_level = xc_anchored_defaults.cq_level;
    given.key_weight = xc_anchored_defaults.key_weight;
    given.anchor_weight = xc_anchored_defaults.anchor_weight;
}

static const char *parse(int argc, char **argv)
{
    const struct xc_tool tool = {
        .name = "xc-enc",
        .synopsis = "[OPTION]... IN\n"
                    "-r -p PRED.ivf -I SOURCE.state [OPTION]... IN\n"
                    "--anchors [OPTION]... IN\n"
                    "--guess=TARGETS.y4m --before=FILE --key=FILE [OPTION]... IN\n"
                    "--follow=ANCHORS.ivf [OPTION]... IN",
        .description =
            "Encodes the chunk IN so that it continues from a state, without a key frame: as interframes that predict "
            "from the state's pictures.\n\n"
            "The second form encodes a chunk again that was encoded elsewhere, or rebases it. The others encode a "
            "chunk "
            "in two steps: --anchors is short, and writes the state that the next chunk continues from; --follow can "
            "run at any time after it. --guess does the work of --anchors before that state is known, and leaves to "
            "xc-rebase --anchors what needs it. docs/how-it-works.md has pictures of all this.",
        .examples = "xc-enc -i y4m --anchors --after=00000001.y4m -O 0-anchors.state -o 0-anchors.ivf 00000000.y4m\n"
                    "xc-enc -i y4m --guess=1-targets.y4m --before=00000000.y4m --key=00000000.y4m -o 1-guess.ivf "
                    "00000001.y4m\n"
                    "xc-enc -i y4m --follow=0-anchors.ivf -o 0.ivf 00000000.y4m\n"
                    "xc-enc -i y4m -W -r -p 00000001-0.ivf -I 00000000-0.state -o 1.ivf 00000001.y4m",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    return xc_tool_start(&tool, argc, argv)[0];
}

/* The ways to encode. At most one of these options is given; -s is the default. */
static const struct {
    const char *option;
    const void *variable;
} modes[] = {
    { "-r", &given.reencode },           { "--anchors", &given.anchors }, { "--guess", &given.guess_targets },
    { "--follow", &given.anchors_name }, { "-y", &given.quantizer },      { "-s", &given.ssim },
    { "-F", &given.frame_sizes },
};

#define STEPS                                                                                                          \
    {                                                                                                                  \
        &given.anchors, &given.guess_targets, &given.anchors_name                                                      \
    }
#define STEP_NAMES "--anchors, --guess and --follow"

/* Options that say something in some of the ways to encode only. */
static const struct {
    const char *option;
    const void *variable;
    const void *modes[3];
    const char *mode_names;
} dependents[] = {
    { "-p", &given.prediction, { &given.reencode }, "-r" },
    { "-S", &given.prediction_state, { &given.reencode }, "-r" },
    { "-e", &given.extra, { &given.reencode }, "-r" },
    { "-w", &given.key_frame_weight, { &given.reencode }, "-r" },
    { "--after", &given.after, { &given.anchors, &given.guess_targets }, "--anchors and --guess" },
    { "--before", &given.picture_before, { &given.guess_targets }, "--guess" },
    { "--key", &given.key_picture, { &given.guess_targets }, "--guess" },
    /* All steps take the same options, although --follow needs only the first of them. */
    { "--cq-level", &given.cq_level, STEPS, STEP_NAMES },
    { "--key-weight", &given.key_weight, STEPS, STEP_NAMES },
    { "--anchor-weight", &given.anchor_weight, STEPS, STEP_NAMES },
    { "--place", &given.place, STEPS, STEP_NAMES },
    { "--fit-bytes", &given.fit_bytes, { &given.anchors_name }, "--follow" },
    { "--fit-ssim", &given.fit_ssim, { &given.anchors_name }, "--follow" },
};

static void check_modes(void)
{
    const char *mode = NULL;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (!xc_tool_given(modes[i].variable)) {
            continue;
        }
        if (mode) {
            xc_tool_usage_error("%s and %s exclude each other", mode, modes[i].option);
        }
        mode = modes[i].option;
    }
    for (size_t i = 0; i < sizeof dependents / sizeof *dependents; i++) {
        bool fits = !xc_tool_given(dependents[i].variable);
        for (size_t j = 0; j < sizeof dependents->modes / sizeof *dependents->modes; j++) {
            fits |= xc_tool_given(dependents[i].modes[j]);
        }
        if (!fits) {
            xc_tool_usage_error("%s goes with %s", dependents[i].option, dependents[i].mode_names);
        }
    }
}

/* Waiting leaves nothing to read there. */
static void refuse_standard_input(const char *input)
{
    const char *const names[] = { input, given.state, given.prediction, given.prediction_state };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i] && !strcmp(names[i], "-")) {
            xc_tool_usage_error("-r waits for the end of standard input, so no input can be - without -W");
        }
    }
}

static void check(const char *input)
{
    if (strcmp(given.quality, "best") && strcmp(given.quality, "rt")) {
        xc_tool_usage_error("unknown quality '%s': best and rt are known", given.quality);
    }
    check_modes();
    if (given.reencode && (!given.state || !given.prediction)) {
        xc_tool_usage_error("-r needs %s", given.state ? "-p PRED.ivf" : "-I SOURCE.state");
    }
    if (given.guess_targets && (!given.picture_before || !given.key_picture)) {
        xc_tool_usage_error("--guess needs %s", given.picture_before ? "--key FILE" : "--before FILE");
    }
    if (given.guess_targets && (given.state || given.output_state)) {
        xc_tool_usage_error("--guess knows no state; xc-rebase --anchors takes %s",
                            given.state ? "-I SOURCE.state" : "-O OUT.state");
    }
    if (xc_tool_given(&given.fit_bytes) && xc_tool_given(&given.fit_ssim)) {
        xc_tool_usage_error("--fit-bytes and --fit-ssim exclude each other");
    }
    if (given.reencode && !given.no_wait) {
        refuse_standard_input(input);
    }
}

/* The state may still be on its way: whoever sends it closes our standard input when it is there. */
static void wait_for_end_of_input(void)
{
    char ignored[4096];
    if (isatty(STDIN_FILENO)) {
        fputs("xc-enc: waiting for the end of standard input (Ctrl-D) to read SOURCE.state; -W does not wait\n",
              stderr);
    }
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
    }
}

/* One line of a file of sizes; false: there is none. */
static bool read_size(FILE *stream, size_t *size)
{
    char line[64];
    if (!fgets(line, sizeof line, stream)) {
        if (ferror(stream)) {
            xc_tool_fail(given.frame_sizes, "%s", strerror(errno));
        }
        return false;
    }
    const size_t length = strcspn(line, "\r\n");
    const bool ends = !line[length] || !strcmp(line + length, "\n") || !strcmp(line + length, "\r\n");
    line[length] = '\0';
    errno = 0;
    const unsigned long long value = strtoull(line, NULL, 10);
    if (!ends || strspn(line, "0123456789") < length || errno || value == 0) {
        xc_tool_fail(given.frame_sizes, "'%s' is not a size in bytes", line);
    }
    *size = (size_t)value;
    return true;
}

/* The caller frees what it returns. */
static size_t *read_sizes(size_t *count)
{
    struct xc_tool_input input;
    size_t *sizes = NULL, size;
    *count = 0;
    xc_tool_input_open(&input, given.frame_sizes);
    while (read_size(input.stream, &size)) {
        size_t *more = realloc(sizes, (*count + 1) * sizeof *sizes);
        if (!more) {
            xc_tool_fail(given.frame_sizes, "out of memory for %zu sizes", *count + 1);
        }
        sizes = more;
        sizes[(*count)++] = size;
    }
    if (!*count) {
        xc_tool_fail(given.frame_sizes, "has no line");
    }
    xc_tool_input_close(&input);
    return sizes;
}

static enum xc_status encode_after_example(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_reencode_options how = { .key_weight = given.key_frame_weight, .extra_frame = given.extra };
    struct xc_tool_chunk_input prediction;
    xc_tool_chunk_input_read(&prediction, given.prediction, given.prediction_state, "-S", job->workspace);
    if (!given.no_wait) {
        wait_for_end_of_input();
    }
    xc_tool_state_read(job->state, xc_workspace_pool(job->workspace), given.state);
    const bool rebase = xc_chunk_begins_with_interframe(&prediction.input) && !given.extra;
    enum xc_status status = rebase ? xc_chunk_rebase(chunk, job, &prediction.input, err)
                                   : xc_chunk_reencode(chunk, job, &prediction.input, &how, err);
    xc_tool_chunk_input_clear(&prediction);
    return status;
}

static void check_pictures(const struct pictures *pictures, const struct xc_ivf *anchors, const uint32_t *names,
                           const char *input)
{
    const uint32_t stranger = pictures_find_stranger(pictures, anchors, names);
    if (stranger < anchors->header.frame_count) {
        xc_tool_fail(input,
                     "has another picture %llu than the one that %s was made of; name the chunk of these anchors",
                     (unsigned long long)anchors->frames[stranger].timestamp, given.anchors_name);
    }
}

static enum xc_status encode_followers(struct xc_chunk *chunk, const struct xc_chunk_job *job,
                                       const struct xc_anchored_options *how, const struct pictures *pictures,
                                       struct xc_error *err)
{
    struct xc_tool_chunk_input anchors;
    xc_tool_chunk_input_read(&anchors, given.anchors_name, given.state, "-I", job->workspace);
    uint32_t *names = pictures_take_names(&anchors.file.ivf);
    if (!names) {
        xc_tool_fail(given.anchors_name, "out of memory for the names of its pictures");
    }
    enum xc_status status = xc_state_copy(job->state, &anchors.state, err);
    if (!status) {
        status = xc_chunk_encode_followers(chunk, job, &anchors.input, how, err);
    }
    if (!status) {
        check_pictures(pictures, &anchors.file.ivf, names, job->source->name);
    }
    free(names);
    xc_tool_chunk_input_clear(&anchors);
    return status;
}

static enum xc_status encode_primary(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err)
{
    struct xc_primary_options how = { .quantizer = (int)given.quantizer, .ssim = given.ssim };
    size_t *sizes = given.frame_sizes ? read_sizes(&how.frame_size_count) : NULL;
    how.frame_sizes = sizes;
    enum xc_status status = xc_chunk_encode_primary(chunk, job, &how, err);
    free(sizes);
    return status;
}

static enum xc_status encode_anchors(struct xc_chunk *chunk, const struct xc_chunk_job *job,
                                     const struct xc_anchored_options *how, const struct pictures *pictures,
                                     struct xc_error *err)
{
    enum xc_status status = xc_chunk_encode_anchors(chunk, job, how, err);
    if (!status) {
        pictures_name_anchors(pictures, chunk);
    }
    return status;
}

static struct guess_files guess_files;

static enum xc_status guess_anchors(struct xc_chunk *chunk, const struct xc_chunk_job *job,
                                    const struct xc_anchored_options *how, const struct pictures *pictures,
                                    struct xc_error *err)
{
    guess_files_open(&guess_files, given.picture_before, given.key_picture, given.guess_targets, given.format,
                     job->source, job->workspace);
    enum xc_status status = xc_chunk_guess_anchors(chunk, job, how, &guess_files.guess, err);
    if (!status) {
        pictures_name_anchors(pictures, chunk);
    }
    return status;
}

static enum xc_status encode(struct xc_chunk *chunk, const struct xc_chunk_job *job, const struct pictures *pictures,
                             struct xc_error *err)
{
    const struct xc_anchored_options how = {
        .cq_level = (unsigned)given.cq_level,
        .key_weight = given.key_weight,
        .anchor_weight = given.anchor_weight,
        .place = (int)given.place,
        .fit_bytes = (size_t)given.fit_bytes,
        .fit_ssim = given.fit_ssim,
    };
    if (given.reencode) {
        return encode_after_example(chunk, job, err);
    }
    if (given.anchors_name) {
        return encode_followers(chunk, job, &how, pictures, err);
    }
    if (given.guess_targets) {
        return guess_anchors(chunk, job, &how, pictures, err);
    }
    xc_tool_state_read(job->state, xc_workspace_pool(job->workspace), given.state);
    return given.anchors ? encode_anchors(chunk, job, &how, pictures, err) : encode_primary(chunk, job, err);
}

int main(int argc, char **argv)
{
    set_defaults();
    const char *input = parse(argc, argv);
    check(input);

    struct xc_tool_source source, after;
    struct xc_state state = XC_STATE_INIT;
    struct xc_chunk_job job = {
        .workspace = xc_tool_workspace(given.threads),
        .source = &source.pictures,
        .state = &state,
        .state_name = given.state,
        .speed = !strcmp(given.quality, "rt") || given.speed == FASTEST ? XC_MAX_SPEED : (int)given.speed,
    };
    struct xc_chunk chunk;
    struct xc_error err;
    xc_tool_source_open(&source, input, given.format, job.workspace);
    if (given.after) {
        xc_tool_source_open(&after, given.after, given.format, job.workspace);
        job.after = &after.pictures;
    }
    struct pictures pictures = { 0 };
    if (given.anchors || given.anchors_name || given.guess_targets) {
        pictures_watch(&pictures, &source.pictures);
    }
    xc_tool_check_about(encode(&chunk, &job, &pictures, &err), input, &err);
    if (given.guess_targets) {
        xc_tool_chunk_write_beside(&chunk, given.output, &guess_files.targets);
    } else {
        xc_tool_chunk_write(&chunk, given.output, &state, given.output_state);
    }

    guess_files_clear(&guess_files);
    xc_state_clear(&state);
    xc_tool_source_close(&source);
    if (given.after) {
        xc_tool_source_close(&after);
    }
    pictures_clear(&pictures);
    xc_workspace_free(job.workspace);
    return 0;
}
