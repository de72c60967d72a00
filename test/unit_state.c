/* SPDX-License-Identifier: BSD-2-Clause */
/* The state as a value: copied, compared, hashed, written, read, and refused when a single byte of its file is wrong.
 * */
#define _GNU_SOURCE /* fopencookie */
#include <errno.h>

#include <xxhash.h>
#include <zlib.h>

#include "excamera/picture.h"
#include "excamera/state.h"
#include "unit.h"

/* Not a multiple of 16 in either direction, so that there are samples that count and are never displayed. */
enum { WIDTH = 37, HEIGHT = 21, MACROBLOCKS = 3 * 2 };
enum { MAP_AT = 1139 }; /* where the segment map begins in a file, or what is compressed */

static struct xc_picture *make_picture(uint64_t seed)
{
    struct xc_picture *picture = NULL;
    struct xc_error err = { .text = "" };
    CHECK_OK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, &err), err);
    for (int p = 0; p < 3; p++) {
        for (unsigned y = 0; y < xc_plane_coded_height(picture, p); y++) {
            for (unsigned x = 0; x < xc_plane_coded_width(picture, p); x++) {
                picture->plane[p].data[(ptrdiff_t)y * picture->plane[p].stride + x] = (uint8_t)unit_random(&seed);
            }
        }
    }
    return picture;
}

/* A state with every field in use. Equal seeds give equal pictures, each a picture of its own. */
static struct xc_state make_state(uint64_t last, uint64_t golden, uint64_t altref)
{
    uint64_t seed = 7;
    struct xc_state state = XC_STATE_INIT;
    state.width = WIDTH;
    state.height = HEIGHT;
    state.horizontal_scale = 1;
    state.vertical_scale = 2;
    state.color_space = 1;
    state.clamping_type = 1;
    state.reference[XC_LAST] = make_picture(last);
    state.reference[XC_GOLDEN] = make_picture(golden);
    state.reference[XC_ALTREF] = make_picture(altref);
    uint8_t *probabilities = (uint8_t *)&state.probabilities;
    for (size_t i = 0; i < sizeof state.probabilities; i++) {
        probabilities[i] = (uint8_t)(1 + unit_below(&seed, 255));
    }
    state.segment_data = (struct xc_segment_data){ 1, { 10, 20, 30, 127 }, { 0, 20, 40, 63 } };
    state.filter_deltas = (struct xc_filter_deltas){ { 2, 0, -2, -63 }, { 4, -2, 2, 63 } };
    state.segment_map = malloc(MACROBLOCKS);
    for (unsigned i = 0; state.segment_map && i < MACROBLOCKS; i++) {
        state.segment_map[i] = (uint8_t)(i % XC_SEGMENTS);
    }
    return state;
}

/* The kind of file that tests are about. */
static struct {
    enum xc_status (*write)(const struct xc_state *state, FILE *stream, struct xc_error *err);
    const char *name;
} kind = { xc_state_write, "" };

/* The state's file in memory, to be freed. */
static uint8_t *write_state(const struct xc_state *state, size_t *size)
{
    char *data = NULL;
    struct xc_error err = { .text = "" };
    FILE *stream = open_memstream(&data, size);
    CHECK_OK(kind.write(state, stream, &err), err);
    fclose(stream);
    return (uint8_t *)data;
}

/* What a stream is made of: a file, whose size can be asked for; a pipe; a pipe that breaks at its end. */
enum source { A_FILE, A_PIPE, A_BROKEN_PIPE };

struct pipe {
    enum source source;
    const uint8_t *data;
    size_t left;
};

static ssize_t read_pipe(void *cookie, char *out, size_t size)
{
    struct pipe *pipe = cookie;
    size = size < pipe->left ? size : pipe->left;
    if (size == 0 && pipe->source == A_BROKEN_PIPE) {
        errno = EIO;
        return -1;
    }
    memcpy(out, pipe->data, size);
    pipe->data += size;
    pipe->left -= size;
    return (ssize_t)size;
}

