/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpxenc_options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_GIVEN = -1 };

/* The options that are not among those of xc_vpxenc_option. */
static struct {
    const char *output, *statistics, *codec, *rate, *timebase;
    const char *names[XC_VPXENC_OPTIONS]; /* of values of xc_vpxenc_option */
    int64_t values[XC_VPXENC_OPTIONS];
    bool best, good, realtime, no_key_frames, i420, yv12, psnr, verbose, webm;
    bool ignored;
    int64_t passes, pass, limit, skip, deadline, width, height;
} given = { .codec = "vp8", .passes = 1, .deadline = NOT_GIVEN };

static const struct xc_tool_option own_options[] = {
    { 'o', "output", "OUT.ivf", "where to write; not written by a first pass alone", .text = &given.output },
    { 0, "codec", "vp8", "the only codec that there is", .text = &given.codec },
    { 0, "ivf", NULL, "write IVF; always the case", .flag = &given.ignored },
    { 0, "webm", NULL, "refused: convert the IVF file with ffmpeg -c copy", .flag = &given.webm },
    { 'p', "passes", "N", "1 or 2; --rt has only 1", .integer = &given.passes, .minimum = 1, .maximum = 2 },
    { 0, "pass", "N", "run only this pass, 1 or 2, of two; needs --fpf", .integer = &given.pass, .minimum = 1,
      .maximum = 2 },
    { 0, "fpf", "FILE", "file for the first pass's statistics, which the second pass reads",
      .text = &given.statistics },
    { 0, "limit", "N", "stop after N frames of input", .integer = &given.limit, .maximum = INT_MAX },
    { 0, "skip", "N", "leave out the first N frames of input", .integer = &given.skip, .maximum = INT_MAX },
    { 'd', "deadline", "N", "microseconds per frame", .integer = &given.deadline, .maximum = INT_MAX },
    { 0, "best", NULL, "best quality, however long it takes", .flag = &given.best },
    { 0, "good", NULL, "good quality (the default)", .flag = &given.good },
    { 0, "rt", NULL, "real time; the result depends on the machine's speed unless cpu-used is below 0",
      .flag = &given.realtime },
    { 0, "i420", NULL, "IN is raw I420, if it is not Y4M (the default)", .flag = &given.i420 },
    { 0, "yv12", NULL, "IN is raw YV12, if it is not Y4M", .flag = &given.yv12 },
    { 'w', "width", "N", "width of raw pictures", .integer = &given.width, .minimum = 1, .maximum = XC_MAX_DIMENSION },
    { 'h', "height", "N", "height of raw pictures", .integer = &given.height, .minimum = 1,
      .maximum = XC_MAX_DIMENSION },
    { 0, "fps", "N/D", "frames per second (default: the film's, or 30 for raw pictures)", .text = &given.rate },
    { 0, "timebase", "N/D", "unit of timestamps in seconds, with --fps (default: 1/1000)", .text = &given.timebase },
    { 0, "disable-kf", NULL, "no key frame but the first", .flag = &given.no_key_frames },
    { 0, "psnr", NULL, "print the PSNR of the result on standard error", .flag = &given.psnr },
    { 'v', "verbose", NULL, "print the encoder's parameters on standard error", .flag = &given.verbose },
    { 'q', "quiet", NULL, "no effect, since no progress is printed", .flag = &given.ignored },
    { 'D', "debug", NULL, "no effect", .flag = &given.ignored },
    { 'y', "disable-warning-prompt", NULL, "no effect", .flag = &given.ignored },
    { 0, "disable-warnings", NULL, "no effect", .flag = &given.ignored },
};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

/* The value of this name. As with vpxenc, text may also be the value itself. */
static int64_t parse_name(const struct xc_vpxenc_option *option, const char *text)
{
    for (int i = 0; i <= option->maximum; i++) {
        if (!strcmp(text, option->values[i]) || (text[0] == '0' + i && !text[1])) {
            return i;
        }
    }
    xc_tool_usage_error("--%s: unknown '%s'", option->name, text);
}

/* Bounded so that two of these multiplied fit into 64 bits. */
static struct xc_vpxenc_fraction parse_fraction(const char *option, const char *text)
{
    char *end;
    const long num = strtol(text, &end, 10), den = *end == '/' ? strtol(end + 1, &end, 10) : 0;
    if (*end || num < 1 || den < 1 || num > 1000000 || den > 1000000) {
        xc_tool_usage_error("--%s: '%s' is not a fraction of two numbers from 1 to 1000000", option, text);
    }
    return (struct xc_vpxenc_fraction){ (int)num, (int)den };
}

static unsigned long choose_deadline(void)
{
    if ((given.deadline != NOT_GIVEN) + given.best + given.good + given.realtime > 1) {
        xc_tool_usage_error("only one of --best, --good, --rt and --deadline can be chosen");
    }
    if (given.deadline != NOT_GIVEN) {
        return (unsigned long)given.deadline;
    }
    return given.best ? XC_VPXENC_BEST : given.realtime ? XC_VPXENC_REALTIME : XC_VPXENC_GOOD;
}

