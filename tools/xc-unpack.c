/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-unpack: a chunk's raw pictures, out of pieces of the film that hold them compressed. */
#include "tool.h"
#include "unpack_ffmpeg.h"

#include <inttypes.h>

/* A file for some of the frames that ffmpeg writes: those from `from` to `to` - 1. */
struct part {
    const char *name;
    int64_t from, to;
};
enum { MOST_PARTS = 4 };

static void open_output(struct xc_tool_output *output, const char *name)
{
    xc_tool_output_open(output, name);
    output->replaceable = true; /* as xc-split's */
}

static void write_header(struct xc_tool_output *output, const struct xc_y4m_header *header)
{
    struct xc_error err;
    xc_tool_check(xc_y4m_write_header(output->stream, header, &err), output->name, &err);
}

static void write_frame(struct xc_tool_output *output, const struct xc_picture *picture)
{
    struct xc_error err;
    xc_tool_check(xc_y4m_write_frame(output->stream, picture, &err), output->name, &err);
}

/* Copies what ffmpeg writes; there have to be as many frames as the plan says. outputs: of the parts. */
static void copy_frames(struct unpack_run *run, const struct unpack_plan *plan, const struct part *parts,
                        struct xc_tool_output *outputs, int count)
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
        write_header(&outputs[i], &header);
    }
    for (int64_t frame = plan->begin; frame < plan->next; frame++) {
        if (xc_y4m_read_frame(picture, &end, stream, &err) || end) {
            unpack_ffmpeg_blame(run, "the pieces do not have all frames");
        }
        for (int i = 0; i < count; i++) {
            if (parts[i].from <= frame && frame < parts[i].to) {
                write_frame(&outputs[i], picture);
            }
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

static struct {
    const char *chunk, *first, *last, *next;
    bool decoder;
} given;

/* Fills in the parts that are wanted, and returns how many there are. */
static int wanted_parts(struct part parts[MOST_PARTS], const struct unpack_plan *plan)
{
    const struct part all[MOST_PARTS] = {
        { given.chunk, plan->begin, plan->end },
        { given.first, plan->begin, plan->begin + 1 },
        { given.last, plan->end - 1, plan->end },
        { given.next, plan->end, plan->next },
    };
    int count = 0;
    for (int i = 0; i < MOST_PARTS; i++) {
        if (all[i].name) {
            parts[count++] = all[i];
        }
    }
    return count;
}

static void unpack(char **operands)
{
    struct unpack_plan plan;
    struct part parts[MOST_PARTS];
    struct xc_tool_output outputs[MOST_PARTS];
    unpack_plan_read(&plan, operands[0]);
    if (given.next && plan.next == plan.end) {
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
    const int count = wanted_parts(parts, &plan);
    for (int i = 0; i < count; i++) {
        open_output(&outputs[i], parts[i].name);
    }
    struct unpack_run *run = unpack_ffmpeg_start(ffmpeg, &plan, operands + 1);
    copy_frames(run, &plan, parts, outputs, count);
    unpack_ffmpeg_finish(run);
    xc_tool_output_commit(outputs, count);
}

int main(int argc, char **argv)
{
    const struct xc_tool_option options[] = {
        { 'o', "output", "OUT.y4m", "the chunk's raw pictures", .text = &given.chunk },
        { 0, "first", "FIRST.y4m", "the first of them once more, for xc-enc --key", .text = &given.first },
        { 0, "last", "LAST.y4m", "the last of them once more, for xc-enc --before", .text = &given.last },
        { 0, "next", "NEXT.y4m", "the pictures after them that CHUNK.plan tells of, for xc-enc --after",
          .text = &given.next },
        { 0, "decoder", NULL, "print the hash of the ffmpeg that would be run, and exit", .flag = &given.decoder },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-unpack",
        .synopsis = "-o OUT.y4m [OPTION]... CHUNK.plan PIECE.nut...\n--decoder",
        .description = "Decodes a chunk of a film that ./excamera --decode=there has cut into pieces. CHUNK.plan says "
                       "which pictures of the pieces it takes. What decodes is ffmpeg: the one beside this program, or "
                       "else the one on the PATH.",
        .examples = "xc-unpack --decoder",
        .options = options,
        .minimum_operands = 0,
        .maximum_operands = INT32_MAX,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    const bool others = given.chunk || given.first || given.last || given.next || operands[0];
    if (given.decoder && !others) {
        print_decoder();
        return 0;
    }
    if (given.decoder || !given.chunk || !operands[0] || !operands[1]) {
        xc_tool_usage_error("-o, a plan and pieces are needed; or --decoder alone");
    }
    unpack(operands);
    return 0;
}