static enum xc_status read_state_from(enum source source, struct xc_state *state, const uint8_t *data, size_t size,
                                      struct xc_error *err)
{
    struct pipe pipe = { source, data, size };
    FILE *stream =
        source == A_FILE ? tmpfile() : fopencookie(&pipe, "rb", (cookie_io_functions_t){ .read = read_pipe });
    if (source == A_FILE) {
        fwrite(data, 1, size, stream);
        rewind(stream);
    }
    enum xc_status status = xc_state_read(state, NULL, stream, err);
    fclose(stream);
    return status;
}

static enum xc_status read_state(struct xc_state *state, const uint8_t *data, size_t size, struct xc_error *err)
{
    return read_state_from(A_FILE, state, data, size, err);
}

static void end(const char *what)
{
    char text[100];
    snprintf(text, sizeof text, "%s%s", what, kind.name);
    unit_end(text);
}

static bool is_one_line(const char *text)
{
    return text[0] && !strchr(text, '\n');
}

static void test_round_trip(void)
{
    size_t size, again_size;
    struct xc_error err = { .text = "" };
    struct xc_state state = make_state(1, 2, 3), loaded = XC_STATE_INIT;
    uint8_t *data = write_state(&state, &size);
    CHECK_OK(read_state(&loaded, data, size, &err), err);
    CHECK(xc_state_equal(&state, &loaded));
    CHECK(loaded.width == WIDTH && loaded.height == HEIGHT);
    CHECK(loaded.horizontal_scale == 1 && loaded.vertical_scale == 2);
    CHECK(loaded.color_space == 1 && loaded.clamping_type == 1);
    CHECK(memcmp(&loaded.probabilities, &state.probabilities, sizeof state.probabilities) == 0);
    CHECK(memcmp(&loaded.filter_deltas, &state.filter_deltas, sizeof state.filter_deltas) == 0);
    CHECK(memcmp(&loaded.segment_data, &state.segment_data, sizeof state.segment_data) == 0);
    CHECK(memcmp(loaded.segment_map, state.segment_map, MACROBLOCKS) == 0);
    CHECK_EQUAL(xc_state_hash(&state), xc_state_hash(&loaded));
    CHECK_EQUAL(xc_state_id(&state), xc_state_id(&loaded));
    uint8_t *again = write_state(&loaded, &again_size);
    CHECK(again_size == size && memcmp(again, data, size) == 0);
    free(again);
    free(data);
    xc_state_clear(&state);
    xc_state_clear(&loaded);
    end("what is written is read again");
}

/* Lets the state's references be one picture where this says the same number. */
static void share(struct xc_state *state, const int *like)
{
    for (int i = 0; i < XC_REFERENCES; i++) {
        struct xc_picture *old = state->reference[i];
        state->reference[i] = xc_picture_ref(state->reference[like[i]]);
        xc_picture_unref(old);
    }
}

static void test_shared_references(void)
{
    size_t sizes[3];
    static const int like[3][XC_REFERENCES] = { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 1, 2 } };
    for (int i = 0; i < 3; i++) {
        struct xc_error err = { .text = "" };
        struct xc_state state = make_state(1, 2, 3), loaded = XC_STATE_INIT;
        share(&state, like[i]);
        uint8_t *data = write_state(&state, &sizes[i]);
        CHECK_OK(read_state(&loaded, data, sizes[i], &err), err);
        CHECK(xc_state_equal(&state, &loaded));
        for (int k = 0; k < XC_REFERENCES; k++) {
            CHECK(loaded.reference[k] == loaded.reference[like[i][k]]);
        }
        free(data);
        xc_state_clear(&state);
        xc_state_clear(&loaded);
    }
    size_t picture_size = MACROBLOCKS * 384; /* 256 samples of Y, 64 of U and V each */
    CHECK_COMPARE(sizes[0], <, 2 * picture_size);
    CHECK_EQUAL(sizes[1], sizes[0] + picture_size);
    CHECK_EQUAL(sizes[2], sizes[1] + picture_size);
    unit_end("references that are one picture are stored once");
}

