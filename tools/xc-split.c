/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-split: cuts a film into chunks of a given number of frames, and where scenes begin. Holds one frame in memory. */
#include "chunk-name.h"
#include "tool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "excamera/scene.h"

enum {
    PATH_SIZE = 4096, /* no system takes longer ones */
    /* Pictures. A scene that is shorter goes on with the next one, or a film that flickers would have a chunk for each
     * picture. The encoder still makes a key frame where the next one begins. */
    LEAST_SCENE = 5,
};

struct plan {
    const char *directory;
    int64_t first, frames, skipped, most; /* --start, -s, --skip, --at-most; most 0: no limit */
    bool scenes;                          /* --scenes */
    const char *scenes_from, *scenes_to;  /* --scenes-from, --scenes-to; or NULL */
};

/* The film, up to the picture that comes next. */
struct reader {
    struct xc_tool_y4m film;
    struct xc_picture *picture;
    struct xc_workspace *workspace;
    struct xc_scene *scene;     /* NULL without --scenes, as is the workspace */
    struct xc_tool_input given; /* --scenes-from; no stream without it */
    struct xc_tool_output told; /* --scenes-to; no stream without it */
    uint64_t scene_length;      /* pictures, before the one that comes next */
    bool more, begins;          /* whether there is such a picture, and whether it begins a scene */
};

struct chunk {
    char name[PATH_SIZE];
    struct xc_tool_output output;
};

static void name_chunk(char name[static PATH_SIZE], const struct plan *plan, int64_t number)
{
    if (number > XC_TOOL_LAST_CHUNK) {
        xc_tool_fail(plan->directory, "a chunk's number would have more than %d digits; choose longer chunks with -s",
                     XC_TOOL_CHUNK_DIGITS);
    }
    int length = snprintf(name, PATH_SIZE, "%s/%0*d.y4m", plan->directory, XC_TOOL_CHUNK_DIGITS, (int)number);
    if (length < 0 || length >= PATH_SIZE) {
        xc_tool_fail(plan->directory, "%s", strerror(ENAMETOOLONG));
    }
}

/* --at-most: waits until the chunk that is lower by so many has been removed. */
static void wait_for_room(const struct plan *plan, int64_t number)
{
    enum { LOOK_AGAIN_MS = 50 };
    char name[PATH_SIZE];
    if (!plan->most || number - plan->most < plan->first) {
        return;
    }
    name_chunk(name, plan, number - plan->most);
    while (!access(name, F_OK)) {
        struct pollfd reader = { .fd = STDOUT_FILENO };
        if (poll(&reader, 1, LOOK_AGAIN_MS) > 0) {
            xc_tool_fail("standard output", "nobody reads it any more, so no chunk will be removed to make room");
        }
    }
}

static void begin_chunk(struct chunk *chunk, const struct plan *plan, int64_t number,
                        const struct xc_y4m_header *header)
{
    struct xc_error err;
    wait_for_room(plan, number);
    name_chunk(chunk->name, plan, number);
    xc_tool_output_open(&chunk->output, chunk->name);
    chunk->output.replaceable = true; /* to wait until all raw pictures are on the disk would take long */
    xc_tool_check(xc_y4m_write_header(chunk->output.stream, header, &err), chunk->name, &err);
}

/* What another xc-split has found out about the same picture of the film, in another size. */
static bool given_scene_begins(struct xc_tool_input *given)
{
    const int mark = getc(given->stream);
    if (mark != '0' && mark != '1') {
        xc_tool_fail(given->name, mark == EOF ? "ends before the film does" : "has other characters than 0 and 1");
    }
    return mark == '1';
}

static bool scene_begins(struct reader *reader)
{
    if (reader->given.stream) {
        return given_scene_begins(&reader->given);
    }
    const bool cut = reader->scene && xc_scene_begins(reader->scene, reader->picture);
    return cut && reader->scene_length >= LEAST_SCENE;
}

static void tell_scene(const struct reader *reader)
{
    putc(reader->begins ? '1' : '0', reader->told.stream);
    if (fflush(reader->told.stream)) {
        xc_tool_fail(reader->told.name, "%s", strerror(errno));
    }
}

static void read_picture(struct reader *reader)
{
    reader->more = xc_tool_y4m_next(&reader->film, reader->picture);
    reader->begins = reader->more && scene_begins(reader);
    reader->scene_length = reader->begins ? 1 : reader->scene_length + 1;
    if (reader->more && reader->told.stream) {
        tell_scene(reader);
    }
}

/* Reads the first picture. */
static void open_film(struct reader *reader, const char *name, const struct plan *plan)
{
    struct xc_error err;
    *reader = (struct reader){ .more = false };
    xc_tool_y4m_open(&reader->film, name);
    const unsigned width = reader->film.header.width, height = reader->film.header.height;
    xc_tool_check(xc_picture_new(&reader->picture, NULL, width, height, &err), name, &err);
    if (plan->scenes) {
        reader->workspace = xc_tool_workspace(1);
        xc_tool_check(xc_scene_new(&reader->scene, reader->workspace, width, height, &err), name, &err);
    }
    if (plan->scenes_from) {
        xc_tool_input_open(&reader->given, plan->scenes_from);
    }
    if (plan->scenes_to) {
        xc_tool_output_open(&reader->told, plan->scenes_to);
    }
    read_picture(reader);
    if (!reader->more) {
        xc_tool_fail(name, "has no frame");
    }
}

