/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpxenc_options.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>

enum { NOT_GIVEN = -1000 };

/* An option whose number goes straight to libvpx: into a field of its configuration, or to one of its controls. */
struct setting {
    struct xc_tool_option option;
    size_t field;
    int control; /* 0: field says where */
    int64_t value;
};

#define NUMBER(letter_, name_, from, to, help_)                                                                        \
    .value = NOT_GIVEN, .option = {                                                                                    \
        .letter = (letter_), .name = (name_), .argument = "N", .help = (help_), .minimum = (from), .maximum = (to)     \
    }
#define FIELD(field_) .field = offsetof(vpx_codec_enc_cfg_t, field_)
#define CONTROL(control_) .control = (control_)

static struct setting settings[] = {
    { FIELD(g_threads), NUMBER('t', "threads", 0, 64, "threads to use; 2 or more change the result") },
    { FIELD(g_profile), NUMBER(0, "profile", 0, 3, "bitstream profile") },
    { FIELD(g_error_resilient),
      NUMBER(0, "error-resilient", 0, 3, "resist the loss of: 1 frames, 2 partitions, 3 both") },
    { FIELD(g_lag_in_frames), NUMBER(0, "lag-in-frames", 0, 25, "frames to look ahead, needed for alt-ref frames") },
    { FIELD(rc_dropframe_thresh), NUMBER(0, "drop-frame", 0, 100, "drop frames if the buffer is less full, percent") },
    { FIELD(rc_resize_allowed), NUMBER(0, "resize-allowed", 0, 1, "1: the encoder may scale the pictures") },
    { FIELD(rc_resize_up_thresh), NUMBER(0, "resize-up", 0, 100, "scale up if the buffer is fuller, percent") },
    { FIELD(rc_resize_down_thresh),
      NUMBER(0, "resize-down", 0, 100, "scale down if the buffer is less full, percent") },
    { FIELD(rc_target_bitrate), NUMBER(0, "target-bitrate", 1, UINT_MAX, "kilobits per second") },
    { FIELD(rc_min_quantizer), NUMBER(0, "min-q", 0, 63, "smallest (best) quantizer") },
    { FIELD(rc_max_quantizer), NUMBER(0, "max-q", 0, 63, "largest (worst) quantizer") },
    { FIELD(rc_undershoot_pct), NUMBER(0, "undershoot-pct", 0, 100, "how far the bitrate may fall below, percent") },
    { FIELD(rc_overshoot_pct), NUMBER(0, "overshoot-pct", 0, 100, "how far the bitrate may go above, percent") },
    { FIELD(rc_buf_sz), NUMBER(0, "buf-sz", 0, INT_MAX, "size of the player's buffer, milliseconds") },
    { FIELD(rc_buf_initial_sz),
      NUMBER(0, "buf-initial-sz", 0, INT_MAX, "how full it is before playing begins, milliseconds") },
    { FIELD(rc_buf_optimal_sz), NUMBER(0, "buf-optimal-sz", 0, INT_MAX, "how full it should be, milliseconds") },
    { FIELD(rc_2pass_vbr_bias_pct),
      NUMBER(0, "bias-pct", 0, 100, "second pass: from 0, constant, to 100, variable bitrate") },
    { FIELD(rc_2pass_vbr_minsection_pct),
      NUMBER(0, "minsection-pct", 0, INT_MAX, "second pass: lowest bitrate of a section, percent") },
    { FIELD(rc_2pass_vbr_maxsection_pct),
      NUMBER(0, "maxsection-pct", 0, INT_MAX, "second pass: highest bitrate of a section, percent") },
    { FIELD(kf_min_dist), NUMBER(0, "kf-min-dist", 0, INT_MAX, "fewest frames from one key frame to the next") },
    { FIELD(kf_max_dist), NUMBER(0, "kf-max-dist", 0, INT_MAX, "most frames from one key frame to the next") },
    { CONTROL(VP8E_SET_CPUUSED), NUMBER(0, "cpu-used", -16, 16, "speed, from 0, slow and good, to 16, fast") },
    { CONTROL(VP8E_SET_ENABLEAUTOALTREF),
      NUMBER(0, "auto-alt-ref", 0, 1, "1: use alt-ref frames; needs two passes and lag") },
    { CONTROL(VP8E_SET_NOISE_SENSITIVITY), NUMBER(0, "noise-sensitivity", 0, 6, "remove noise") },
    { CONTROL(VP8E_SET_SHARPNESS), NUMBER(0, "sharpness", 0, 7, "sharpness of the loop filter") },
    { CONTROL(VP8E_SET_STATIC_THRESHOLD),
      NUMBER(0, "static-thresh", 0, INT_MAX, "smaller changes do not count as motion") },
    { CONTROL(VP8E_SET_TOKEN_PARTITIONS), NUMBER(0, "token-parts", 0, 3, "token partitions: 0 to 3 for 1, 2, 4 or 8") },
    { CONTROL(VP8E_SET_ARNR_MAXFRAMES), NUMBER(0, "arnr-maxframes", 0, 15, "frames to average into an alt-ref frame") },
    { CONTROL(VP8E_SET_ARNR_STRENGTH), NUMBER(0, "arnr-strength", 0, 6, "strength of that filter") },
    { CONTROL(VP8E_SET_ARNR_TYPE), NUMBER(0, "arnr-type", 1, 3, "frames to average: 1 earlier, 2 later, 3 both") },
    { CONTROL(VP8E_SET_CQ_LEVEL), NUMBER(0, "cq-level", 0, 63, "quantizer for --end-usage=cq and q") },
    { CONTROL(VP8E_SET_MAX_INTRA_BITRATE_PCT),
      NUMBER(0, "max-intra-rate", 0, INT_MAX, "largest key frame, percent of a frame's share") },
    { CONTROL(VP8E_SET_GF_CBR_BOOST_PCT),
      NUMBER(0, "gf-cbr-boost", 0, INT_MAX, "cbr: more bits for golden frames, percent") },
    { CONTROL(VP8E_SET_SCREEN_CONTENT_MODE),
      NUMBER(0, "screen-content-mode", 0, 2, "1: for screen content, 2: and drop frames") },
};
enum { SETTINGS = sizeof settings / sizeof *settings };
_Static_assert(SETTINGS + 1 <= XC_VPXENC_MAX_CONTROLS, "each of them, and --tune, can be a control");