/* One picture under two names, or two pictures with the same samples: for all that follows, that is the same. */
static void test_twins(void)
{
    static const int like[][XC_REFERENCES] = { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 2 }, { 0, 1, 1 } };
    for (size_t i = 0; i < sizeof like / sizeof *like; i++) {
        size_t shared_size, twins_size;
        const uint64_t golden = 1 + (uint64_t)like[i][XC_GOLDEN], altref = 1 + (uint64_t)like[i][XC_ALTREF];
        struct xc_state shared = make_state(1, golden, altref), twins = make_state(1, golden, altref);
        share(&shared, like[i]);
        CHECK(xc_state_equal(&shared, &twins));
        CHECK_EQUAL(xc_state_hash(&shared), xc_state_hash(&twins));
        uint8_t *shared_data = write_state(&shared, &shared_size), *twins_data = write_state(&twins, &twins_size);
        CHECK(shared_size == twins_size && memcmp(shared_data, twins_data, shared_size) == 0);
        free(shared_data);
        free(twins_data);
        xc_state_clear(&shared);
        xc_state_clear(&twins);
    }
    unit_end("equal pictures make equal states, and equal files");
}

static uint64_t hash_of_planes(const struct xc_picture *picture)
{
    uint8_t samples[MACROBLOCKS * 384], *at = samples;
    for (int p = 0; p < 3; p++) {
        for (unsigned y = 0; y < xc_plane_coded_height(picture, p); y++) {
            unsigned width = xc_plane_coded_width(picture, p);
            memcpy(at, picture->plane[p].data + (ptrdiff_t)y * picture->plane[p].stride, width);
            at += width;
        }
    }
    return XXH3_64bits(samples, sizeof samples);
}

static uint8_t *put64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        *at++ = (uint8_t)(value >> 8 * i);
    }
    return at;
}

/* The file and the hash, by what docs/state-file.md says, not by what the library does. */
static void test_documented_layout(void)
{
    enum { SEGMENTS_AT = 21, PROBABILITIES_AT = 38 };
    size_t size;
    struct xc_state state = make_state(1, 2, 3);
    uint8_t *data = write_state(&state, &size);
    static const uint8_t start[] = {
        'X', 'C', 'S', 'T', 'A', 'T', 'E', '\n', 1,  0,  WIDTH, 0, HEIGHT, 0,    1,    2, 1,    1, 0,
        1,   2,   1,   10,  20,  30,  127, 0,    20, 40, 63,    2, 0,      0xfe, 0xc1, 4, 0xfe, 2, 63,
    };
    CHECK_EQUAL(size, MAP_AT + MACROBLOCKS * (1 + 3 * 384) + 8);
    CHECK(memcmp(data, start, sizeof start) == 0);
    CHECK(memcmp(data + PROBABILITIES_AT, state.probabilities.coefficient, 1056) == 0);
    CHECK(memcmp(data + 1094, state.probabilities.mv, 38) == 0);
    CHECK(memcmp(data + 1132, state.probabilities.y_mode, 4) == 0);
    CHECK(memcmp(data + 1136, state.probabilities.uv_mode, 3) == 0);
    CHECK(memcmp(data + MAP_AT, state.segment_map, MACROBLOCKS) == 0);
    for (int i = 0; i < XC_REFERENCES; i++) {
        size_t at = MAP_AT + MACROBLOCKS + (size_t)i * MACROBLOCKS * 384;
        CHECK_EQUAL(XXH3_64bits(data + at, MACROBLOCKS * 384), hash_of_planes(state.reference[i]));
    }
    unit_end("the file is as documented");

    uint8_t hashed[2000], *at = hashed;
    const uint64_t numbers[] = { WIDTH, HEIGHT, 1, 2, 1, 1 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        at = put64(at, numbers[i]);
    }
    memcpy(at, data + PROBABILITIES_AT, MAP_AT - PROBABILITIES_AT);
    at += MAP_AT - PROBABILITIES_AT;
    memcpy(at, data + SEGMENTS_AT, PROBABILITIES_AT - SEGMENTS_AT);
    at += PROBABILITIES_AT - SEGMENTS_AT;
    memcpy(at, data + MAP_AT, MACROBLOCKS);
    at += MACROBLOCKS;
    for (int i = 0; i < XC_REFERENCES; i++) {
        at = put64(at, hash_of_planes(state.reference[i]));
    }
    CHECK_EQUAL(xc_state_hash(&state), XXH3_64bits(hashed, (size_t)(at - hashed)));
    CHECK_EQUAL(xc_state_id(&state), (uint32_t)xc_state_hash(&state));
    free(data);
    xc_state_clear(&state);
    unit_end("the hash is as documented");
}

