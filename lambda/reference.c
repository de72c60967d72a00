/* References, and the digests of files. */
#include "reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "temporary.h"

enum { WORTH_KEEPING = 64 * 1024 /* bytes that take less than a tenth of a millisecond to hash */, RECORD_SIZE = 256 };

static const char format[] = "XCREF 1\nsha256 %64s\nsize %llu\nbucket %63s\n";

static void write_whole(const char *path, const char *text)
{
    FILE *file = fopen(temporary_for(path), "w");
    if (!file) {
        fail_about(path, "%s", strerror(errno));
    }
    const bool written = fputs(text, file) >= 0;
    if (fclose(file) || !written) {
        fail_about(path, "%s", strerror(errno));
    }
    temporary_becomes(path);
}

void reference_write(const struct reference *reference, const char *path)
{
    char text[RECORD_SIZE];
    snprintf(text, sizeof text, "XCREF 1\nsha256 %s\nsize %llu\nbucket %s\n", reference->digest,
             (unsigned long long)reference->size, reference->bucket);
    write_whole(path, text);
}

bool reference_read(const char *path, struct reference *reference)
{
    unsigned long long size;
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    *reference = (struct reference){ .remote = true };
    const int found = fscanf(file, format, reference->digest, &size, reference->bucket);
    fclose(file);
    if (found > 0 && (found != 3 || !sha256_is_text(reference->digest))) {
        fail_about(path, "is a damaged reference; delete it and make it again");
    }
    reference->size = found == 3 ? size : 0;
    return found == 3;
}

/* How a digest is kept: with all that changes when the file does. */
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
