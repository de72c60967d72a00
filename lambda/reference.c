/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing references; digests of files, and keeping them. */
#include "reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "output.h"

enum {
    WORTH_KEEPING = 64 * 1024, /* bytes; hashing fewer takes less than a tenth of a millisecond */
    RECORD_SIZE = 256,
};

#define FIRST_LINE "XCREF xc-lambda fetch\n"

static void write_whole(const char *path, const char *text)
{
    struct output output;
    output_open(&output, path);
    fputs(text, output.stream);
    output_close(&output);
    output_commit(&output);
}

void reference_write(const struct reference *reference, const char *path)
{
    char text[RECORD_SIZE];
    snprintf(text, sizeof text, FIRST_LINE "sha256 %s\nsize %llu\nbucket %s\n", reference->digest,
             (unsigned long long)reference->size, reference->bucket);
    write_whole(path, text);
}

bool reference_read(const char *path, struct reference *reference)
{
    unsigned long long size = 0;
    char line[sizeof FIRST_LINE];
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    *reference = (struct reference){ .remote = true };
    const bool is_reference = fgets(line, sizeof line, file) && !strcmp(line, FIRST_LINE);
    const int found =
        is_reference ? fscanf(file, "sha256 %64s size %llu bucket %63s", reference->digest, &size, reference->bucket)
                     : 0;
    fclose(file);
    if (is_reference && (found != 3 || !sha256_is_text(reference->digest))) {
        fail_about(path, "is a damaged reference; delete it and make it again");
    }
    reference->size = size;
    return is_reference;
}

/* Writes the record of a digest: it names all properties that change when the file does. */
static void describe(char record[static RECORD_SIZE], const struct stat *status, const char *digest)
{
    snprintf(record, RECORD_SIZE, "%s %lld %lld.%09ld %llu\n", digest, (long long)status->st_size,
             (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec, (unsigned long long)status->st_ino);
}

static bool read_kept(const char *kept, const struct stat *status, char digest[static SHA256_TEXT])
{
    char found[RECORD_SIZE] = "", expected[RECORD_SIZE];
    FILE *file = fopen(kept, "r");
    if (!file) {
        return false;
    }
    if (!fgets(found, sizeof found, file)) {
        found[0] = '\0';
    }
    fclose(file);
    snprintf(digest, SHA256_TEXT, "%s", found);
    describe(expected, status, digest);
    return sha256_is_text(digest) && !strcmp(found, expected);
}

void reference_of_file(const char *path, struct reference *reference)
{
    char kept[128], record[RECORD_SIZE];
    struct stat status;
    if (reference_read(path, reference)) {
        return;
    }
    if (stat(path, &status)) {
        fail_about(path, "%s", strerror(errno));
    }
    *reference = (struct reference){ .size = (uint64_t)status.st_size };
    const bool keep = status.st_size >= WORTH_KEEPING && !strchr(path, '/') && strlen(path) <= 64;
    snprintf(kept, sizeof kept, ".xc-lambda/%.64s", path);
    if (keep && read_kept(kept, &status, reference->digest)) {
        return;
    }
    if (!sha256_of_file(path, reference->digest, &reference->size)) {
        fail_about(path, "%s", strerror(errno));
    }
    if (keep && (!mkdir(".xc-lambda", 0777) || errno == EEXIST)) {
        describe(record, &status, reference->digest);
        write_whole(kept, record);
    }
}