/* Checks that a state in which something was changed is another, and that a copy has the change, too. */
static void check_differs(const struct xc_state *state, const struct xc_state *original)
{
    struct xc_state copy = XC_STATE_INIT;
    struct xc_error err = { .text = "" };
    CHECK(!xc_state_equal(state, original));
    CHECK(xc_state_hash(state) != xc_state_hash(original));
    CHECK_OK(xc_state_copy(&copy, state, &err), err);
    CHECK(xc_state_equal(&copy, state));
    xc_state_clear(&copy);
}

/* Changes one byte of a state, and undoes it. */
static void check_counts(struct xc_state *state, uint8_t *byte)
{
    struct xc_state original = make_state(1, 2, 3);
    CHECK(xc_state_equal(state, &original));
    *byte ^= 1;
    check_differs(state, &original);
    *byte ^= 1;
    xc_state_clear(&original);
}

/* A size that takes the same macroblocks is another size nevertheless. */
static void check_size_counts(struct xc_state *state)
{
    struct xc_state original = make_state(1, 2, 3);
    state->width--;
    check_differs(state, &original);
    state->width++;
    state->height--;
    check_differs(state, &original);
    state->height++;
    xc_state_clear(&original);
}

static void test_everything_counts(void)
{
    struct xc_state state = make_state(1, 2, 3);
    uint8_t *probabilities = (uint8_t *)&state.probabilities;
    check_size_counts(&state);
    check_counts(&state, &state.horizontal_scale);
    check_counts(&state, &state.vertical_scale);
    check_counts(&state, &state.color_space);
    check_counts(&state, &state.clamping_type);
    for (size_t i = 0; i < sizeof state.probabilities; i++) {
        check_counts(&state, &probabilities[i]);
    }
    for (int i = 0; i < 4; i++) {
        check_counts(&state, (uint8_t *)&state.segment_data.quantizer[i]);
        check_counts(&state, (uint8_t *)&state.segment_data.filter_level[i]);
        check_counts(&state, (uint8_t *)&state.filter_deltas.reference[i]);
        check_counts(&state, (uint8_t *)&state.filter_deltas.mode[i]);
    }
    check_counts(&state, &state.segment_data.absolute);
    for (unsigned i = 0; i < MACROBLOCKS; i++) {
        check_counts(&state, &state.segment_map[i]);
    }
    unit_end("every field counts");
    for (int reference = 0; reference < XC_REFERENCES; reference++) {
        for (int p = 0; p < 3; p++) {
            struct xc_picture *picture = state.reference[reference];
            struct xc_plane *plane = &picture->plane[p];
            ptrdiff_t right = xc_plane_coded_width(picture, p) - 1, bottom = xc_plane_coded_height(picture, p) - 1;
            check_counts(&state, plane->data);
            check_counts(&state, plane->data + 5 * plane->stride + right);
            check_counts(&state, plane->data + bottom * plane->stride + right);
        }
    }
    unit_end("every sample counts");
    xc_state_clear(&state);
}

/* Bytes between the rows are no part of the picture. */
static void test_padding_does_not_count(void)
{
    struct xc_state state = make_state(1, 2, 3), same = make_state(1, 2, 3);
    struct xc_plane *plane = &state.reference[XC_LAST]->plane[XC_PLANE_Y];
    unsigned width = xc_plane_coded_width(state.reference[XC_LAST], XC_PLANE_Y);
    memset(plane->data + width, 0xa5, (size_t)plane->stride - width);
    CHECK(xc_state_equal(&state, &same));
    CHECK_EQUAL(xc_state_hash(&state), xc_state_hash(&same));
    xc_state_clear(&state);
    xc_state_clear(&same);
    unit_end("bytes between rows do not count");
}