/* The other options. */
static struct {
    const char *output, *statistics, *codec, *end_usage, *tune, *rate, *timebase;
    bool best, good, realtime, no_key_frames, i420, yv12, psnr, verbose, webm;
    bool ignored;
    int64_t passes, pass, limit, skip, deadline, width, height;
} given = { .codec = "vp8", .passes = 1, .deadline = NOT_GIVEN };

static const struct xc_tool_option special_options[] = {
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
    { 0, "end-usage", "MODE", "rate control: vbr (the default), cbr, cq or q", .text = &given.end_usage },
    { 0, "tune", "WHAT", "measure to optimize for: psnr (the default) or ssim", .text = &given.tune },
    { 0, "disable-kf", NULL, "no key frame but the first", .flag = &given.no_key_frames },
    { 0, "psnr", NULL, "print the PSNR of the result on standard error", .flag = &given.psnr },
    { 'v', "verbose", NULL, "print the encoder's parameters on standard error", .flag = &given.verbose },
    { 'q', "quiet", NULL, "no effect, since no progress is printed", .flag = &given.ignored },
    { 'D', "debug", NULL, "no effect", .flag = &given.ignored },
    { 'y', "disable-warning-prompt", NULL, "no effect", .flag = &given.ignored },
    { 0, "disable-warnings", NULL, "no effect", .flag = &given.ignored },
};
enum { SPECIAL_OPTIONS = sizeof special_options / sizeof *special_options };

/* The place of text among the names. As with vpxenc, text may also be that place's number. */
static int parse_name(const char *option, const char *text, const char *const names[], int count)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(text, names[i]) || (text[0] == '0' + i && !text[1])) {
            return i;
        }
    }
    xc_tool_usage_error("--%s: unknown '%s'", option, text);
}

