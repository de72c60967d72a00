/* SPDX-License-Identifier: BSD-2-Clause */
#include "state/state_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/stream_error.h"

enum {
    LEVEL = 1,   /* zlib's fastest */
    WINDOW = 15, /* zlib's default, in bits; and so is the next one */
    MEMORY = 8,
    STRATEGY = Z_RLE, /* after differences, matches that are no runs are rare: smaller than the default, as fast */
    PIECE = 4096,
};

/* zlib's own allocator is inside the shared library, where tests cannot let it fail. */
static void *allocate(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return calloc(count, size);
}

static void release(void *unused, void *memory)
{
    (void)unused;
    free(memory);
}

static enum xc_status fail_memory(struct xc_error *err)
{
    return xc_fail(err, XC_ERR_MEMORY, "out of memory for the compression of a state");
}

void xc_state_stream_init(struct xc_state_stream *s, FILE *file)
{
    s->file = file;
    s->mode = XC_STREAM_PLAIN;
    s->zlib = (z_stream){ .zalloc = allocate, .zfree = release };
    s->ended = false;
    s->before = 0;
    XXH3_64bits_reset(&s->hash);
}

void xc_state_stream_clear(struct xc_state_stream *s)
{
    if (s->mode == XC_STREAM_DEFLATE) {
        deflateEnd(&s->zlib);
    } else if (s->mode == XC_STREAM_INFLATE) {
        inflateEnd(&s->zlib);
    }
    s->mode = XC_STREAM_PLAIN;
}

uint64_t xc_state_stream_hash(const struct xc_state_stream *s)
{
    return XXH3_64bits_digest(&s->hash);
}

/* --- writing --- */

enum xc_status xc_state_stream_deflate(struct xc_state_stream *s, struct xc_error *err)
{
    if (deflateInit2(&s->zlib, LEVEL, Z_DEFLATED, WINDOW, MEMORY, STRATEGY) != Z_OK) {
        return fail_memory(err);
    }
    s->mode = XC_STREAM_DEFLATE;
    s->zlib.next_out = s->buffer;
    s->zlib.avail_out = sizeof s->buffer;
    return XC_OK;
}

/* Writes what is in the buffer, and empties it. */
static enum xc_status flush(struct xc_state_stream *s, struct xc_error *err)
{
    const size_t size = sizeof s->buffer - s->zlib.avail_out;
    XXH3_64bits_update(&s->hash, s->buffer, size);
    if (fwrite(s->buffer, 1, size, s->file) != size) {
        return xc_fail_io(err);
    }
    s->zlib.next_out = s->buffer;
    s->zlib.avail_out = sizeof s->buffer;
    return XC_OK;
}

static enum xc_status deflate_piece(struct xc_state_stream *s, const uint8_t *data, size_t size, struct xc_error *err)
{
    uint8_t differences[PIECE];
    for (size_t i = 0; i < size; i++) {
        differences[i] = (uint8_t)(data[i] - (i ? data[i - 1] : s->before));
    }
    s->before = data[size - 1];
    s->zlib.next_in = differences;
    s->zlib.avail_in = (unsigned)size;
    while (s->zlib.avail_in) {
        deflate(&s->zlib, Z_NO_FLUSH); /* fails only where there is no room for output */
        enum xc_status status = s->zlib.avail_out ? XC_OK : flush(s, err);
        if (status) {
            return status;
        }
    }
    return XC_OK;
}

enum xc_status xc_state_stream_put(struct xc_state_stream *s, const void *data, size_t size, struct xc_error *err)
{
    const uint8_t *bytes = data;
    if (s->mode == XC_STREAM_PLAIN) {
        XXH3_64bits_update(&s->hash, data, size);
        return fwrite(data, 1, size, s->file) == size ? XC_OK : xc_fail_io(err);
    }
    while (size) {
        const size_t piece = size < PIECE ? size : PIECE;
        enum xc_status status = deflate_piece(s, bytes, piece, err);
        if (status) {
            return status;
        }
        bytes += piece;
        size -= piece;
    }
    return XC_OK;
}

