/* SPDX-License-Identifier: BSD-2-Clause */
/* The state as a file; docs/state-file.md has the layout byte by byte. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define XXH_STATIC_LINKING_ONLY /* for a hash state on the stack */
#include <xxhash.h>

#include "base/little_endian.h"
#include "base/stream_error.h"
#include "excamera/state.h"
#include "state/runs.h"

static const uint8_t magic[8] = { 'X', 'C', 'S', 'T', 'A', 'T', 'E', '\n' };
enum { VERSION = 1, CHECKSUM_SIZE = 8 };

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

/* A stream whose bytes are hashed on their way. */
struct hashed_stream {
    FILE *stream;
    XXH3_state_t hash;
};

static bool put(struct hashed_stream *s, const void *data, size_t size)
{
    XXH3_64bits_update(&s->hash, data, size);
    return fwrite(data, 1, size, s->stream) == size;
}

static bool get(struct hashed_stream *s, void *data, size_t size)
{
    bool whole = fread(data, 1, size, s->stream) == size;
    if (whole) {
        XXH3_64bits_update(&s->hash, data, size);
    }
    return whole;
}

static void digest(const struct hashed_stream *s, uint8_t out[CHECKSUM_SIZE])
{
    xc_put_le(out, CHECKSUM_SIZE, XXH3_64bits_digest(&s->hash));
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)xc_get_le(at, 2);
}

/* --- writing --- */

static bool put_picture(struct hashed_stream *s, const struct xc_picture *picture)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct xc_runs runs = xc_plane_runs(picture, plane);
        for (unsigned i = 0; i < runs.count; i++) {
            if (!put(s, runs.data + i * runs.stride, runs.size)) {
                return false;
            }
        }
    }
    return true;
}

static void fill_fixed(uint8_t fixed[FIXED_SIZE], const struct xc_state *state)
{
    memcpy(fixed + AT_MAGIC, magic, sizeof magic);
    xc_put_le(fixed + AT_VERSION, 2, VERSION);
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

enum xc_status xc_state_write(const struct xc_state *state, FILE *stream, struct xc_error *err)
{
    if (state->width == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "there is no state to write before the first key frame");
    }
    uint8_t fixed[FIXED_SIZE], checksum[CHECKSUM_SIZE];
    fill_fixed(fixed, state);
    const struct xc_picture *stored[XC_REFERENCES];
    int count = 0;
    for (int i = 0; i < XC_REFERENCES; i++) {
        int at = 0;
        while (at < count && !xc_picture_equal(stored[at], state->reference[i])) {
            at++;
        }
        if (at == count) {
            stored[count++] = state->reference[i];
        }
        fixed[AT_PICTURES + i] = (uint8_t)at;
    }

    struct hashed_stream s = { .stream = stream };
    XXH3_64bits_reset(&s.hash);
    bool good =
        put(&s, fixed, sizeof fixed) && put(&s, state->segment_map, xc_macroblock_count(state->width, state->height));
    for (int i = 0; good && i < count; i++) {
        good = put_picture(&s, stored[i]);
    }
    digest(&s, checksum);
    good = good && fwrite(checksum, 1, sizeof checksum, stream) == sizeof checksum;
    return good ? XC_OK : xc_fail_io(err);
}

/* --- reading --- */

static enum xc_status check_fixed(const uint8_t fixed[FIXED_SIZE], struct xc_error *err)
{
    if (memcmp(fixed + AT_MAGIC, magic, sizeof magic)) {
        return xc_fail(err, XC_ERR_FORMAT, "not a state file");
    }
    if (get16(fixed + AT_VERSION) != VERSION) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "version %u of the state file; this program knows %d",
                       get16(fixed + AT_VERSION), VERSION);
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
    size_t macroblocks = xc_macroblock_count(get16(fixed + AT_WIDTH), get16(fixed + AT_HEIGHT));
    int pictures = 1 + (fixed[AT_PICTURES + 1] == 1) + (fixed[AT_PICTURES + 2] > fixed[AT_PICTURES + 1]);
    uint64_t size = FIXED_SIZE + macroblocks + (uint64_t)pictures * macroblocks * 384 + CHECKSUM_SIZE;
    if (fstat(fileno(stream), &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size != size) {
        return xc_fail(err, XC_ERR_FORMAT, "the state should have %llu bytes, the file has %llu",
                       (unsigned long long)size, (unsigned long long)info.st_size);
    }
    return XC_OK;
}

static bool get_picture(struct hashed_stream *s, struct xc_picture *picture)
{
    for (int plane = 0; plane < 3; plane++) {
        const struct xc_runs runs = xc_plane_runs(picture, plane);
        for (unsigned i = 0; i < runs.count; i++) {
            if (!get(s, runs.data + i * runs.stride, runs.size)) {
                return false;
            }
        }
    }
    return true;
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

static enum xc_status get_pictures(struct hashed_stream *s, struct xc_state *state, const uint8_t stored[XC_REFERENCES],
                                   struct xc_picture_pool *pool, struct xc_error *err)
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
        if (status) {
            return status;
        }
        if (!get_picture(s, state->reference[i])) {
            return xc_fail_read(s->stream, err, "the state ends inside a picture");
        }
        state->reference[i]->complete = true;
    }
    return XC_OK;
}

static enum xc_status get_map(struct hashed_stream *s, struct xc_state *state, struct xc_error *err)
{
    size_t count = xc_macroblock_count(state->width, state->height);
    state->segment_map = malloc(count);
    if (!state->segment_map) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map");
    }
    if (!get(s, state->segment_map, count)) {
        return xc_fail_read(s->stream, err, "the state ends inside its segment map");
    }
    for (size_t i = 0; i < count; i++) {
        if (state->segment_map[i] >= XC_SEGMENTS) {
            return xc_fail(err, XC_ERR_FORMAT, "a macroblock is in segment %u", state->segment_map[i]);
        }
    }
    return XC_OK;
}

static enum xc_status check_end(struct hashed_stream *s, struct xc_error *err)
{
    uint8_t stored[CHECKSUM_SIZE], computed[CHECKSUM_SIZE];
    digest(s, computed);
    if (fread(stored, 1, sizeof stored, s->stream) != sizeof stored) {
        return xc_fail_read(s->stream, err, "the state ends before its checksum");
    }
    if (memcmp(stored, computed, sizeof stored)) {
        return xc_fail(err, XC_ERR_FORMAT, "the state's checksum does not match: the file is damaged");
    }
    if (getc(s->stream) != EOF) {
        return xc_fail(err, XC_ERR_FORMAT, "there is more in the file than the state");
    }
    return ferror(s->stream) ? xc_fail_io(err) : XC_OK;
}

enum xc_status xc_state_read(struct xc_state *state, struct xc_picture_pool *pool, FILE *stream, struct xc_error *err)
{
    uint8_t fixed[FIXED_SIZE];
    struct hashed_stream s = { .stream = stream };
    enum xc_status status;
    *state = (struct xc_state)XC_STATE_INIT;
    XXH3_64bits_reset(&s.hash);
    if (!get(&s, fixed, sizeof fixed)) {
        return xc_fail_read(stream, err, "too short for a state file");
    }
    if ((status = check_fixed(fixed, err)) || (status = check_size(stream, fixed, err))) {
        return status;
    }
    take_fixed(state, fixed);
    if ((status = get_map(&s, state, err)) || (status = get_pictures(&s, state, fixed + AT_PICTURES, pool, err)) ||
        (status = check_end(&s, err))) {
        xc_state_clear(state);
    }
    return status;
}
