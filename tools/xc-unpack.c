/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-unpack: a chunk's raw pictures, out of pieces of the film that hold them compressed. */
#include "tool.h"
#include "unpack_ffmpeg.h"

#include <inttypes.h>

enum { CHUNK, NEXT, OUTPUTS };

static void open_output(struct xc_tool_output *output, const char *name)
{
    xc_tool_output_open(output, name);
    output->replaceable = true; /* as xc-split's */
}

static void begin_output(struct xc_tool_output *output, const struct xc_y4m_header *header)
{
    struct xc_error err;
    xc_tool_check(xc_y4m_write_header(output->stream, header, &err), output->name, &err);
}

/* Copies what ffmpeg writes; there have to be as many frames as the plan says. outputs: of the chunk's frames, and of
 * those after it, if there are two. */
static void copy_frames(struct unpack_run *run, const struct unpack_plan *plan, struct xc_tool_output *outputs,
                        int count)
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
    for (int i = 0; i < count; i++) {
        begin_output(&outputs[i], &header);
    }
    for (int64_t i = plan->begin; i < plan->next; i++) {
        const int which = i < plan->end ? CHUNK : NEXT;
        if (xc_y4m_read_frame(picture, &end, stream, &err) || end) {
            unpack_ffmpeg_blame(run, "the pieces do not have all frames");
        }
        if (which < count) {
            xc_tool_check(xc_y4m_write_frame(outputs[which].stream, picture, &err), outputs[which].name, &err);
        }
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

static void unpack(const char *chunk, const char *next, char **operands)
{
    struct unpack_plan plan;
    unpack_plan_read(&plan, operands[0]);
    if (next && plan.next == plan.end) {
        xc_tool_fail(plan.name, "has no frames after the chunk; leave out --next");
    }
    const char *ffmpeg = unpack_ffmpeg_find();
    const uint64_t hash = unpack_ffmpeg_hash(ffmpeg);
    if (hash != plan.decoder) {
        xc_tool_fail(plan.name,
                     "was made for another ffmpeg than %s (%016" PRIx64 ", not %016" PRIx64 "), which may "
                     "decode to other pictures",
                     ffmpeg, plan.decoder, hash);
    }
    struct xc_tool_output outputs[OUTPUTS];
    const int count = next ? OUTPUTS : NEXT;
    open_output(&outputs[CHUNK], chunk);
    if (next) {
        open_output(&outputs[NEXT], next);
    }
    struct unpack_run *run = unpack_ffmpeg_start(ffmpeg, &plan, operands + 1);
    copy_frames(run, &plan, outputs, count);
    unpack_ffmpeg_finish(run);
    xc_tool_output_commit(outputs, count);
}

int main(int argc, char **argv)
{
    const char *output = NULL, *next = NULL;
    bool decoder = false;
    const struct xc_tool_option options[] = {
        { 'o', "output", "OUT.y4m", "the chunk's raw pictures", .text = &output },
        { 'n', "next", "NEXT.y4m", "the pictures after them that CHUNK.plan tells of, for xc-enc --after",
          .text = &next },
        { 0, "decoder", NULL, "print the hash of the ffmpeg that would be run, and exit", .flag = &decoder },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-unpack",
        .synopsis = "-o OUT.y4m [-n NEXT.y4m] CHUNK.plan PIECE.nut...\n--decoder",
        .description = "Decodes a chunk of a film that ./excamera --decode=there has cut into pieces. CHUNK.plan says "
                       "which pictures of the pieces it takes. What decodes is ffmpeg: the one beside this program, or "
                       "else the one on the PATH.",
        .examples = "xc-unpack --decoder",
        .options = options,
        .minimum_operands = 0,
        .maximum_operands = INT32_MAX,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (decoder && !output && !next && !operands[0]) {
        print_decoder();
        return 0;
    }
    if (decoder || !output || !operands[0] || !operands[1]) {
        xc_tool_usage_error("-o, a plan and pieces are needed; or --decoder alone");
    }
    unpack(output, next, operands);
    return 0;
}
