/* xc-vpxenc: libvpx's VP8 encoder behind vpxenc's own options. This file is the command line. */
#include "tool.h"
#include "vpxenc_encode.h"

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
    { FIELD(g_threads), NUMBER('t', "threads", 0, 64, "threads to use; with 2 or more the result is another one") },
    { FIELD(g_profile), NUMBER(0, "profile", 0, 3, "bitstream profile") },
    { FIELD(g_error_resilient), NUMBER(0, "error-resilient", 0, 3, "1: frames may get lost, 2: partitions, 3: both") },
    { FIELD(g_lag_in_frames), NUMBER(0, "lag-in-frames", 0, 25, "frames to look ahead, for alt-ref frames") },
    { FIELD(rc_dropframe_thresh), NUMBER(0, "drop-frame", 0, 100, "drop frames below this buffer level, percent") },
    { FIELD(rc_resize_allowed), NUMBER(0, "resize-allowed", 0, 1, "let the encoder scale the picture") },
    { FIELD(rc_resize_up_thresh), NUMBER(0, "resize-up", 0, 100, "scale up above this buffer level, percent") },
    { FIELD(rc_resize_down_thresh), NUMBER(0, "resize-down", 0, 100, "scale down below this buffer level, percent") },
    { FIELD(rc_target_bitrate), NUMBER(0, "target-bitrate", 1, UINT_MAX, "kilobits per second") },
    { FIELD(rc_min_quantizer), NUMBER(0, "min-q", 0, 63, "least (best) quantizer") },
    { FIELD(rc_max_quantizer), NUMBER(0, "max-q", 0, 63, "greatest (worst) quantizer") },
    { FIELD(rc_undershoot_pct), NUMBER(0, "undershoot-pct", 0, 100, "how far the rate may fall short, percent") },
    { FIELD(rc_overshoot_pct), NUMBER(0, "overshoot-pct", 0, 100, "how far the rate may go beyond, percent") },
    { FIELD(rc_buf_sz), NUMBER(0, "buf-sz", 0, INT_MAX, "the player's buffer, milliseconds") },
    { FIELD(rc_buf_initial_sz), NUMBER(0, "buf-initial-sz", 0, INT_MAX, "its level before playing begins") },
    { FIELD(rc_buf_optimal_sz), NUMBER(0, "buf-optimal-sz", 0, INT_MAX, "the level to aim for") },
    { FIELD(rc_2pass_vbr_bias_pct), NUMBER(0, "bias-pct", 0, 100, "second pass: 0 constant to 100 variable bitrate") },
    { FIELD(rc_2pass_vbr_minsection_pct), NUMBER(0, "minsection-pct", 0, INT_MAX, "second pass: least, percent") },
    { FIELD(rc_2pass_vbr_maxsection_pct), NUMBER(0, "maxsection-pct", 0, INT_MAX, "second pass: greatest, percent") },
    { FIELD(kf_min_dist), NUMBER(0, "kf-min-dist", 0, INT_MAX, "least distance of key frames") },
    { FIELD(kf_max_dist), NUMBER(0, "kf-max-dist", 0, INT_MAX, "greatest distance of key frames") },
    { CONTROL(VP8E_SET_CPUUSED), NUMBER(0, "cpu-used", -16, 16, "speed, from 0 slow and good to 16 fast") },
    { CONTROL(VP8E_SET_ENABLEAUTOALTREF),
      NUMBER(0, "auto-alt-ref", 0, 1, "use alt-ref frames, in two passes with lag") },
    { CONTROL(VP8E_SET_NOISE_SENSITIVITY), NUMBER(0, "noise-sensitivity", 0, 6, "remove noise") },
    { CONTROL(VP8E_SET_SHARPNESS), NUMBER(0, "sharpness", 0, 7, "sharpness of the loop filter") },
    { CONTROL(VP8E_SET_STATIC_THRESHOLD), NUMBER(0, "static-thresh", 0, INT_MAX, "changes up to this are no motion") },
    { CONTROL(VP8E_SET_TOKEN_PARTITIONS), NUMBER(0, "token-parts", 0, 3, "number of token partitions, log2") },
    { CONTROL(VP8E_SET_ARNR_MAXFRAMES), NUMBER(0, "arnr-maxframes", 0, 15, "frames to filter into an alt-ref frame") },
    { CONTROL(VP8E_SET_ARNR_STRENGTH), NUMBER(0, "arnr-strength", 0, 6, "strength of that filter") },
    { CONTROL(VP8E_SET_ARNR_TYPE), NUMBER(0, "arnr-type", 1, 3, "which frames: 1 earlier, 2 later, 3 both") },
    { CONTROL(VP8E_SET_CQ_LEVEL), NUMBER(0, "cq-level", 0, 63, "quality for --end-usage=cq and q") },
    { CONTROL(VP8E_SET_MAX_INTRA_BITRATE_PCT), NUMBER(0, "max-intra-rate", 0, INT_MAX, "greatest key frame, percent") },
    { CONTROL(VP8E_SET_GF_CBR_BOOST_PCT), NUMBER(0, "gf-cbr-boost", 0, INT_MAX, "cbr: golden frames' boost, percent") },
    { CONTROL(VP8E_SET_SCREEN_CONTENT_MODE), NUMBER(0, "screen-content-mode", 0, 2, "1: screens, 2: and drop frames") },
};
enum { SETTINGS = sizeof settings / sizeof *settings };
_Static_assert(SETTINGS + 1 <= XC_VPXENC_MAX_CONTROLS, "each of them, and --tune, may be a control");

