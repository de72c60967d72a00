/* SPDX-License-Identifier: BSD-2-Clause */
/* A record is a line "HASH SIZE NAME", in hexadecimal, decimal and as it is. It begins with a newline, too, so that a
 * record that was cut off does not spoil the next one. It is appended by one call of write(), so records of tools that
 * run at the same time do not mix. */
#include "tool-sums.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "tool.h"

enum { BLOCK = 256 * 1024 };

bool xc_tool_sum_file(struct xc_tool_sum *sum, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *block = malloc(BLOCK);
    XXH3_state_t *state = XXH3_createState();
    *sum = (struct xc_tool_sum){ 0 };
    bool good = file && block && state && XXH3_64bits_reset(state) == XXH_OK;
    for (size_t got; good && (got = fread(block, 1, BLOCK, file)) > 0;) {
        XXH3_64bits_update(state, block, got);
        sum->size += got;
    }
    if (good) {
        sum->hash = XXH3_64bits_digest(state);
        good = !ferror(file);
    }
    const int error = errno;
    XXH3_freeState(state);
    free(block);
    if (file) {
        fclose(file);
    }
    errno = error;
    return good;
}

/* The part of a path after its last slash. */
static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void append(const char *list, const char *record, size_t length)
{
    const int file = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) {
        xc_tool_fail(list, "%s", strerror(errno));
    }
    errno = ENOSPC; /* what it means that only a part was written */
    if (write(file, record, length) != (ssize_t)length || close(file)) {
        xc_tool_fail(list, "%s", strerror(errno));
    }
}

void xc_tool_sums_note(const char *temporary, const char *target)
{
    const char *list = getenv("XC_SUMS"), *name = base_of(target);
    const size_t directory = (size_t)(name - target);
    if (!list || (size_t)(base_of(list) - list) != directory || strncmp(list, target, directory) != 0) {
        return;
    }
    struct xc_tool_sum sum;
    char record[512];
    if (!xc_tool_sum_file(&sum, temporary)) {
        xc_tool_fail(temporary, "%s", strerror(errno));
    }
    const int length = snprintf(record, sizeof record, "\n%016llx %llu %s\n", (unsigned long long)sum.hash,
                                (unsigned long long)sum.size, name);
    if (length > 0 && (size_t)length < sizeof record) {
        append(list, record, (size_t)length);
    }
}

/* ---- Reading ---- */

static bool parse(struct xc_tool_sums_record *record, char *line)
{
    char *end;
    record->sum.hash = strtoull(line, &end, 16);
    if (end != line + 16 || *end != ' ') {
        return false;
    }
    record->sum.size = strtoull(end + 1, &end, 10);
    record->name = end + 1;
    return *end == ' ' && *record->name;
}

/* By name; of the same name, in the order of the list. */
static int compare(const void *a, const void *b)
{
    const struct xc_tool_sums_record *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->name > y->name) - (x->name < y->name);
}

/* Reads the whole file, and adds a 0. Returns how much was read. */
static size_t read_text(char **text, const char *path)
{
    size_t capacity = BLOCK, used = 0, got;
    FILE *file = fopen(path, "rb");
    *text = NULL;
    if (!file) {
        if (errno != ENOENT) {
            xc_tool_fail(path, "%s", strerror(errno));
        }
        return 0;
    }
    do {
        capacity *= 2;
        char *larger = realloc(*text, capacity + 1);
        if (!larger) {
            xc_tool_fail(path, "%s", strerror(ENOMEM));
        }
        *text = larger;
        got = fread(*text + used, 1, capacity - used, file);
        used += got;
    } while (used == capacity);
    if (ferror(file)) {
        xc_tool_fail(path, "%s", strerror(errno));
    }
    fclose(file);
    (*text)[used] = '\0';
    return used;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

void xc_tool_sums_read(struct xc_tool_sums *sums, const char *path)
{
    *sums = (struct xc_tool_sums){ 0 };
    const size_t size = read_text(&sums->text, path), lines = count_lines(sums->text, size);
    if (!lines) {
        return;
    }
    sums->records = calloc(lines, sizeof *sums->records);
    if (!sums->records) {
        xc_tool_fail(path, "%s", strerror(ENOMEM));
    }
    char *line = sums->text;
    for (size_t i = 0; i < lines; i++) { /* what comes after the last newline was cut off */
        char *end = memchr(line, '\n', (size_t)(sums->text + size - line));
        *end = '\0';
        sums->count += parse(&sums->records[sums->count], line);
        line = end + 1;
    }
    qsort(sums->records, sums->count, sizeof *sums->records, compare);
}

void xc_tool_sums_free(struct xc_tool_sums *sums)
{
    free(sums->records);
    free(sums->text);
    *sums = (struct xc_tool_sums){ 0 };
}

const struct xc_tool_sum *xc_tool_sums_find(const struct xc_tool_sums *sums, const char *name)
{
    size_t low = 0, high = sums->count; /* the records before low are not after name; those from high on are */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(sums->records[middle].name, name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low && !strcmp(sums->records[low - 1].name, name) ? &sums->records[low - 1].sum : NULL;
}
