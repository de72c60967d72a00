/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-unpack: a chunk's raw pictures, out of pieces of the film that hold them compressed. */
#include "tool.h"
#include "unpack_ffmpeg.h"

#include <inttypes.h>

/* Copies what ffmpeg writes; the chunk has to have as many frames as the plan says. */
static void copy_frames(struct unpack_run *run, const struct unpack_plan *plan, struct xc_tool_output *output)
{
    FILE *stream = unpack_ffmpeg_output(run);
    struct xc_y4m_header header;
    struct xc_picture *picture;
    struct xc_error err;
    bool end = false;
    if (xc_y4m_read_header(&header, stream, &err)) {
        unpack_ffmpeg_blame(run, "ffmpeg makes no Y4M film of it");
    }
    xc_tool_check(xc_picture_new(&picture, NULL, header.width, header.height, &err), plan->name, &err);
    xc_tool_check(xc_y4m_write_header(output->stream, &header, &err), output->name, &err);
    for (int64_t i = plan->begin; i < plan->end; i++) {
        if (xc_y4m_read_frame(picture, &end, stream, &err) || end) {
            unpack_ffmpeg_blame(run, "the pieces do not have all frames");
        }
        xc_tool_check(xc_y4m_write_frame(output->stream, picture, &err), output->name, &err);
    }
    xc_picture_unref(picture);
}

static void print_decoder(void)
{
    struct xc_tool_output output;
    xc_tool_output_open(&output, "-");
    fprintf(output.stream, "%016" PRIx64 "\n", unpack_ffmpeg_hash(unpack_ffmpeg_find()));
    xc_tool_output_commit(&output, 1);
}

static void unpack(const char *output_name, char **operands)
{
    struct unpack_plan plan;
    struct xc_tool_output output;
    unpack_plan_read(&plan, operands[0]);
    const char *ffmpeg = unpack_ffmpeg_find();
    const uint64_t hash = unpack_ffmpeg_hash(ffmpeg);
    if (hash != plan.decoder) {
        xc_tool_fail(plan.name,
                     "was made for another ffmpeg than %s (%016" PRIx64 ", not %016" PRIx64 "), which may "
                     "decode to other pictures",
                     ffmpeg, plan.decoder, hash);
    }
    xc_tool_output_open(&output, output_name);
    output.replaceable = true; /* as xc-split's */
    struct unpack_run *run = unpack_ffmpeg_start(ffmpeg, &plan, operands + 1);
    copy_frames(run, &plan, &output);
    unpack_ffmpeg_finish(run);
    xc_tool_output_commit(&output, 1);
}

int main(int argc, char **argv)
{
    const char *output = NULL;
    bool decoder = false;
    const struct xc_tool_option options[] = {
        { 'o', "output", "OUT.y4m", "the chunk's raw pictures", .text = &output },
        { 0, "decoder", NULL, "print the hash of the ffmpeg that would be run, and exit", .flag = &decoder },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-unpack",
        .synopsis = "-o OUT.y4m CHUNK.plan PIECE.nut...\n--decoder",
        .description = "Decodes a chunk of a film that ./excamera --decode=there has cut into pieces. CHUNK.plan says "
                       "which pictures of the pieces it takes. What decodes is ffmpeg: the one beside this program, or "
                       "else the one on the PATH.",
        .examples = "xc-unpack --decoder",
        .options = options,
        .minimum_operands = 0,
        .maximum_operands = INT32_MAX,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (decoder && !output && !operands[0]) {
        print_decoder();
        return 0;
    }
    if (decoder || !output || !operands[0] || !operands[1]) {
        xc_tool_usage_error("-o, a plan and pieces are needed; or --decoder alone");
    }
    unpack(output, operands);
    return 0;
}