/* The other options. */
static struct {
    const char *output, *codec, *end_usage, *tune, *rate, *timebase;
    bool best, good, realtime, no_key_frames;
    bool ignored;
    int64_t passes, limit, skip, deadline;
} given = { .codec = "vp8", .passes = 1, .deadline = NOT_GIVEN };

static const struct xc_tool_option special_options[] = {
    { 'o', "output", "OUT.ivf", "where to write", .text = &given.output },
    { 0, "codec", "vp8", "the only one there is", .text = &given.codec },
    { 0, "ivf", NULL, "write IVF, as always", .flag = &given.ignored },
    { 'p', "passes", "N", "1 or 2 (default: 1; --rt has only 1)", .integer = &given.passes, .minimum = 1,
      .maximum = 2 },
    { 0, "limit", "N", "stop after so many frames of input", .integer = &given.limit, .maximum = INT_MAX },
    { 0, "skip", "N", "leave out the first frames of input", .integer = &given.skip, .maximum = INT_MAX },
    { 'd', "deadline", "N", "microseconds per frame", .integer = &given.deadline, .maximum = INT_MAX },
    { 0, "best", NULL, "without regard to time", .flag = &given.best },
    { 0, "good", NULL, "good quality (the default)", .flag = &given.good },
    { 0, "rt", NULL, "real time; the result depends on the machine unless cpu-used is below 0",
      .flag = &given.realtime },
    { 0, "fps", "N/D", "frames per second (default: the film's)", .text = &given.rate },
    { 0, "timebase", "N/D", "unit of timestamps in seconds, with --fps (default: 1/1000)", .text = &given.timebase },
    { 0, "end-usage", "MODE", "rate control: vbr (the default), cbr, cq or q", .text = &given.end_usage },
    { 0, "tune", "WHAT", "psnr (the default) or ssim", .text = &given.tune },
    { 0, "disable-kf", NULL, "no key frame but the first", .flag = &given.no_key_frames },
    { 'q', "quiet", NULL, "no effect; nothing is printed anyway, as with the next three", .flag = &given.ignored },
    { 'D', "debug", NULL, "no effect", .flag = &given.ignored },
    { 'y', "disable-warning-prompt", NULL, "no effect", .flag = &given.ignored },
    { 0, "disable-warnings", NULL, "no effect", .flag = &given.ignored },
};
enum { SPECIAL_OPTIONS = sizeof special_options / sizeof *special_options };

