/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-decode, and vp8decode by another name: decodes an IVF file and writes the pictures or their MD5. If the file is
 * cut short, or a frame cannot be decoded, the pictures before that place are written all the same, and then the tool
 * fails. */
#include "y4m-film.h"

#include <errno.h>
#include <md5.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/state.h"

enum format { NOTHING, I420, Y4M, MD5, FRAME_MD5 };

/* Where the pictures go. */
struct sink {
    enum format format;
    bool like_original; /* Y4M: with the header that the original's vp8decode writes */
    const char *input_name;
    const struct xc_ivf *ivf;
    struct xc_tool_output output; /* open unless format is NOTHING */
    uint32_t pictures;            /* shown so far */
    uint16_t width, height;       /* Y4M: of all pictures; 0 before the first */
    uint8_t *i420;                /* the other formats: the last picture as I420 */
    size_t i420_capacity;
    MD5_CTX md5;
};

/* Prints a digest as md5sum does. */
static void print_digest(struct sink *sink, const char *name)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5Final(digest, &sink->md5);
    for (int i = 0; i < MD5_DIGEST_LENGTH; i++) {
        fprintf(sink->output.stream, "%02x", digest[i]);
    }
    fprintf(sink->output.stream, "  %s", name);
}

/* Prints a line like those of the conformance vectors' .md5 files: "MD5  NAME-WxH-NNNN.i420". NNNN counts from 1 and
 * includes hidden frames. */
static void show_frame_md5(struct sink *sink, const struct xc_picture *picture, size_t size, uint32_t frame)
{
    const char *slash = strrchr(sink->input_name, '/');
    const char *name = slash ? slash + 1 : sink->input_name;
    const char *suffix = strrchr(name, '.');
    int length = (int)(suffix && !strcmp(suffix, ".ivf") ? (size_t)(suffix - name) : strlen(name));

    MD5Init(&sink->md5);
    MD5Update(&sink->md5, sink->i420, size);
    print_digest(sink, "");
    fprintf(sink->output.stream, "%.*s-%ux%u-%04u.i420\n", length, name, picture->width, picture->height,
            (unsigned)frame + 1);
}

static void show_y4m(struct sink *sink, const struct xc_picture *picture, uint32_t frame)
{
    struct xc_error err;
    if (!sink->width && sink->like_original) {
        xc_tool_y4m_film_begin(&sink->output, picture, &sink->ivf->header);
    } else if (!sink->width) {
        struct xc_y4m_header header = { 0 };
        const struct xc_ivf_header *ivf = &sink->ivf->header;
        snprintf(header.line, sizeof header.line, "YUV4MPEG2 W%u H%u F%u:%u Ip C420jpeg", picture->width,
                 picture->height, (unsigned)ivf->rate_num, (unsigned)ivf->rate_den);
        xc_tool_check(xc_y4m_write_header(sink->output.stream, &header, &err), sink->output.name, &err);
    }
    if (!sink->width) {
        sink->width = picture->width;
        sink->height = picture->height;
    }
    if (picture->width != sink->width || picture->height != sink->height) {
        xc_tool_fail(sink->input_name, "frame %u: the size changes to %ux%u, which Y4M cannot express", (unsigned)frame,
                     picture->width, picture->height);
    }
    xc_tool_check(xc_y4m_write_frame(sink->output.stream, picture, &err), sink->output.name, &err);
}

static void show(struct sink *sink, const struct xc_picture *picture, uint32_t frame)
{
    if (sink->format == Y4M) {
        show_y4m(sink, picture, frame);
        return;
    }
    size_t size = xc_picture_i420_size(picture);
    if (size > sink->i420_capacity) {
        free(sink->i420);
        sink->i420 = malloc(size);
        if (!sink->i420) {
            xc_tool_fail(NULL, "%s", strerror(errno));
        }
        sink->i420_capacity = size;
    }
    struct xc_error err;
    xc_tool_check(xc_picture_to_i420(picture, sink->i420, size, &err), sink->input_name, &err);
    if (sink->format == MD5) {
        MD5Update(&sink->md5, sink->i420, size);
    } else if (sink->format == FRAME_MD5) {
        show_frame_md5(sink, picture, size, frame);
    } else if (fwrite(sink->i420, 1, size, sink->output.stream) != size) {
        xc_tool_fail(sink->output.name, "%s", strerror(errno));
    }
}

