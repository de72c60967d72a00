/* SPDX-License-Identifier: BSD-2-Clause */
/* Inputs and decoding: calls of the library, whose error messages get the file's name. */
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "excamera/frame.h"

enum { BUFFER_SIZE = 256 * 1024 };

/* What a regular file begins with, as a string; of a pipe, nothing. */
static void read_start(const struct xc_tool_input *input, char *start, size_t size)
{
    const ssize_t count = pread(fileno(input->stream), start, size - 1, 0);
    start[count > 0 ? count : 0] = '\0';
}

/* A reference is a text file that stands for data which are not here. Its first line is "XCREF COMMAND": that command,
 * followed by the file's name, fetches them. Engines write references (mk/engine-local.mk). A command that could do
 * anything else in a shell is not shown, and the file is refused like any other that has the wrong format. */
static void refuse_reference(const struct xc_tool_input *input)
{
    static const char magic[] = "XCREF ", plain[] = "abcdefghijklmnopqrstuvwxyz -";
    char line[64];
    read_start(input, line, sizeof line);
    const char *command = line + sizeof magic - 1;
    if (!strncmp(line, magic, sizeof magic - 1) && command[strspn(command, plain)] == '\n') {
        xc_tool_fail(input->name, "is a reference to remote data; fetch it with: %.*s %s", (int)strcspn(command, "\n"),
                     command, input->name);
    }
}

/* Whether this is a film as people have them, which ffmpeg converts: the container's name, or NULL. */
static const char *container_of(const struct xc_tool_input *input)
{
    char start[sizeof "....ftyp"] = { 0 };
    read_start(input, start, sizeof start);
    if (!memcmp(start, "\x1a\x45\xdf\xa3", 4)) {
        return "WebM or Matroska";
    }
    return memcmp(start + 4, "ftyp", 4) ? NULL : "MP4";
}

static FILE *take_stdin(void)
{
    static bool taken;
    if (taken) {
        xc_tool_fail("-", "named for two inputs");
    }
    taken = true;
    return stdin;
}

/* The regular files that have been opened. */
static struct {
    struct input_file {
        dev_t device;
        ino_t number;
    } *files;
    size_t count;
} opened;

static void note_opened(const struct xc_tool_input *input)
{
    struct stat status;
    if (fstat(fileno(input->stream), &status) || !S_ISREG(status.st_mode)) {
        return;
    }
    struct input_file *files = realloc(opened.files, (opened.count + 1) * sizeof *files);
    if (!files) {
        xc_tool_fail(input->name, "%s", strerror(errno));
    }
    files[opened.count++] = (struct input_file){ status.st_dev, status.st_ino };
    opened.files = files;
}

bool xc_tool_is_input(const struct stat *status)
{
    size_t i = 0;
    while (i < opened.count && (opened.files[i].device != status->st_dev || opened.files[i].number != status->st_ino)) {
        i++;
    }
    return i < opened.count;
}

void xc_tool_input_open(struct xc_tool_input *input, const char *name)
{
    input->name = name;
    input->stream = strcmp(name, "-") ? fopen(name, "rb") : take_stdin();
    if (!input->stream) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
    refuse_reference(input);
    note_opened(input);
    input->buffer = malloc(BUFFER_SIZE);
    if (!input->buffer || setvbuf(input->stream, input->buffer, _IOFBF, BUFFER_SIZE)) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
}

void xc_tool_input_close(struct xc_tool_input *input)
{
    fclose(input->stream);
    free(input->buffer);
}

void xc_tool_y4m_open(struct xc_tool_y4m *y4m, const char *name)
{
    struct xc_error err;
    xc_tool_input_open(&y4m->input, name);
    const char *container = container_of(&y4m->input);
    if (container) {
        xc_tool_fail(name, "is %s, not Y4M; to decode it: ffmpeg -i %s -pix_fmt yuv420p OUT.y4m", container, name);
    }
    xc_tool_check(xc_y4m_read_header(&y4m->header, y4m->input.stream, &err), name, &err);
    y4m->frames = 0;
}