/* Which of the names, or which number of theirs, as vpxenc takes both. */
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
        xc_tool_usage_error("only one of --best, --good, --rt and --deadline makes sense");
    }
    if (given.deadline != NOT_GIVEN) {
        return (unsigned long)given.deadline;
    }
    return given.best ? VPX_DL_BEST_QUALITY : given.realtime ? VPX_DL_REALTIME : VPX_DL_GOOD_QUALITY;
}

static void add_control(struct xc_vpxenc_job *job, int id, int64_t value)
{
    job->controls[job->control_count].id = id;
    job->controls[job->control_count].value = (int)value;
    job->control_count++;
}

static void apply_settings(struct xc_vpxenc_job *job)
{
    for (int i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];
        const unsigned value = (unsigned)setting->value; /* all of those fields are unsigned */
        if (setting->value == NOT_GIVEN) {
            continue;
        }
        if (setting->control) {
            add_control(job, setting->control, setting->value);
        } else {
            memcpy((char *)&job->config + setting->field, &value, sizeof value);
        }
    }
}

static void make_job(struct xc_vpxenc_job *job, const char *input)
{
    static const char *const end_usages[] = { [VPX_VBR] = "vbr", [VPX_CBR] = "cbr", [VPX_CQ] = "cq", [VPX_Q] = "q" };
    static const char *const tunings[] = { [VP8_TUNE_PSNR] = "psnr", [VP8_TUNE_SSIM] = "ssim" };
    *job = (struct xc_vpxenc_job){ .input = input, .output = given.output, .limit = given.limit, .skip = given.skip };
    if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &job->config, 0)) {
        xc_tool_fail(NULL, "this libvpx has no VP8 encoder");
    }
    job->config.g_timebase = (struct vpx_rational){ 1, 1000 };
    apply_settings(job);
    job->deadline = choose_deadline();
    job->passes = job->deadline == VPX_DL_REALTIME ? 1 : (int)given.passes;
    if (given.rate) {
        job->rate = parse_rational("fps", given.rate);
    }
    if (given.timebase) {
        job->config.g_timebase = parse_rational("timebase", given.timebase);
    }
    if (given.end_usage) {
        job->config.rc_end_usage = (enum vpx_rc_mode)parse_name("end-usage", given.end_usage, end_usages, 4);
    }
    if (given.tune) {
        add_control(job, VP8E_SET_TUNING, parse_name("tune", given.tune, tunings, 2));
    }
    if (given.no_key_frames) {
        job->config.kf_mode = VPX_KF_DISABLED;
    }
}

int main(int argc, char **argv)
{
    static struct xc_tool_option options[SPECIAL_OPTIONS + SETTINGS + 1];
    memcpy(options, special_options, sizeof special_options);
    for (int i = 0; i < SETTINGS; i++) {
        options[SPECIAL_OPTIONS + i] = settings[i].option;
        options[SPECIAL_OPTIONS + i].integer = &settings[i].value;
    }
    const struct xc_tool tool = {
        .name = "xc-vpxenc",
        .synopsis = "[OPTION]... -o OUT.ivf IN.y4m",
        .description = "Encodes IN.y4m with libvpx's VP8 encoder. The options are those of vpxenc, with libvpx's "
                       "defaults, and the output is what vpxenc writes with the same libvpx. IN.y4m and OUT.ivf may "
                       "be - for standard input and output.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!given.output) {
        xc_tool_usage_error("-o is needed");
    }
    if (strcmp(given.codec, "vp8")) {
        xc_tool_usage_error("--codec: only vp8 is supported, not '%s'", given.codec);
    }
    struct xc_vpxenc_job job;
    make_job(&job, operands[0]);
    xc_vpxenc_run(&job);
    return 0;
}
