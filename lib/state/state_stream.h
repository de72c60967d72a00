/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a state file on their way: hashed, and compressed from some byte on to another one. What is compressed
 * is the difference of each byte from the one before, as a zlib stream (RFC 1950). docs/state-file.md has the format.
 */
#ifndef XC_STATE_STATE_STREAM_H
#define XC_STATE_STATE_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define XXH_STATIC_LINKING_ONLY /* for a hash state on the stack */
#include <xxhash.h>
#include <zlib.h>

#include "excamera/error.h"

/* No zlib stream is shorter than what it holds by a greater factor: https://zlib.net/zlib_tech.html */
enum { XC_ZLIB_MOST = 1032 };

struct xc_state_stream {
    FILE *file;        /* the caller's */
    XXH3_state_t hash; /* of the file's bytes */
    enum { XC_STREAM_PLAIN, XC_STREAM_DEFLATE, XC_STREAM_INFLATE } mode;
    z_stream zlib;         /* when reading, next_in and avail_in are what was read and not used */
    bool ended;            /* the zlib stream that is read */
    uint8_t before;        /* the byte from which the next one differs */
    uint8_t buffer[16384]; /* of compressed bytes */
};

void xc_state_stream_init(struct xc_state_stream *s, FILE *file);
/* Gives back what compression has allocated; always to be called. */
void xc_state_stream_clear(struct xc_state_stream *s);
/* The XXH3-64 of the file's bytes so far; to be asked for while no compression is going on. */
uint64_t xc_state_stream_hash(const struct xc_state_stream *s);

enum xc_status xc_state_stream_put(struct xc_state_stream *s, const void *data, size_t size, struct xc_error *err);
enum xc_status xc_state_stream_deflate(struct xc_state_stream *s, struct xc_error *err); /* from now on */
enum xc_status xc_state_stream_finish(struct xc_state_stream *s, struct xc_error *err);  /* plain from now on */

/* ended: what to say if the file ends before. */
enum xc_status xc_state_stream_get(struct xc_state_stream *s, void *data, size_t size, const char *ended,
                                   struct xc_error *err);
enum xc_status xc_state_stream_inflate(struct xc_state_stream *s, struct xc_error *err); /* from now on */
/* Plain from now on. Fails unless the zlib stream ends here, with the right check value. */
enum xc_status xc_state_stream_end(struct xc_state_stream *s, const char *ended, struct xc_error *err);
/* Whether there is no further byte. If false, it may be that reading has failed: ferror(s->file). */
bool xc_state_stream_at_end(struct xc_state_stream *s);

#endif