/* Bounded so that two of these multiplied fit into 64 bits. */
static struct vpx_rational parse_rational(const char *option, const char *text)
{
    char *end;
    const long num = strtol(text, &end, 10), den = *end == '/' ? strtol(end + 1, &end, 10) : 0;
    if (*end || num < 1 || den < 1 || num > 1000000 || den > 1000000) {
        xc_tool_usage_error("--%s: '%s' is not a fraction of two numbers from 1 to 1000000", option, text);
    }
    return (struct vpx_rational){ (int)num, (int)den };
}

static unsigned long choose_deadline(void)
{
    if ((given.deadline != NOT_GIVEN) + given.best + given.good + given.realtime > 1) {
        xc_tool_usage_error("only one of --best, --good, --rt and --deadline can be chosen");
    }
    if (given.deadline != NOT_GIVEN) {
        return (unsigned long)given.deadline;
    }
    return given.best ? VPX_DL_BEST_QUALITY : given.realtime ? VPX_DL_REALTIME : VPX_DL_GOOD_QUALITY;
}

static void add_control(struct xc_vpxenc_settings *to, int id, int64_t value)
{
    to->controls[to->control_count].id = id;
    to->controls[to->control_count].value = (int)value;
    to->control_count++;
}

static void apply_settings(struct xc_vpxenc_settings *to)
{
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        const unsigned value = (unsigned)setting->value; /* all of those fields are unsigned */
        if (setting->value == NOT_GIVEN) {
            continue;
        }
        if (setting->control) {
            add_control(to, setting->control, setting->value);
        } else {
            memcpy((char *)&to->config + setting->field, &value, sizeof value);
        }
    }
}

static void make_settings(struct xc_vpxenc_settings *to)
{
    static const char *const end_usages[] = { [VPX_VBR] = "vbr", [VPX_CBR] = "cbr", [VPX_CQ] = "cq", [VPX_Q] = "q" };
    static const char *const tunings[] = { [VP8_TUNE_PSNR] = "psnr", [VP8_TUNE_SSIM] = "ssim" };
    *to = (struct xc_vpxenc_settings){ .skip = given.skip, .measure_psnr = given.psnr, .deadline = choose_deadline() };
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &to->config, 0)) {
        xc_tool_fail(NULL, "this libvpx has no VP8 encoder");
    }
    to->config.g_timebase = (struct vpx_rational){ 1, 1000 };
    apply_settings(to);
    if (given.rate) {
        to->rate = parse_rational("fps", given.rate);
    }
    if (given.timebase) {
        to->config.g_timebase = parse_rational("timebase", given.timebase);
    }
    if (given.end_usage) {
        to->config.rc_end_usage = (enum vpx_rc_mode)parse_name("end-usage", given.end_usage, end_usages, 4);
    }
    if (given.tune) {
        add_control(to, VP8E_SET_TUNING, parse_name("tune", given.tune, tunings, 2));
    }
    if (given.no_key_frames) {
        to->config.kf_mode = VPX_KF_DISABLED;
    }
}

/* As vpxenc does, this takes --pass=2 for --passes=2, and --pass=1 without --passes=2 for the only pass. */
static void choose_passes(struct vpxenc_job *job)
{
    job->only_pass = (int)given.pass;
    job->passes = given.pass == 2 ? 2 : (int)given.passes;
    if (job->settings.deadline == VPX_DL_REALTIME) {
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

void vpxenc_parse(struct vpxenc_job *job, int argc, char **argv)
{
    static struct xc_tool_option options[SPECIAL_OPTIONS + SETTINGS + 1];
    memcpy(options, special_options, sizeof special_options);
    for (int i = 0; i < SETTINGS; i++) {
        options[SPECIAL_OPTIONS + i] = settings[i].option;
        options[SPECIAL_OPTIONS + i].integer = &settings[i].value;
    }
    const struct xc_tool tool = {
        .name = "xc-vpxenc",
        .synopsis = "[OPTION]... -o OUT.ivf IN",
        .description =
            "Encodes the film IN with libvpx's VP8 encoder. The options are those of vpxenc, their defaults are "
            "libvpx's, and the output is what vpxenc --codec=vp8 --ivf writes with the same libvpx. IN is "
            "Y4M, or raw pictures whose size -w and -h give. IN and OUT.ivf may be - for standard input and "
            "output.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    refuse_abbreviations(options, argv);
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
