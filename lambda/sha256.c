/* SHA-256 by OpenSSL, which uses the machine's instructions for it: chunks of raw video are large. */
#include "sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 * 1024 };

bool sha256_is_text(const char *text)
{
    return strlen(text) == SHA256_TEXT - 1 && strspn(text, "0123456789abcdef") == SHA256_TEXT - 1;
}

static void write_text(const unsigned char *digest, char *text)
{
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

bool sha256_of_bytes(const void *data, size_t size, char text[static SHA256_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL))
        return false;
    write_text(digest, text);
    return true;
}

static bool digest_stream(FILE *file, EVP_MD_CTX *context, unsigned char *block, char *text, uint64_t *size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t count;
    if (!EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        return false;
    *size = 0;
    while ((count = fread(block, 1, BLOCK, file))) {
        EVP_DigestUpdate(context, block, count);
        *size += count;
    }
    if (ferror(file) || !EVP_DigestFinal_ex(context, digest, NULL))
        return false;
    write_text(digest, text);
    return true;
}

bool sha256_of_file(const char *path, char text[static SHA256_TEXT], uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *block = malloc(BLOCK);
    errno = ENOMEM;
    const bool done = context && block && digest_stream(file, context, block, text, size);
    const int error = errno;
    free(block);
    EVP_MD_CTX_free(context);
    fclose(file);
    errno = error;
    return done;
}
