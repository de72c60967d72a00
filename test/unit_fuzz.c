/* SPDX-License-Identifier: BSD-2-Clause */
/* Damaged frames and states: whatever the bytes are, the library returns, touches only its own memory (the sanitizers
 * watch), leaves the state alone when it fails, and its two ways of decoding agree. Usage: unit_fuzz ROUNDS FILE.ivf
 * ..., one test per file. */
#include <xxhash.h>

#include "excamera/decode.h"
#include "excamera/frame.h"
#include "excamera/picture.h"
#include "excamera/state.h"
#include "unit.h"

/* A damaged key frame may state any size; pictures beyond this one would only cost time. */
enum { MAX_SAMPLES = 1 << 18 };

/* Changes some bytes of data, mostly near its beginning, where the headers are, and perhaps its length. */
static size_t damage(uint8_t *data, size_t size, uint64_t *seed)
{
    for (unsigned changes = 1 + unit_below(seed, 6); changes; changes--) {
        size_t range = unit_below(seed, 2) && size > 64 ? 64 : size;
        size_t at = unit_below(seed, (unsigned)range);
        data[at] = unit_below(seed, 2) ? (uint8_t)unit_random(seed) : (uint8_t)(data[at] ^ 1u << unit_below(seed, 8));
    }
    return unit_below(seed, 4) ? size : unit_below(seed, (unsigned)size + 1);
}

static bool is_too_large(const uint8_t *data, size_t size)
{
    if (!xc_data_is_key_frame(data, size) || size < 10) {
        return false;
    }
    unsigned width = (data[6] | data[7] << 8) & XC_MAX_DIMENSION, height = (data[8] | data[9] << 8) & XC_MAX_DIMENSION;
    return width * height > MAX_SAMPLES;
}

static void check_failed(enum xc_status status, const struct xc_error *err, const struct xc_state *now,
                         const struct xc_state *before)
{
    CHECK(status == XC_OK || (err->text[0] && !strchr(err->text, '\n')));
    CHECK(status == XC_OK || xc_state_equal(now, before));
}

/* Parses, decodes and writes a damaged frame; *state becomes the state after it, or stays where it was if it is
 * refused. */
static enum xc_status try_frame(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data,
                                size_t size)
{
    struct xc_error err = { .text = "" };
    struct xc_frame frame = XC_FRAME_INIT;
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state before = XC_STATE_INIT;
    CHECK_OK(xc_state_copy(&before, state, &err), err);
    enum xc_status status = xc_frame_parse(&frame, state, data, size, &err);
    if (status == XC_OK) {
        xc_frame_serialize(&bytes, &frame, state, NULL);
        status = xc_decode_frame(workspace, state, &frame, NULL, &err);
        xc_frame_optimize(&frame, &before, NULL);
    }
    check_failed(status, &err, state, &before);
    xc_bytes_clear(&bytes);
    xc_frame_clear(&frame);
    xc_state_clear(&before);
    return status;
}

/* One damaged frame, both ways, and then an intact one in the state that it left. */
static void test_damaged_frame(struct xc_workspace *workspace, const struct xc_state *before, const uint8_t *data,
                               size_t size, const struct xc_ivf_frame *next)
{
    struct xc_error err = { .text = "" };
    struct xc_state by_frame = XC_STATE_INIT, by_bytes = XC_STATE_INIT;
    CHECK_OK(xc_state_copy(&by_frame, before, &err), err);
    CHECK_OK(xc_state_copy(&by_bytes, before, &err), err);
    enum xc_status status = try_frame(workspace, &by_frame, data, size);
    enum xc_status status_by_bytes = xc_decode(workspace, &by_bytes, data, size, NULL, &err);
    check_failed(status_by_bytes, &err, &by_bytes, before);
    if (size) { /* no bytes at all are no frame to parse, but a lost one to decode */
        CHECK_EQUAL(status, status_by_bytes);
    }
    CHECK(xc_state_equal(&by_frame, &by_bytes));
    try_frame(workspace, &by_frame, next->data, next->size);
    xc_state_clear(&by_frame);
    xc_state_clear(&by_bytes);
}

/* A damaged state file whose checksum says that it is intact: refused, or a state like any other. */
static void test_damaged_state(struct xc_workspace *workspace, const struct xc_state *state, bool compressed,
                               uint64_t *seed, const struct xc_ivf_frame *next)
{
    char *data = NULL;
    size_t size;
    struct xc_error err = { .text = "" };
    struct xc_state loaded = XC_STATE_INIT;
    FILE *stream = open_memstream(&data, &size);
    CHECK_OK(compressed ? xc_state_write_compressed(state, stream, &err) : xc_state_write(state, stream, &err), err);
    fclose(stream);

    size_t signed_size = size - 8;
    damage((uint8_t *)data, signed_size, seed);
    uint64_t checksum = XXH3_64bits(data, signed_size);
    for (unsigned i = 0; i < 8; i++) {
        data[signed_size + i] = (char)(checksum >> 8 * i);
    }
    stream = fmemopen(data, size, "rb");
    enum xc_status status = xc_state_read(&loaded, NULL, stream, &err);
    fclose(stream);
    CHECK(status == XC_OK || err.text[0]);
    if (status == XC_OK) {
        try_frame(workspace, &loaded, next->data, next->size);
    }
    free(data);
    xc_state_clear(&loaded);
}

/* Rounds of damage at each frame of the file in turn, and at the state after it. */
static void test_file(const char *path, unsigned rounds)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = XC_STATE_INIT;
    struct xc_workspace *workspace;
    struct xc_ivf ivf = unit_read_ivf(path);
    uint64_t seed = 2017;
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    for (uint32_t i = 0; i < ivf.header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &ivf.frames[i], *next = &ivf.frames[(i + 1) % ivf.header.frame_count];
        for (unsigned round = 0; frame->size && round < rounds; round++) {
            uint8_t *data = unit_realloc(NULL, frame->size);
            memcpy(data, frame->data, frame->size);
            size_t size = damage(data, frame->size, &seed);
            data = unit_realloc(data, size ? size : 1); /* so that a sanitizer sees reading beyond the end */
            if (!is_too_large(data, size)) {
                test_damaged_frame(workspace, &state, data, size, next);
            }
            free(data);
        }
        CHECK_OK(xc_decode(workspace, &state, frame->data, frame->size, NULL, &err), err);
        for (unsigned round = 0; round < rounds; round++) {
            test_damaged_state(workspace, &state, round % 2, &seed, next);
        }
    }
    xc_state_clear(&state);
    xc_workspace_free(workspace);
    xc_ivf_clear(&ivf);
    const char *name = strrchr(path, '/');
    unit_end(name ? name + 1 : path);
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        test_file(argv[i], (unsigned)strtoul(argv[1], NULL, 10));
    }
    return unit_finish();
}
