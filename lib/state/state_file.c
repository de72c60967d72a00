/* SPDX-License-Identifier: BSD-2-Clause */
/* The state as a file; docs/state-file.md has the layout byte by byte. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/little_endian.h"
#include "base/stream_error.h"
#include "excamera/state.h"
#include "state/runs.h"
#include "state/state_stream.h"

static const uint8_t magic[8] = { 'X', 'C', 'S', 'T', 'A', 'T', 'E', '\n' };
enum { PLAIN = 1, COMPRESSED = 2 }; /* versions of the layout */
enum { CHECKSUM_SIZE = 8 };

/* Offsets in the fixed part, which ends where the segment map begins. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_WIDTH = 10,
    AT_HEIGHT = 12,
    AT_SCALES = 14,   /* horizontal, vertical */
    AT_COLOR = 16,    /* color space, clamping type */
    AT_PICTURES = 18, /* which stored picture each reference is; their number follows from it */
    AT_SEGMENTS = 21, /* absolute, 4 quantizers, 4 filter levels */
    AT_DELTAS = 30,   /* 4 references, 4 modes */
    AT_PROBABILITIES = 38,
    FIXED_SIZE = AT_PROBABILITIES + sizeof(struct xc_probabilities),
};
_Static_assert(sizeof(struct xc_probabilities) == 4 * 8 * 3 * 11 + 2 * 19 + 4 + 3, "bytes only, no padding");
_Static_assert(sizeof(struct xc_segment_data) == AT_DELTAS - AT_SEGMENTS, "bytes only, no padding");
_Static_assert(sizeof(struct xc_filter_deltas) == AT_PROBABILITIES - AT_DELTAS, "bytes only, no padding");

static unsigned get16(const uint8_t *at)
{
    return (unsigned)xc_get_le(at, 2);
}

/* --- writing --- */

static enum xc_status put_picture(struct xc_state_stream *s, const struct xc_picture *picture, struct xc_error *err)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct xc_runs runs = xc_plane_runs(picture, plane);
        for (unsigned i = 0; i < runs.count; i++) {
            enum xc_status status = xc_state_stream_put(s, runs.data + i * runs.stride, runs.size, err);
            if (status) {
                return status;
            }
        }
    }
    return XC_OK;
}

static void fill_fixed(uint8_t fixed[FIXED_SIZE], const struct xc_state *state, int version)
{
    memcpy(fixed + AT_MAGIC, magic, sizeof magic);
    xc_put_le(fixed + AT_VERSION, 2, (uint64_t)version);
    xc_put_le(fixed + AT_WIDTH, 2, state->width);
    xc_put_le(fixed + AT_HEIGHT, 2, state->height);
    fixed[AT_SCALES] = state->horizontal_scale;
    fixed[AT_SCALES + 1] = state->vertical_scale;
    fixed[AT_COLOR] = state->color_space;
    fixed[AT_COLOR + 1] = state->clamping_type;
    memcpy(fixed + AT_SEGMENTS, &state->segment_data, sizeof state->segment_data);
    memcpy(fixed + AT_DELTAS, &state->filter_deltas, sizeof state->filter_deltas);
    memcpy(fixed + AT_PROBABILITIES, &state->probabilities, sizeof state->probabilities);
}

/* Those of the references that have different samples, and which of them each reference is. Returns their number. */
static int choose_stored(const struct xc_picture *stored[XC_REFERENCES], uint8_t which[XC_REFERENCES],
                         const struct xc_state *state)
{
    int count = 0;
    for (int i = 0; i < XC_REFERENCES; i++) {
        int at = 0;
        while (at < count && !xc_picture_equal(stored[at], state->reference[i])) {
            at++;
        }
        if (at == count) {
            stored[count++] = state->reference[i];
        }
        which[i] = (uint8_t)at;
    }
    return count;
}

static enum xc_status put_state(struct xc_state_stream *s, const struct xc_state *state, int version,
                                struct xc_error *err)
{
    uint8_t fixed[FIXED_SIZE], checksum[CHECKSUM_SIZE];
    const struct xc_picture *stored[XC_REFERENCES];
    fill_fixed(fixed, state, version);
    const int count = choose_stored(stored, fixed + AT_PICTURES, state);
    enum xc_status status = xc_state_stream_put(s, fixed, sizeof fixed, err);
    if (!status && version == COMPRESSED) {
        status = xc_state_stream_deflate(s, err);
    }
    if (!status) {
        status = xc_state_stream_put(s, state->segment_map, xc_macroblock_count(state->width, state->height), err);
    }
    for (int i = 0; !status && i < count; i++) {
        status = put_picture(s, stored[i], err);
    }
    if (!status) {
        status = xc_state_stream_finish(s, err);
    }
    xc_put_le(checksum, CHECKSUM_SIZE, xc_state_stream_hash(s));
    return status ? status : xc_state_stream_put(s, checksum, sizeof checksum, err);
}