static void test_ids(void)
{
    struct xc_state state = make_state(1, 2, 3), other = make_state(4, 2, 3), empty = XC_STATE_INIT;
    uint32_t id = xc_state_id(&state);
    CHECK(id);
    CHECK(xc_state_satisfies(&state, id) && xc_state_satisfies(&state, 0) && !xc_state_satisfies(&state, id ^ 1));
    CHECK(!xc_state_satisfies(&other, id) && xc_state_satisfies(&other, 0));
    CHECK_EQUAL(xc_state_id(&empty), 0);
    CHECK(xc_state_satisfies(&empty, 0) && !xc_state_satisfies(&empty, id));
    xc_state_clear(&state);
    xc_state_clear(&other);
    unit_end("ids tell states apart");
}

static void test_copy(void)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = make_state(1, 2, 3), copy = make_state(4, 5, 6), original = make_state(1, 2, 3);
    CHECK_OK(xc_state_copy(&copy, &state, &err), err);
    CHECK(xc_state_equal(&copy, &state));
    CHECK(copy.reference[XC_GOLDEN] == state.reference[XC_GOLDEN]);
    copy.segment_map[2] ^= 1;
    copy.probabilities.mv[1][3] ^= 1;
    CHECK(xc_state_equal(&state, &original));
    xc_state_clear(&state);
    CHECK(!state.reference[XC_LAST] && !state.segment_map && !state.width);
    const struct xc_plane *y = &copy.reference[XC_LAST]->plane[XC_PLANE_Y];
    CHECK(memcmp(y->data, original.reference[XC_LAST]->plane[XC_PLANE_Y].data, WIDTH) == 0);
    CHECK_OK(xc_state_copy(&copy, &state, &err), err);
    CHECK(xc_state_equal(&copy, &state) && !copy.segment_map);
    xc_state_clear(&copy);
    xc_state_clear(&original);
    unit_end("a copy lives on its own");
}

/* A failed read looks at no old value, leaves the state before the first key frame, and says why in one line. */
static void check_fails(enum source source, const uint8_t *data, size_t size)
{
    struct xc_error err = { .text = "" };
    struct xc_state state, initial = XC_STATE_INIT;
    memset(&state, 0x5a, sizeof state);
    enum xc_status status = read_state_from(source, &state, data, size, &err);
    if (source == A_BROKEN_PIPE) {
        CHECK_EQUAL(status, XC_ERR_IO);
        CHECK_EQUAL(err.text, strerror(EIO));
    } else {
        CHECK((status == XC_ERR_FORMAT || status == XC_ERR_UNSUPPORTED) && is_one_line(err.text));
    }
    CHECK(xc_state_equal(&state, &initial) && !state.reference[XC_LAST] && !state.segment_map);
}

/* Of a file, the size alone gives much away; of a pipe, only what is read. */
static void check_refused(const uint8_t *data, size_t size)
{
    check_fails(A_FILE, data, size);
    check_fails(A_PIPE, data, size);
}

static void test_damaged_files(void)
{
    size_t size;
    struct xc_state state = make_state(1, 2, 1);
    uint8_t *data = write_state(&state, &size);
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 1; bit < 256; bit *= 16) {
            data[i] = (uint8_t)(data[i] ^ bit);
            check_refused(data, size);
            data[i] = (uint8_t)(data[i] ^ bit);
        }
    }
    end("a wrong byte anywhere is noticed");
    for (size_t length = 0; length < size; length++) {
        check_refused(data, length);
    }
    end("a file cut short anywhere is noticed");
    data = unit_realloc(data, size + 1);
    data[size] = 0;
    check_refused(data, size + 1);
    end("a byte too many is noticed");
    free(data);
    xc_state_clear(&state);
}

