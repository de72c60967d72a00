/* xc-decode: plays a file through the library's decoder and writes the pictures, or their MD5. */
#include "tool.h"

#include <errno.h>
#include <md5.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/state.h"

enum format { NOTHING, I420, Y4M, MD5, FRAME_MD5 };

/* Where the pictures go. */
struct sink {
    enum format format;
    const struct xc_tool_ivf *input;
    struct xc_tool_output output; /* open unless format is NOTHING */
    uint16_t width, height;       /* Y4M: of all pictures; 0 before the first */
    uint8_t *i420;                /* the others: where the picture at hand lies as I420 */
    size_t i420_capacity;
    MD5_CTX md5;
};

/* Prints a digest in the manner of md5sum. */
static void print_digest(struct sink *sink, const char *name)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5Final(digest, &sink->md5);
    for (int i = 0; i < MD5_DIGEST_LENGTH; i++) {
        fprintf(sink->output.stream, "%02x", digest[i]);
    }
    fprintf(sink->output.stream, "  %s", name);
}

/* One line as in the files beside the conformance vectors: "MD5  NAME-WxH-NNNN.i420". NNNN counts from 1, hidden frames
 * included. */
static void show_frame_md5(struct sink *sink, const struct xc_picture *picture, size_t size, uint32_t frame)
{
    const char *slash = strrchr(sink->input->name, '/');
    const char *name = slash ? slash + 1 : sink->input->name;
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
    if (!sink->width) {
        struct xc_y4m_header header;
        const struct xc_ivf_header *ivf = &sink->input->ivf.header;
        snprintf(header.line, sizeof header.line, "YUV4MPEG2 W%u H%u F%u:%u Ip C420jpeg", picture->width,
                 picture->height, (unsigned)ivf->rate_num, (unsigned)ivf->rate_den);
        xc_tool_check(xc_y4m_write_header(sink->output.stream, &header, &err), sink->output.name, &err);
        sink->width = picture->width;
        sink->height = picture->height;
    }
    if (picture->width != sink->width || picture->height != sink->height) {
        xc_tool_fail(sink->input->name, "frame %u: the size changes to %ux%u, which Y4M cannot express",
                     (unsigned)frame, picture->width, picture->height);
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
    xc_tool_check(xc_picture_to_i420(picture, sink->i420, size, &err), sink->input->name, &err);
    if (sink->format == MD5) {
        MD5Update(&sink->md5, sink->i420, size);
    } else if (sink->format == FRAME_MD5) {
        show_frame_md5(sink, picture, size, frame);
    } else if (fwrite(sink->i420, 1, size, sink->output.stream) != size) {
        xc_tool_fail(sink->output.name, "%s", strerror(errno));
    }
}

static void decode_all(struct sink *sink, struct xc_state *state, struct xc_workspace *workspace)
{
    const struct xc_tool_ivf *input = sink->input;
    for (uint32_t i = 0; i < input->ivf.header.frame_count; i++) {
        struct xc_picture *picture = xc_tool_ivf_decode(input, i, state, workspace);
        if (picture && sink->format != NOTHING) {
            show(sink, picture, i);
        }
        xc_picture_unref(picture);
    }
}

/* name: the output's, or NULL for standard output. */
static void play(enum format format, const char *name, const struct xc_tool_ivf *input, struct xc_state *state,
                 struct xc_workspace *workspace)
{
    struct sink sink = { .format = format, .input = input };
    if (format != NOTHING) {
        xc_tool_output_open(&sink.output, name ? name : "-");
    }
    MD5Init(&sink.md5);
    decode_all(&sink, state, workspace);
    if (format == MD5) {
        print_digest(&sink, "-\n");
    }
    if (format == Y4M && !sink.width) {
        xc_tool_fail(input->name, "has no picture to show, and Y4M needs one");
    }
    if (format != NOTHING) {
        xc_tool_output_commit(&sink.output, 1);
    }
    free(sink.i420);
}

int main(int argc, char **argv)
{
    bool i420 = false, y4m = false, md5 = false, frame_md5 = false;
    int64_t threads = 1;
    const char *output_name = NULL, *state_name = NULL;
    const struct xc_tool_option options[] = {
        { 'S', "input-state", "FILE", "decode from this state; needed unless IN.ivf begins with a key frame",
          .text = &state_name },
        { 0, "y4m", NULL, "write a Y4M film (this is what -o alone does)", .flag = &y4m },
        { 0, "i420", NULL, "write raw I420: of each picture all of Y, then U, then V", .flag = &i420 },
        { 0, "md5", NULL, "print the MD5 of what --i420 would write, as 'vpxdec --i420 --md5' does", .flag = &md5 },
        { 0, "frame-md5", NULL, "print the MD5 of each picture that is shown", .flag = &frame_md5 },
        { 'o', "output", "FILE", "where all this goes (default: standard output)", .text = &output_name },
        XC_TOOL_THREADS_OPTION(threads),
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-decode",
        .synopsis = "[OPTION]... IN.ivf",
        .description = "Decodes IN.ivf. Without an option that asks for output it writes nothing, but still fails if "
                       "IN.ivf is corrupt.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (y4m + md5 + frame_md5 > 1 || i420 + y4m + frame_md5 > 1) {
        xc_tool_usage_error("--y4m, --i420, --md5 and --frame-md5 exclude one another, but for --i420 --md5");
    }
    enum format format = frame_md5 ? FRAME_MD5 : md5 ? MD5 : i420 ? I420 : y4m || output_name ? Y4M : NOTHING;

    struct xc_workspace *workspace = xc_tool_workspace(threads);
    struct xc_tool_ivf input;
    struct xc_state state;
    xc_tool_ivf_read(&input, operands[0]);
    xc_tool_state_read(&state, xc_workspace_pool(workspace), state_name);
    xc_tool_ivf_check_state(&input, &state, "-S");
    play(format, output_name, &input, &state, workspace);

    xc_state_clear(&state);
    xc_ivf_clear(&input.ivf);
    xc_workspace_free(workspace);
    return 0;
}