static enum xc_status write_state(const struct xc_state *state, FILE *stream, int version, struct xc_error *err)
{
    struct xc_state_stream s;
    if (state->width == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "there is no state to write before the first key frame");
    }
    xc_state_stream_init(&s, stream);
    enum xc_status status = put_state(&s, state, version, err);
    xc_state_stream_clear(&s);
    return status;
}

enum xc_status xc_state_write(const struct xc_state *state, FILE *stream, struct xc_error *err)
{
    return write_state(state, stream, PLAIN, err);
}

enum xc_status xc_state_write_compressed(const struct xc_state *state, FILE *stream, struct xc_error *err)
{
    return write_state(state, stream, COMPRESSED, err);
}

/* --- reading --- */

static enum xc_status check_fixed(const uint8_t fixed[FIXED_SIZE], struct xc_error *err)
{
    if (memcmp(fixed + AT_MAGIC, magic, sizeof magic)) {
        return xc_fail(err, XC_ERR_FORMAT, "not a state file");
    }
    const unsigned version = get16(fixed + AT_VERSION);
    if (version != PLAIN && version != COMPRESSED) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "version %u of the state file; this program knows %d and %d", version,
                       PLAIN, COMPRESSED);
    }
    unsigned width = get16(fixed + AT_WIDTH), height = get16(fixed + AT_HEIGHT);
    if (width < 1 || width > XC_MAX_DIMENSION || height < 1 || height > XC_MAX_DIMENSION) {
        return xc_fail(err, XC_ERR_FORMAT, "the state's size is %ux%u", width, height);
    }
    if (fixed[AT_SCALES] > 3 || fixed[AT_SCALES + 1] > 3 || fixed[AT_COLOR] > 1 || fixed[AT_COLOR + 1] > 1 ||
        fixed[AT_SEGMENTS] > 1) {
        return xc_fail(err, XC_ERR_FORMAT, "a field of the state is out of range");
    }
    for (int i = 0, count = 0; i < XC_REFERENCES; i++) {
        if (fixed[AT_PICTURES + i] > count) {
            return xc_fail(err, XC_ERR_FORMAT, "the state's references are out of order");
        }
        count += fixed[AT_PICTURES + i] == count;
    }
    for (int i = 0; i < 4; i++) {
        const struct xc_segment_data *data = (const void *)(fixed + AT_SEGMENTS);
        const struct xc_filter_deltas *deltas = (const void *)(fixed + AT_DELTAS);
        if (data->quantizer[i] < -127 || abs(data->filter_level[i]) > 63 || abs(deltas->reference[i]) > 63 ||
            abs(deltas->mode[i]) > 63) {
            return xc_fail(err, XC_ERR_FORMAT, "a segment's value or a loop filter delta is out of range");
        }
    }
    /* Section 17.2 of RFC 6386 cannot send a 0 for a motion vector's probability; elsewhere it can. */
    const uint8_t *mv = fixed + AT_PROBABILITIES + offsetof(struct xc_probabilities, mv);
    if (memchr(mv, 0, sizeof((struct xc_probabilities *)0)->mv)) {
        return xc_fail(err, XC_ERR_FORMAT, "a motion vector probability is 0");
    }
    return XC_OK;
}

/* Where the stream is a file, its size tells before anything is allocated whether all of the state can be there. */
static enum xc_status check_size(FILE *stream, const uint8_t fixed[FIXED_SIZE], struct xc_error *err)
{
    struct stat info;
    const bool compressed = get16(fixed + AT_VERSION) == COMPRESSED;
    size_t macroblocks = xc_macroblock_count(get16(fixed + AT_WIDTH), get16(fixed + AT_HEIGHT));
    int pictures = 1 + (fixed[AT_PICTURES + 1] == 1) + (fixed[AT_PICTURES + 2] > fixed[AT_PICTURES + 1]);
    const uint64_t rest = macroblocks + (uint64_t)pictures * macroblocks * 384;
    const uint64_t size = FIXED_SIZE + (compressed ? rest / XC_ZLIB_MOST : rest) + CHECKSUM_SIZE;
    if (fstat(fileno(stream), &info) || !S_ISREG(info.st_mode)) {
        return XC_OK;
    }
    if ((uint64_t)info.st_size < size || (!compressed && (uint64_t)info.st_size != size)) {
        return xc_fail(err, XC_ERR_FORMAT, "the state should have %s%llu bytes, the file has %llu",
                       compressed ? "at least " : "", (unsigned long long)size, (unsigned long long)info.st_size);
    }
    return XC_OK;
}