static void make_settings(struct xc_vpxenc_settings *settings)
{
    xc_vpxenc_defaults(settings);
    for (int i = 0; i < XC_VPXENC_OPTIONS; i++) {
        const struct xc_vpxenc_option *option = xc_vpxenc_option_at(i);
        settings->values[i] = given.names[i] ? parse_name(option, given.names[i]) : given.values[i];
    }
    settings->deadline = choose_deadline();
    settings->skip = given.skip;
    settings->measure_psnr = given.psnr;
    settings->no_key_frames = given.no_key_frames;
    if (given.rate) {
        settings->rate = parse_fraction("fps", given.rate);
    }
    if (given.timebase) {
        settings->timebase = parse_fraction("timebase", given.timebase);
    }
}

/* As vpxenc does, this takes --pass=2 for --passes=2, and --pass=1 without --passes=2 for the only pass. */
static void choose_passes(struct vpxenc_job *job)
{
    job->only_pass = (int)given.pass;
    job->passes = given.pass == 2 ? 2 : (int)given.passes;
    if (job->settings.deadline == XC_VPXENC_REALTIME) {
        job->passes = 1;
    }
    if (job->only_pass > job->passes) {
        xc_tool_usage_error("--pass=2: there is only one pass in real time");
    }
    if (job->only_pass && job->passes == 2 && !given.statistics) {
        xc_tool_usage_error("--pass=%d needs --fpf to name the file for the statistics", job->only_pass);
    }
    job->statistics = job->passes == 2 ? given.statistics : NULL;
}

static bool is_name(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(word, name, length);
}

/* getopt_long takes a long option's beginning for the option, but vpxenc does not: one of vpxenc's options that is
 * missing here, or wrongly spelled, must not be taken for another. */
static void refuse_abbreviations(const struct xc_tool_option *options, char **argv)
{
    for (char **word = argv + 1; *word && strcmp(*word, "--") != 0; word++) {
        const char *name = *word + 2;
        const size_t length = strcspn(name, "=");
        const struct xc_tool_option *option = options;
        if (strncmp(*word, "--", 2) != 0) {
            continue;
        }
        while (option->name && !is_name(name, length, option->name)) {
            option++;
        }
        if (!option->name) {
            xc_tool_usage_error("unknown option --%.*s", (int)length, name);
        }
    }
}

static void check_command_line(void)
{
    if (!given.output) {
        xc_tool_usage_error("-o is needed");
    }
    if (strcmp(given.codec, "vp8")) {
        xc_tool_usage_error("--codec: only vp8 is supported, not '%s'", given.codec);
    }
    if (given.webm) {
        xc_tool_usage_error(
            "--webm is not supported: write IVF, and convert it with 'ffmpeg -i OUT.ivf -c copy OUT.webm'");
    }
    if (given.i420 && given.yv12) {
        xc_tool_usage_error("only one of --i420 and --yv12 can be chosen");
    }
}

/* The table of all options. The values of the library's go to given. */
static const struct xc_tool_option *all_options(void)
{
    static struct xc_tool_option options[OWN_OPTIONS + XC_VPXENC_OPTIONS + 1];
    memcpy(options, own_options, sizeof own_options);
    for (int i = 0; i < XC_VPXENC_OPTIONS; i++) {
        const struct xc_vpxenc_option *from = xc_vpxenc_option_at(i);
        struct xc_tool_option *to = &options[OWN_OPTIONS + i];
        *to = (struct xc_tool_option){ from->letter, from->name, .argument = "N", .help = from->help };
        if (from->values) {
            to->argument = "NAME";
            to->text = &given.names[i];
        } else {
            to->integer = &given.values[i];
            to->minimum = (double)from->minimum;
            to->maximum = (double)from->maximum;
        }
        given.values[i] = XC_VPXENC_DEFAULT;
    }
    return options;
}

void vpxenc_parse(struct vpxenc_job *job, int argc, char **argv)
{
    const struct xc_tool tool = {
        .name = "xc-vpxenc",
        .synopsis = "[OPTION]... -o OUT.ivf IN",
        .description = "Encodes the film IN with libvpx's VP8 encoder. The options are those of vpxenc, their defaults "
                       "are libvpx's, and the output is what vpxenc --codec=vp8 --ivf writes with the same libvpx. IN "
                       "is Y4M, or raw pictures whose size -w and -h give. IN and OUT.ivf may be - for standard input "
                       "and output.",
        .examples = "xc-vpxenc --good --cpu-used=0 --passes=2 --end-usage=cq --cq-level=22 --target-bitrate=100000 "
                    "-o film.ivf film.y4m",
        .options = all_options(),
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    refuse_abbreviations(tool.options, argv);
    check_command_line();
    *job = (struct vpxenc_job){ .output = given.output, .verbose = given.verbose };
    make_settings(&job->settings);
    choose_passes(job);
    job->film = (struct film_options){
        .name = operands[0],
        .width = given.width,
        .height = given.height,
        .yv12 = given.yv12,
        .twice = job->passes == 2 && !job->only_pass,
        .limit = given.limit,
    };
}