static void close_film(struct reader *reader)
{
    xc_scene_free(reader->scene);
    xc_workspace_free(reader->workspace);
    xc_picture_unref(reader->picture);
    xc_tool_input_close(&reader->film.input);
    if (reader->given.stream) {
        xc_tool_input_close(&reader->given);
    }
    if (reader->told.stream) {
        xc_tool_output_commit(&reader->told, 1);
    }
}

/* Tells at once which chunk begins with the next picture. */
static void print_scene(const struct reader *reader, int64_t number)
{
    printf("scene %lld frame %llu\n", (long long)number, (unsigned long long)reader->film.frames - 1);
    if (fflush(stdout)) {
        xc_tool_fail("standard output", "%s", strerror(errno));
    }
}

/* Writes one chunk, unless it is to be skipped. When it has its name, it has been told whether the next one begins a
 * scene. */
static void cut_chunk(struct reader *reader, const struct plan *plan, int64_t index)
{
    struct chunk chunk;
    struct xc_error err;
    const bool wanted = index >= plan->skipped;
    int64_t left = plan->frames;
    if (wanted) {
        begin_chunk(&chunk, plan, plan->first + index, &reader->film.header);
    }
    do {
        if (wanted) {
            xc_tool_check(xc_y4m_write_frame(chunk.output.stream, reader->picture, &err), chunk.name, &err);
        }
        read_picture(reader);
    } while (--left && reader->more && !reader->begins);
    if (reader->begins) {
        print_scene(reader, plan->first + index + 1);
    }
    if (wanted) {
        xc_tool_output_commit(&chunk.output, 1);
    }
}

/* Returns the number of chunks, the skipped ones included. */
static int64_t split(struct reader *reader, const struct plan *plan)
{
    int64_t chunks = 0;
    if (plan->scenes || plan->scenes_from) {
        print_scene(reader, plan->first);
    }
    for (; reader->more; chunks++) {
        cut_chunk(reader, plan, chunks);
    }
    return chunks;
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
    struct plan plan = { 0 };
    const struct xc_tool_option options[] = {
        { 's', "frames", "S", "frames per chunk; the last chunk may be shorter", .integer = &plan.frames, .minimum = 1,
          .maximum = UINT32_MAX },
        { 'd', "directory", "DIR", "where to write the chunks; made if it does not exist", .text = &plan.directory },
        { 0, "start", "N", "number of the first chunk", .integer = &plan.first, .maximum = XC_TOOL_LAST_CHUNK },
        { 0, "skip", "N", "do not write the first N chunks; the others keep their numbers", .integer = &plan.skipped,
          .maximum = XC_TOOL_LAST_CHUNK },
        { 0, "at-most", "N", "keep at most N chunks: before each, wait until somebody has removed the one N before it",
          .integer = &plan.most, .minimum = 1, .maximum = XC_TOOL_LAST_CHUNK },
        { 0, "scenes", NULL, "end chunks where scenes begin, too, and print which chunks begin one",
          .flag = &plan.scenes },
        { 0, "scenes-to", "FILE", "write a character for each picture: 1 where chunks end for a scene, 0 elsewhere",
          .text = &plan.scenes_to },
        { 0, "scenes-from", "FILE",
          "in place of --scenes: take the scenes from such a FILE, of another size of the film",
          .text = &plan.scenes_from },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-split",
        .synopsis = "-s S -d DIR [OPTION]... IN.y4m",
        .description =
            "Cuts the film IN.y4m, or standard input if that is -, into the chunks DIR/00000000.y4m, "
            "DIR/00000001.y4m and so on. Each is a Y4M film with the header of IN.y4m. Prints one line about "
            "the whole film: 'chunks N frames M size WxH rate A:B'. With --scenes, other lines come before it: 'scene "
            "N frame M' for each scene of at least 5 pictures, by the number of its first chunk, and of its first "
            "frame from 0 on.",
        .examples = "xc-split -s 12 -d work film.y4m\n"
                    "ffmpeg -i film.mp4 -pix_fmt yuv420p -f yuv4mpegpipe - | xc-split -s 12 -d work -",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = 1,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    if (!plan.frames || !plan.directory) {
        xc_tool_usage_error("-s and -d are needed");
    }
    if (plan.scenes && plan.scenes_from) {
        xc_tool_usage_error("--scenes and --scenes-from exclude each other");
    }

    struct reader reader;
    open_film(&reader, operands[0], &plan);
    if (mkdir(plan.directory, 0777) && errno != EEXIST) {
        xc_tool_fail(plan.directory, "%s", strerror(errno));
    }
    print_summary(split(&reader, &plan), &reader.film);
    close_film(&reader);
    return 0;
}