static enum xc_status get_picture(struct xc_state_stream *s, struct xc_picture *picture, struct xc_error *err)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct xc_runs runs = xc_plane_runs(picture, plane);
        for (unsigned i = 0; i < runs.count; i++) {
            enum xc_status status =
                xc_state_stream_get(s, runs.data + i * runs.stride, runs.size, "the state ends inside a picture", err);
            if (status) {
                return status;
            }
        }
    }
    return XC_OK;
}

static void take_fixed(struct xc_state *state, const uint8_t fixed[FIXED_SIZE])
{
    state->width = (uint16_t)get16(fixed + AT_WIDTH);
    state->height = (uint16_t)get16(fixed + AT_HEIGHT);
    state->horizontal_scale = fixed[AT_SCALES];
    state->vertical_scale = fixed[AT_SCALES + 1];
    state->color_space = fixed[AT_COLOR];
    state->clamping_type = fixed[AT_COLOR + 1];
    memcpy(&state->segment_data, fixed + AT_SEGMENTS, sizeof state->segment_data);
    memcpy(&state->filter_deltas, fixed + AT_DELTAS, sizeof state->filter_deltas);
    memcpy(&state->probabilities, fixed + AT_PROBABILITIES, sizeof state->probabilities);
}

static enum xc_status get_pictures(struct xc_state_stream *s, struct xc_state *state,
                                   const uint8_t stored[XC_REFERENCES], struct xc_picture_pool *pool,
                                   struct xc_error *err)
{
    for (int i = 0; i < XC_REFERENCES; i++) {
        int first = 0;
        while (stored[first] != stored[i]) {
            first++;
        }
        if (first < i) {
            state->reference[i] = xc_picture_ref(state->reference[first]);
            continue;
        }
        enum xc_status status = xc_picture_new(&state->reference[i], pool, state->width, state->height, err);
        if (status || (status = get_picture(s, state->reference[i], err))) {
            return status;
        }
        state->reference[i]->complete = true;
    }
    return XC_OK;
}

static enum xc_status get_map(struct xc_state_stream *s, struct xc_state *state, struct xc_error *err)
{
    size_t count = xc_macroblock_count(state->width, state->height);
    state->segment_map = malloc(count);
    if (!state->segment_map) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map");
    }
    enum xc_status status =
        xc_state_stream_get(s, state->segment_map, count, "the state ends inside its segment map", err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        if (state->segment_map[i] >= XC_SEGMENTS) {
            return xc_fail(err, XC_ERR_FORMAT, "a macroblock is in segment %u", state->segment_map[i]);
        }
    }
    return XC_OK;
}

static enum xc_status check_end(struct xc_state_stream *s, struct xc_error *err)
{
    static const char early[] = "the state ends before its checksum";
    uint8_t stored[CHECKSUM_SIZE], computed[CHECKSUM_SIZE];
    enum xc_status status = xc_state_stream_end(s, early, err);
    xc_put_le(computed, CHECKSUM_SIZE, xc_state_stream_hash(s));
    if (status || (status = xc_state_stream_get(s, stored, sizeof stored, early, err))) {
        return status;
    }
    if (memcmp(stored, computed, sizeof stored)) {
        return xc_fail(err, XC_ERR_FORMAT, "the state's checksum does not match: the file is damaged");
    }
    if (!xc_state_stream_at_end(s)) {
        return xc_fail(err, XC_ERR_FORMAT, "there is more in the file than the state");
    }
    return ferror(s->file) ? xc_fail_io(err) : XC_OK;
}

static enum xc_status get_state(struct xc_state_stream *s, struct xc_state *state, struct xc_picture_pool *pool,
                                struct xc_error *err)
{
    uint8_t fixed[FIXED_SIZE];
    enum xc_status status = xc_state_stream_get(s, fixed, sizeof fixed, "too short for a state file", err);
    if (status || (status = check_fixed(fixed, err)) || (status = check_size(s->file, fixed, err))) {
        return status;
    }
    take_fixed(state, fixed);
    if (get16(fixed + AT_VERSION) == COMPRESSED && (status = xc_state_stream_inflate(s, err))) {
        return status;
    }
    if ((status = get_map(s, state, err)) || (status = get_pictures(s, state, fixed + AT_PICTURES, pool, err))) {
        return status;
    }
    return check_end(s, err);
}

enum xc_status xc_state_read(struct xc_state *state, struct xc_picture_pool *pool, FILE *stream, struct xc_error *err)
{
    struct xc_state_stream s;
    *state = (struct xc_state)XC_STATE_INIT;
    xc_state_stream_init(&s, stream);
    enum xc_status status = get_state(&s, state, pool, err);
    xc_state_stream_clear(&s);
    if (status) {
        xc_state_clear(state);
    }
    return status;
}
