/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/state.h"

#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* for a hash state on the stack */
#include <xxhash.h>

#include "base/little_endian.h"
#include "state/runs.h"

static size_t map_size(const struct xc_state *state)
{
    return xc_macroblock_count(state->width, state->height);
}

void xc_state_clear(struct xc_state *state)
{
    for (int i = 0; i < XC_REFERENCES; i++) {
        xc_picture_unref(state->reference[i]);
    }
    free(state->segment_map);
    *state = (struct xc_state)XC_STATE_INIT;
}

enum xc_status xc_state_copy(struct xc_state *to, const struct xc_state *from, struct xc_error *err)
{
    struct xc_state copy = *from;
    if (from->segment_map) {
        copy.segment_map = malloc(map_size(from));
        if (!copy.segment_map) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map");
        }
        memcpy(copy.segment_map, from->segment_map, map_size(from));
    }
    for (int i = 0; i < XC_REFERENCES; i++) {
        xc_picture_ref(copy.reference[i]);
    }
    xc_state_clear(to);
    *to = copy;
    return XC_OK;
}

bool xc_state_equal(const struct xc_state *a, const struct xc_state *b)
{
    bool equal = a->width == b->width && a->height == b->height && a->horizontal_scale == b->horizontal_scale &&
                 a->vertical_scale == b->vertical_scale && a->color_space == b->color_space &&
                 a->clamping_type == b->clamping_type &&
                 !memcmp(&a->probabilities, &b->probabilities, sizeof a->probabilities) &&
                 !memcmp(&a->segment_data, &b->segment_data, sizeof a->segment_data) &&
                 !memcmp(&a->filter_deltas, &b->filter_deltas, sizeof a->filter_deltas);
    if (!equal || a->width == 0) {
        return equal;
    }
    if (memcmp(a->segment_map, b->segment_map, map_size(a))) {
        return false;
    }
    for (int i = 0; i < XC_REFERENCES; i++) {
        if (!xc_picture_equal(a->reference[i], b->reference[i])) {
            return false;
        }
    }
    return true;
}

static uint64_t hash_picture(const struct xc_picture *picture)
{
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    for (int plane = 0; plane < 3; plane++) {
        const struct xc_runs runs = xc_plane_runs(picture, plane);
        for (unsigned i = 0; i < runs.count; i++) {
            XXH3_64bits_update(&hash, runs.data + i * runs.stride, runs.size);
        }
    }
    return XXH3_64bits_digest(&hash);
}

/* The same bytes on machines of either byte order. */
static void hash_number(XXH3_state_t *hash, uint64_t value)
{
    uint8_t bytes[8];
    xc_put_le(bytes, sizeof bytes, value);
    XXH3_64bits_update(hash, bytes, sizeof bytes);
}

static void hash_references(XXH3_state_t *hash, const struct xc_state *state)
{
    uint64_t done[XC_REFERENCES];
    for (int i = 0; i < XC_REFERENCES; i++) {
        int same = 0;
        while (state->reference[same] != state->reference[i]) {
            same++;
        }
        done[i] = same < i ? done[same] : hash_picture(state->reference[i]);
        hash_number(hash, done[i]);
    }
}

uint64_t xc_state_hash(const struct xc_state *state)
{
    if (state->width == 0) {
        return 0;
    }
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    hash_number(&hash, state->width);
    hash_number(&hash, state->height);
    hash_number(&hash, state->horizontal_scale);
    hash_number(&hash, state->vertical_scale);
    hash_number(&hash, state->color_space);
    hash_number(&hash, state->clamping_type);
    /* All of these are bytes without padding. */
    XXH3_64bits_update(&hash, &state->probabilities, sizeof state->probabilities);
    XXH3_64bits_update(&hash, &state->segment_data, sizeof state->segment_data);
    XXH3_64bits_update(&hash, &state->filter_deltas, sizeof state->filter_deltas);
    XXH3_64bits_update(&hash, state->segment_map, map_size(state));
    hash_references(&hash, state);
    return XXH3_64bits_digest(&hash);
}

uint32_t xc_state_id(const struct xc_state *state)
{
    uint32_t id = (uint32_t)xc_state_hash(state);
    return state->width && (id == 0 || id == XC_NO_STATE_ID) ? 1 : id;
}

bool xc_state_satisfies(const struct xc_state *state, uint32_t expected_id)
{
    return expected_id == 0 || expected_id == xc_state_id(state);
}