/* Whatever fails below, the reason is the system's. */
static void test_failing_streams(void)
{
    size_t size;
    struct xc_error err = { .text = "" };
    struct xc_state state = make_state(1, 2, 3);
    uint8_t *data = write_state(&state, &size);
    for (size_t length = 0; length <= size; length++) {
        check_fails(A_BROKEN_PIPE, data, length);
    }
    end("a stream that fails anywhere is no damaged file");
    FILE *full = fopen("/dev/full", "wb");
    CHECK(full && kind.write(&state, full, &err) == XC_ERR_IO && strcmp(err.text, strerror(ENOSPC)) == 0);
    if (full) {
        fclose(full);
    }
    end("a full disk is named");
    free(data);
    xc_state_clear(&state);
}

/* The checksum over data, put after it, so that nothing but the fields themselves can give a file away. */
static void sign(uint8_t *data, size_t size)
{
    XXH64_canonical_t checksum;
    XXH64_canonicalFromHash(&checksum, XXH3_64bits(data, size - sizeof checksum));
    for (size_t i = 0; i < sizeof checksum; i++) {
        data[size - 1 - i] = checksum.digest[i]; /* canonical is big-endian, the file little-endian */
    }
}

/* Offsets and values as in docs/state-file.md. */
static void test_impossible_fields(void)
{
    static const struct {
        const char *what;
        size_t offset;
        uint8_t values[2];
        int count;
    } fields[] = {
        { "magic", 0, { 'x' }, 1 },
        { "version", 8, { 2 }, 1 },
        { "width 0", 10, { 0, 0 }, 2 },
        { "width 16384", 10, { 0, 0x40 }, 2 },
        { "height 0", 12, { 0, 0 }, 2 },
        { "height 65535", 12, { 255, 255 }, 2 },
        { "another width", 10, { WIDTH + 16 }, 1 },
        { "horizontal scale", 14, { 4 }, 1 },
        { "vertical scale", 15, { 4 }, 1 },
        { "color space", 16, { 2 }, 1 },
        { "clamping type", 17, { 2 }, 1 },
        { "last is not the first picture", 18, { 1 }, 1 },
        { "a picture left out", 19, { 2 }, 1 },
        { "a fourth picture", 20, { 3 }, 1 },
        { "absolute", 21, { 2 }, 1 },
        { "quantizer", 22, { 0x80 }, 1 },
        { "filter level", 26, { 64 }, 1 },
        { "reference delta", 30, { 64 }, 1 },
        { "mode delta", 37, { (uint8_t)-64 }, 1 },
        { "vector probability", 38 + 4 * 8 * 3 * 11, { 0 }, 1 },
        { "segment", 38 + 4 * 8 * 3 * 11 + 2 * 19 + 7, { 4 }, 1 },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t size;
        struct xc_error err = { .text = "" };
        struct xc_state state = make_state(1, 2, 3), loaded = XC_STATE_INIT;
        uint8_t *data = write_state(&state, &size);
        sign(data, size);
        CHECK_OK(read_state(&loaded, data, size, &err), err); /* the checksum is the one that we know */
        memcpy(data + fields[i].offset, fields[i].values, (size_t)fields[i].count);
        sign(data, size);
        check_refused(data, size);
        free(data);
        xc_state_clear(&state);
        xc_state_clear(&loaded);
        char name[80];
        snprintf(name, sizeof name, "an impossible field is noticed: %s", fields[i].what);
        unit_end(name);
    }
}