bool xc_tool_y4m_next(struct xc_tool_y4m *y4m, struct xc_picture *picture)
{
    struct xc_error err;
    bool end;
    if (xc_y4m_read_frame(picture, &end, y4m->input.stream, &err)) {
        xc_tool_fail(y4m->input.name, "frame %llu: %s", (unsigned long long)y4m->frames, err.text);
    }
    y4m->frames += !end;
    return !end;
}

_Noreturn static void refuse_y4m(const char *name)
{
    if (xc_tool_has_option("input-format")) {
        xc_tool_fail(name, "is Y4M, not IVF; raw pictures to encode are taken with -i y4m");
    }
    if (xc_tool_has_option("video1-format")) {
        xc_tool_fail(name, "is Y4M, not IVF; name its format with -1 y4m or -2 y4m");
    }
    xc_tool_fail(name, "is Y4M, not IVF; xc-enc and xc-vpxenc encode it");
}

void xc_tool_ivf_read(struct xc_tool_ivf *file, const char *name)
{
    static const char y4m[] = "YUV4MPEG2";
    struct xc_tool_input input;
    struct xc_error err;
    file->name = name;
    xc_tool_input_open(&input, name);
    char start[sizeof y4m];
    read_start(&input, start, sizeof start);
    if (!strcmp(start, y4m)) {
        refuse_y4m(name);
    }
    const char *container = container_of(&input);
    if (container) {
        xc_tool_fail(name, "is %s, not IVF; if it has VP8, to convert it: ffmpeg -i %s -c copy OUT.ivf", container,
                     name);
    }
    xc_tool_check(xc_ivf_read(&file->ivf, input.stream, &err), name, &err);
    xc_tool_input_close(&input);
}

void xc_tool_ivf_check_state(const struct xc_tool_ivf *file, const struct xc_state *state, const char *before,
                             const char *option)
{
    const unsigned expected = file->ivf.header.expected_state;
    if (xc_state_satisfies(state, expected)) {
        return;
    }
    if (state->width) {
        xc_tool_fail(file->name, "expects state %08x, but %s, which is before it, gives state %08x", expected, before,
                     (unsigned)xc_state_id(state));
    }
    if (!option) {
        xc_tool_fail(file->name, "must begin with a key frame, but expects state %08x", expected);
    }
    xc_tool_fail(file->name, "expects state %08x; name its file with %s", expected, option);
}

struct xc_picture *xc_tool_ivf_decode(const struct xc_tool_ivf *file, uint32_t frame, struct xc_state *state,
                                      struct xc_workspace *workspace)
{
    const struct xc_ivf_frame *data = &file->ivf.frames[frame];
    struct xc_picture *picture;
    struct xc_error err;
    if (xc_decode(workspace, state, data->data, data->size, &picture, &err)) {
        xc_tool_fail(file->name, "frame %u: %s", (unsigned)frame, err.text);
    }
    return picture;
}

static unsigned usable_cpu_features(void)
{
    static const struct {
        const char *name;
        unsigned features;
    } limits[] = {
        { "c", 0 },
        { "sse2", XC_CPU_SSE2 },
        { "ssse3", XC_CPU_SSE2 | XC_CPU_SSSE3 },
        { "avx2", XC_CPU_SSE2 | XC_CPU_SSSE3 | XC_CPU_AVX2 },
        { "neon", XC_CPU_NEON },
    };
    const char *name = getenv("XC_CPU");
    if (!name || !*name) {
        return xc_cpu_features();
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (!strcmp(name, limits[i].name)) {
            return xc_cpu_features() & limits[i].features;
        }
    }
    xc_tool_fail("XC_CPU", "'%s' is none of c, sse2, ssse3, avx2, neon", name);
}

struct xc_workspace *xc_tool_workspace(int64_t threads)
{
    struct xc_workspace *workspace;
    struct xc_error err;
    /* The threads inherit the signal mask, so that only the main thread gets signals and can block them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    enum xc_status status = xc_workspace_new(&workspace, (unsigned)threads, usable_cpu_features(), &err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    xc_tool_check(status, NULL, &err);
    return workspace;
}