enum xc_status xc_state_stream_finish(struct xc_state_stream *s, struct xc_error *err)
{
    int result;
    if (s->mode == XC_STREAM_PLAIN) {
        return XC_OK;
    }
    do {
        result = deflate(&s->zlib, Z_FINISH);
        enum xc_status status = flush(s, err);
        if (status) {
            return status;
        }
    } while (result != Z_STREAM_END);
    xc_state_stream_clear(s);
    return XC_OK;
}

/* --- reading --- */

enum xc_status xc_state_stream_inflate(struct xc_state_stream *s, struct xc_error *err)
{
    if (inflateInit2(&s->zlib, WINDOW) != Z_OK) {
        return fail_memory(err);
    }
    s->mode = XC_STREAM_INFLATE;
    return XC_OK;
}

/* Decompresses until there is no room for more, or the zlib stream ends. */
static enum xc_status inflate_some(struct xc_state_stream *s, const char *ended, struct xc_error *err)
{
    while (s->zlib.avail_out && !s->ended) {
        if (!s->zlib.avail_in) {
            s->zlib.next_in = s->buffer;
            s->zlib.avail_in = (unsigned)fread(s->buffer, 1, sizeof s->buffer, s->file);
        }
        if (!s->zlib.avail_in) {
            return xc_fail_read(s->file, err, ended);
        }
        const uint8_t *first = s->zlib.next_in;
        const int result = inflate(&s->zlib, Z_NO_FLUSH);
        XXH3_64bits_update(&s->hash, first, (size_t)(s->zlib.next_in - first));
        if (result == Z_MEM_ERROR) {
            return fail_memory(err);
        }
        if (result != Z_OK && result != Z_STREAM_END) {
            return xc_fail(err, XC_ERR_FORMAT, "the state's compressed data are damaged");
        }
        s->ended = result == Z_STREAM_END;
    }
    return XC_OK;
}

static enum xc_status get_inflated(struct xc_state_stream *s, uint8_t *data, size_t size, const char *ended,
                                   struct xc_error *err)
{
    while (size) {
        const size_t piece = size < PIECE ? size : PIECE;
        s->zlib.next_out = data;
        s->zlib.avail_out = (unsigned)piece;
        enum xc_status status = inflate_some(s, ended, err);
        if (status) {
            return status;
        }
        if (s->zlib.avail_out) {
            return xc_fail(err, XC_ERR_FORMAT, "%s", ended);
        }
        for (size_t i = 0; i < piece; i++) {
            data[i] = s->before = (uint8_t)(data[i] + s->before);
        }
        data += piece;
        size -= piece;
    }
    return XC_OK;
}

/* What was read beyond the zlib stream comes first. */
static enum xc_status get_plain(struct xc_state_stream *s, uint8_t *data, size_t size, const char *ended,
                                struct xc_error *err)
{
    const size_t kept = size < s->zlib.avail_in ? size : s->zlib.avail_in;
    if (kept) {
        memcpy(data, s->zlib.next_in, kept);
        s->zlib.next_in += kept;
        s->zlib.avail_in -= (unsigned)kept;
    }
    if (fread(data + kept, 1, size - kept, s->file) != size - kept) {
        return xc_fail_read(s->file, err, ended);
    }
    XXH3_64bits_update(&s->hash, data, size);
    return XC_OK;
}

enum xc_status xc_state_stream_get(struct xc_state_stream *s, void *data, size_t size, const char *ended,
                                   struct xc_error *err)
{
    return s->mode == XC_STREAM_PLAIN ? get_plain(s, data, size, ended, err) : get_inflated(s, data, size, ended, err);
}

enum xc_status xc_state_stream_end(struct xc_state_stream *s, const char *ended, struct xc_error *err)
{
    uint8_t none;
    if (s->mode == XC_STREAM_PLAIN) {
        return XC_OK;
    }
    s->zlib.next_out = &none;
    s->zlib.avail_out = sizeof none;
    enum xc_status status = inflate_some(s, ended, err);
    if (!status && !s->zlib.avail_out) {
        status = xc_fail(err, XC_ERR_FORMAT, "there is more in the file than the state");
    }
    if (!status) {
        inflateEnd(&s->zlib);
        s->mode = XC_STREAM_PLAIN;
    }
    return status;
}

bool xc_state_stream_at_end(struct xc_state_stream *s)
{
    return !s->zlib.avail_in && getc(s->file) == EOF;
}
