/* xc-split: cuts a film into chunks of so many frames, in the memory of one frame. */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_CHUNK = 99999999 /* eight digits */ };

struct chunk {
    char name[4096]; /* no system takes longer ones */
    struct xc_tool_output output;
};

static void begin_chunk(struct chunk *chunk, const char *directory, int64_t number, const struct xc_y4m_header *header)
{
    struct xc_error err;
    if (number > MAX_CHUNK) {
        xc_tool_fail(directory, "more chunks than eight digits can number");
    }
    int length = snprintf(chunk->name, sizeof chunk->name, "%s/%08d.y4m", directory, (int)number);
    if (length < 0 || length >= (int)sizeof chunk->name) {
        xc_tool_fail(directory, "%s", strerror(ENAMETOOLONG));
    }
    xc_tool_output_open(&chunk->output, chunk->name);
    xc_tool_check(xc_y4m_write_header(chunk->output.stream, header, &err), chunk->name, &err);
}

/* Writes the film, chunk by chunk, and returns the number of chunks. */
static int64_t split(struct xc_tool_y4m *film, const char *directory, int64_t first, int64_t frames_per_chunk)
{
    struct chunk chunk;
    struct xc_picture *picture;
    struct xc_error err;
    const struct xc_y4m_header *header = &film->header;
    xc_tool_check(xc_picture_new(&picture, NULL, header->width, header->height, &err), film->input.name, &err);

    int64_t number = first - 1, room = 0;
    for (; xc_tool_y4m_next(film, picture); room--) {
        if (room == 0) {
            if (number >= first) {
                xc_tool_output_commit(&chunk.output, 1);
            }
            begin_chunk(&chunk, directory, ++number, header);
            room = frames_per_chunk;
        }
        xc_tool_check(xc_y4m_write_frame(chunk.output.stream, picture, &err), chunk.name, &err);
    }
    if (number < first) {
        xc_tool_fail(film->input.name, "has no frame");
    }
    xc_tool_output_commit(&chunk.output, 1);
    xc_picture_unref(picture);
    return number - first + 1;
}

static void print_summary(int64_t chunks, const struct xc_tool_y4m *film)
{
    struct xc_tool_output output;
    xc_tool_output_open(&output, "-");
    fprintf(output.stream, "chunks %lld frames %llu size %ux%u rate %u:%u\n", (long long)chunks,
            (unsigned long long)film->frames, film->header.width, film->header.height, (unsigned)film->header.rate_num,
            (unsigned)film->header.rate_den);
    xc_tool_output_commit(&output, 1);
}

int main(int argc, char **argv)
{
    int64_t frames_per_chunk = 0, first = 0;
    const char *directory = NULL;
    const struct xc_tool_option options[] = {
        { 's', "frames", "S", "frames per chunk; the last chunk may be shorter", .integer = &frames_per_chunk,
          .minimum = 1, .maximum = UINT32_MAX },
        { 'd', "directory", "DIR", "where the chunks go; made if it is missing", .text = &directory },
        { 0, "start", "N", "number of the first chunk (default: 0)", .integer = &first, .maximum = MAX_CHUNK },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-split",
        .synopsis = "-s S -d DIR [OPTION]... IN.y4m",
        .description = "Cuts IN.y4m, or standard input if that is -, into DIR/00000000.y4m, DIR/00000001.y4m, ..., "
                       "each a film with the same header. Prints 'chunks N frames M size WxH rate A:B'.",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!frames_per_chunk || !directory) {
        xc_tool_usage_error("-s and -d are needed");
    }

    struct xc_tool_y4m film;
    xc_tool_y4m_open(&film, operands[0]);
    if (mkdir(directory, 0777) && errno != EEXIST) {
        xc_tool_fail(directory, "%s", strerror(errno));
    }
    int64_t chunks = split(&film, directory, first, frames_per_chunk);
    xc_tool_input_close(&film.input);
    print_summary(chunks, &film);
    return 0;
}
