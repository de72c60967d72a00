/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-check: finds chunks, streams and states that have lost data, as after a power cut. */
#define _DEFAULT_SOURCE /* for scandir's alphasort */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "excamera/state.h"
#include "chunk-name.h"
#include "tool-sums.h"
#include "tool.h"

enum { PATH_SIZE = 4096 /* no system takes longer ones */ };

struct check {
    struct xc_tool_sums sums;
    struct xc_picture_pool *pool;
    bool list; /* print the names of damaged files */
    uint64_t damaged;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void report(struct check *check, const char *path, const char *reason)
{
    fprintf(stderr, "xc-check: %s: %s\n", path, reason);
    check->damaged++;
    if (check->list) {
        puts(base_of(path));
    }
}

static enum xc_status has_no_frame(struct xc_error *err)
{
    strcpy(err->text, "has no frame");
    return XC_ERR_FORMAT;
}

static enum xc_status check_y4m(struct check *check, FILE *file, struct xc_error *err)
{
    struct xc_y4m_header header;
    struct xc_picture *picture;
    enum xc_status status = xc_y4m_read_header(&header, file, err);
    if (status || (status = xc_picture_new(&picture, check->pool, header.width, header.height, err))) {
        return status;
    }
    bool end;
    uint64_t frames = 0;
    while (!(status = xc_y4m_read_frame(picture, &end, file, err)) && !end) {
        frames++;
    }
    xc_picture_unref(picture);
    return status || frames ? status : has_no_frame(err);
}

static enum xc_status check_ivf(FILE *file, struct xc_error *err)
{
    struct xc_ivf ivf;
    enum xc_status status = xc_ivf_read(&ivf, file, err);
    if (status) {
        return status;
    }
    const uint32_t frames = ivf.header.frame_count;
    xc_ivf_clear(&ivf);
    return frames ? XC_OK : has_no_frame(err);
}

static enum xc_status check_state(struct check *check, FILE *file, struct xc_error *err)
{
    struct xc_state state = XC_STATE_INIT;
    enum xc_status status = xc_state_read(&state, check->pool, file, err);
    xc_state_clear(&state);
    return status;
}

static bool has_suffix(const char *path, const char *suffix)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcmp(dot, suffix);
}

/* By the rules of its format, which its suffix names. */
static void check_format(struct check *check, const char *path, FILE *file)
{
    struct xc_error err;
    enum xc_status status = XC_OK;
    if (has_suffix(path, ".y4m")) {
        status = check_y4m(check, file, &err);
    } else if (has_suffix(path, ".ivf")) {
        status = check_ivf(file, &err);
    } else if (has_suffix(path, ".state")) {
        status = check_state(check, file, &err);
    }
    if (status) {
        report(check, path, err.text);
    }
}

/* By its checksum. */
static void check_sum(struct check *check, const char *path, const struct xc_tool_sum *expected)
{
    struct xc_tool_sum sum;
    if (!xc_tool_sum_file(&sum, path)) {
        report(check, path, strerror(errno));
    } else if (sum.size != expected->size) {
        report(check, path, "has another size than when it was written");
    } else if (sum.hash != expected->hash) {
        report(check, path, "has other data than when it was written");
    }
}

/* A reference stands for a file that is elsewhere (docs/lambda.md). */
static void check_file(struct check *check, const char *path)
{
    static const char reference[] = "XCREF";
    char start[sizeof reference] = "";
    FILE *file = fopen(path, "rb");
    if (!file) {
        report(check, path, strerror(errno));
        return;
    }
    const struct xc_tool_sum *expected = xc_tool_sums_find(&check->sums, base_of(path));
    const bool is_reference = fread(start, 1, sizeof start - 1, file) && !strcmp(start, reference);
    rewind(file);
    if (!is_reference && expected) {
        check_sum(check, path, expected);
    } else if (!is_reference) {
        check_format(check, path, file);
    }
    fclose(file);
}

/* Whether a name is that of a file that was made of a chunk: 00000012.ivf, 00000012-0.state. */
static int is_of_chunk(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return strspn(name, "0123456789") == XC_TOOL_CHUNK_DIGITS &&
           (has_suffix(name, ".ivf") || has_suffix(name, ".state"));
}

static void check_directory(struct check *check, const char *directory)
{
    struct dirent **entries;
    const int count = scandir(directory, &entries, is_of_chunk, alphasort);
    if (count < 0) {
        xc_tool_fail(directory, "%s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_SIZE];
        const int length = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (length < 0 || length >= PATH_SIZE) {
            xc_tool_fail(directory, "%s", strerror(ENAMETOOLONG));
        }
        check_file(check, strncmp(path, "./", 2) ? path : path + 2);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    struct check check = { 0 };
    const char *sums = NULL;
    const struct xc_tool_option options[] = {
        { 0, "sums", "FILE",
          "the checksums that the tools have noted here; a file that it does not have is checked by "
          "the rules of its format",
          .text = &sums },
        { 0, "list", NULL, "print the names of damaged files to standard output, and exit with 0",
          .flag = &check.list },
        { 0 },
    };
    const struct xc_tool tool = {
        .name = "xc-check",
        .synopsis = "[OPTION]... FILE|DIRECTORY...",
        .description = "Finds raw chunks, IVF files and states that are cut short or damaged, and says what is wrong "
                       "with each. Of a directory, it checks the IVF files and states of chunks. Exits with 1 if it "
                       "has found any.",
        .examples = "xc-check .",
        .options = options,
        .minimum_operands = 1,
        .maximum_operands = argc,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    struct xc_error err;
    xc_tool_check(xc_picture_pool_new(&check.pool, &err), NULL, &err);
    if (sums) {
        xc_tool_sums_read(&check.sums, sums);
    }
    for (; *operands; operands++) {
        struct stat status;
        const bool is_directory = stat(*operands, &status) == 0 && S_ISDIR(status.st_mode);
        (is_directory ? check_directory : check_file)(&check, *operands);
    }
    xc_tool_sums_free(&check.sums);
    xc_picture_pool_free(check.pool);
    if (fflush(stdout)) {
        xc_tool_fail("standard output", "%s", strerror(errno));
    }
    return check.damaged && !check.list;
}