/* A compressed file by docs/state-file.md: from a plain one, and what is to be in its zlib stream after that. */
static uint8_t *compressed_file(const uint8_t *plain, size_t plain_size, size_t excess, size_t *size)
{
    const size_t rest = plain_size - MAP_AT - 8, all = rest + excess;
    uint8_t *raw = unit_realloc(NULL, MAP_AT + all), *differences = unit_realloc(NULL, all);
    memset(raw, 0, MAP_AT + all);
    memcpy(raw, plain, MAP_AT + rest);
    raw[8] = 2;
    for (size_t i = 0; i < all; i++) {
        differences[i] = (uint8_t)(raw[MAP_AT + i] - (i ? raw[MAP_AT + i - 1] : 0));
    }
    uLongf length = compressBound(all);
    uint8_t *file = unit_realloc(NULL, MAP_AT + length + 8);
    memcpy(file, raw, MAP_AT);
    CHECK_EQUAL(compress2(file + MAP_AT, &length, differences, all, 9), Z_OK);
    *size = MAP_AT + length + 8;
    put64(file + MAP_AT + length, XXH3_64bits(file, *size - 8));
    free(differences);
    free(raw);
    return file;
}

static void test_compressed_layout(void)
{
    size_t plain_size, size, documented_size;
    struct xc_error err = { .text = "" };
    struct xc_state state = make_state(1, 2, 3), loaded = XC_STATE_INIT;
    uint8_t *plain = write_state(&state, &plain_size);
    uint8_t *documented = compressed_file(plain, plain_size, 0, &documented_size);
    CHECK_OK(read_state(&loaded, documented, documented_size, &err), err);
    CHECK(xc_state_equal(&state, &loaded));
    kind.write = xc_state_write_compressed;
    uint8_t *data = write_state(&state, &size);
    kind.write = xc_state_write;
    CHECK(memcmp(data, documented, MAP_AT) == 0);
    xc_state_clear(&loaded);
    sign(documented, documented_size); /* changes nothing: that is where the checksum is, and of what */
    CHECK_OK(read_state(&loaded, documented, documented_size, &err), err);
    uint8_t *inflated = unit_realloc(NULL, plain_size);
    uLongf length = plain_size;
    CHECK_EQUAL(uncompress(inflated, &length, data + MAP_AT, size - MAP_AT - 8), Z_OK);
    CHECK_EQUAL(length, plain_size - MAP_AT - 8);
    for (size_t i = 1; i < length; i++) {
        inflated[i] = (uint8_t)(inflated[i] + inflated[i - 1]);
    }
    CHECK(memcmp(inflated, plain + MAP_AT, length) == 0);
    free(inflated);
    free(data);
    free(documented);
    free(plain);
    xc_state_clear(&state);
    xc_state_clear(&loaded);
    unit_end("a compressed file is what the document says");
}

/* Little that becomes much: no more is taken in than the state has, and nothing where its size cannot be right. */
static void test_bombs(void)
{
    size_t plain_size, size;
    struct xc_error err = { .text = "" };
    struct xc_state state = make_state(1, 2, 3), loaded;
    uint8_t *plain = write_state(&state, &plain_size);
    static const size_t excesses[] = { 1, 100, 64 << 20 };
    for (size_t i = 0; i < sizeof excesses / sizeof *excesses; i++) {
        uint8_t *bomb = compressed_file(plain, plain_size, excesses[i], &size);
        check_refused(bomb, size);
        free(bomb);
    }
    uint8_t *bomb = compressed_file(plain, plain_size, 0, &size);
    memset(bomb + 10, 0xff, 4);
    bomb[11] = bomb[13] = 0x3f; /* 16383x16383 in some kilobytes */
    sign(bomb, size);
    CHECK_EQUAL(read_state(&loaded, bomb, size, &err), XC_ERR_FORMAT);
    CHECK(strstr(err.text, "should have at least") != NULL);
    free(bomb);
    free(plain);
    xc_state_clear(&state);
    unit_end("a compressed file that becomes too much is refused");
}

int main(void)
{
    test_round_trip();
    test_shared_references();
    test_twins();
    test_documented_layout();
    test_everything_counts();
    test_padding_does_not_count();
    test_ids();
    test_copy();
    test_damaged_files();
    test_failing_streams();
    test_impossible_fields();
    test_compressed_layout();
    test_bombs();
    kind.write = xc_state_write_compressed;
    kind.name = ", compressed";
    test_round_trip();
    test_damaged_files();
    test_failing_streams();
    return unit_finish();
}