/* Decodes and shows every frame, or those before the first that cannot be decoded: *damage then says why. */
static void decode_all(struct sink *sink, struct xc_state *state, struct xc_workspace *workspace,
                       struct xc_error *damage)
{
    for (uint32_t i = 0; i < sink->ivf->header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &sink->ivf->frames[i];
        struct xc_picture *picture;
        struct xc_error err;
        if (xc_decode(workspace, state, frame->data, frame->size, &picture, &err)) {
            snprintf(damage->text, sizeof damage->text, "frame %u: %.200s", (unsigned)i, err.text);
            return;
        }
        if (picture) {
            if (sink->format != NOTHING) {
                show(sink, picture, i);
            }
            sink->pictures++;
        }
        xc_picture_unref(picture);
    }
}

/* output_name: NULL for standard output. damage: what is wrong with the file's end, or an empty text. */
static void play(struct sink *sink, const char *output_name, struct xc_state *state, struct xc_workspace *workspace,
                 struct xc_error *damage)
{
    const bool writes = sink->format != NOTHING;
    if (writes) {
        xc_tool_output_open(&sink->output, output_name ? output_name : "-");
    }
    MD5Init(&sink->md5);
    decode_all(sink, state, workspace, damage);
    if (damage->text[0] && (!writes || !sink->pictures)) {
        xc_tool_fail(sink->input_name, "%s", damage->text);
    }
    if (sink->format == Y4M && !sink->pictures) {
        xc_tool_fail(sink->input_name, "shows no picture, and Y4M needs one");
    }
    if (sink->format == MD5) {
        print_digest(sink, "-\n");
    }
    if (writes) {
        xc_tool_output_commit(&sink->output, 1);
    }
    if (damage->text[0]) {
        xc_tool_fail(sink->input_name, "%s; the %u pictures before that are written", damage->text,
                     (unsigned)sink->pictures);
    }
    free(sink->i420);
}

static void read_input(struct xc_tool_ivf *file, const char *name, struct xc_error *damage)
{
    struct xc_tool_input input;
    struct xc_error err;
    file->name = name;
    xc_tool_input_open(&input, name);
    xc_tool_check(xc_ivf_read_damaged(&file->ivf, damage, input.stream, &err), name, &err);
    xc_tool_input_close(&input);
}

int main(int argc, char **argv)
{
    bool i420 = false, y4m = false, md5 = false, frame_md5 = false;
    int64_t threads = 1;
    const char *output_name = NULL, *state_name = NULL;
    const bool like_original = xc_tool_called(argv[0], "vp8decode");
    const struct xc_tool_option options[] = {
        { like_original ? 's' : 'S', "input-state", "FILE",
          "the state to decode from; needed if IN.ivf does not begin with a key frame", .text = &state_name },
        { 0, "y4m", NULL, "write a Y4M film; the default if -o is given", .flag = &y4m },
        { 0, "i420", NULL, "write raw I420: of each picture the planes Y, U and V", .flag = &i420 },
        { 0, "md5", NULL, "print the MD5 of what --i420 would write, like 'vpxdec --i420 --md5'", .flag = &md5 },
        { 0, "frame-md5", NULL, "print the MD5 of each picture", .flag = &frame_md5 },
        { 'o', "output", "FILE", "where to write (default: standard output)", .text = &output_name },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = like_original ? "vp8decode" : "xc-decode",
        .synopsis = "[OPTION]... IN.ivf",
        .description = "Decodes IN.ivf, or standard input if that is -. Without an option that asks for output it "
                       "only checks that IN.ivf can be decoded. If IN.ivf is damaged or cut short, it writes "
                       "the pictures before the damage, says what is wrong and fails.",
        .examples = "xc-decode -o film.y4m film.ivf\n"
                    "xc-decode --md5 -S 00000000-0.state 00000001.ivf",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (y4m + md5 + frame_md5 > 1 || i420 + y4m + frame_md5 > 1) {
        xc_tool_usage_error("only one of --y4m, --i420, --md5 and --frame-md5 can be chosen, except --i420 --md5");
    }
    enum format format = frame_md5 ? FRAME_MD5 : md5 ? MD5 : i420 ? I420 : y4m || output_name ? Y4M : NOTHING;

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_tool_ivf input;
    struct xc_state state;
    struct xc_error damage;
    read_input(&input, operands[0], &damage);
    xc_tool_state_read(&state, xc_workspace_pool(workspace), state_name);
    xc_tool_ivf_check_state(&input, &state, state_name, like_original ? "-s" : "-S");
    struct sink sink = {
        .format = format, .like_original = like_original, .input_name = input.name, .ivf = &input.ivf
    };
    play(&sink, output_name, &state, workspace, &damage);

    xc_state_clear(&state);
    xc_ivf_clear(&input.ivf);
    xc_workspace_free(workspace);
    return 0;
}
