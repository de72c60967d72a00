/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory runs out. Each allocation of each call of the library fails once, in turn; then the call says so, leaves
 * things as it promises (excamera/excamera.h), does the same as ever when it is made again, and leaks nothing.
 *
 * To test one more call: a function that makes it, one row in rows. */
#include "unit_alloc/allocator.h"
#include "unit_alloc/inputs.h"

#include "base/thread_pool.h"

/* --- what the calls work on, new for each attempt --- */

static struct objects {
    struct xc_workspace *workspace;
    struct xc_encoder *encoder;
    struct xc_scene *scene;
    struct xc_thread_pool *threads;
    struct xc_picture_pool *pool;
    struct xc_picture *picture, *bare; /* bare: not padded */
    struct xc_state state;             /* equal to in.state, or that before the first key frame */
    struct xc_state read;
    struct xc_frame frame, rebased;
    struct xc_bytes bytes;
    struct xc_ivf ivf;
    struct xc_chunk chunk;
    struct xc_error err;
} o;

static void clear(void)
{
    xc_encoder_free(o.encoder);
    xc_scene_free(o.scene);
    xc_workspace_free(o.workspace);
    xc_thread_pool_free(o.threads);
    xc_picture_pool_free(o.pool);
    xc_picture_unref(o.picture);
    xc_picture_unref(o.bare);
    xc_state_clear(&o.state);
    xc_state_clear(&o.read);
    xc_frame_clear(&o.frame);
    xc_frame_clear(&o.rebased);
    xc_bytes_clear(&o.bytes);
    xc_ivf_clear(&o.ivf);
    xc_chunk_clear(&o.chunk);
    memset(&o, 0, sizeof o);
}

/* The pieces that rows are prepared from; they do nothing else than what their names say. */
static void with_pool(void)
{
    CHECK_OK(xc_picture_pool_new(&o.pool, &o.err), o.err);
}

static void with_workspace(void)
{
    CHECK_OK(xc_workspace_new(&o.workspace, THREADS, XC_CPU_ALL, &o.err), o.err);
}

static void with_state(void)
{
    with_workspace();
    CHECK_OK(xc_state_copy(&o.state, &in.state, &o.err), o.err);
}

static void with_encoder(void)
{
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = 5 };
    with_workspace();
    CHECK_OK(xc_encoder_new(&o.encoder, o.workspace, &options, &o.err), o.err);
}

static void with_encoder_in_state(void)
{
    with_encoder();
    CHECK_OK(xc_encoder_set_state(o.encoder, &in.state, &o.err), o.err);
    CHECK_OK(xc_state_copy(&o.state, &in.state, &o.err), o.err);
}

static void with_bare_picture(void)
{
    CHECK_OK(xc_picture_new(&o.bare, NULL, WIDTH, HEIGHT, &o.err), o.err);
    for (int i = 0; i < 3; i++) {
        const struct xc_plane *plane = &o.bare->plane[i];
        for (unsigned y = 0; y < xc_plane_height(o.bare, i); y++) {
            memset(plane->data + (ptrdiff_t)y * plane->stride, 60, xc_plane_width(o.bare, i));
        }
    }
}

static void with_opened_frame(void)
{
    with_state();
    CHECK_OK(xc_frame_open(&o.frame, &in.state, in.inter.data, in.inter.size, &o.err), o.err);
}

static void with_frame(void)
{
    with_opened_frame();
    CHECK_OK(xc_frame_complete(&o.frame, &o.err), o.err);
}

static void with_bare_frame(void)
{
    with_frame();
    with_bare_picture();
}

static void with_key_frame(void)
{
    with_workspace();
    CHECK_OK(xc_frame_parse(&o.frame, &o.state, in.key.data, in.key.size, &o.err), o.err);
}

static void with_bare_encoder(void)
{
    with_encoder_in_state();
    with_bare_picture();
}

/* --- the calls; what they make held something else before --- */

static enum xc_status picture_pool_new(void)
{
    o.pool = (struct xc_picture_pool *)&in;
    return xc_picture_pool_new(&o.pool, &o.err);
}

static enum xc_status picture_new(void)
{
    o.picture = in.source[0];
    return xc_picture_new(&o.picture, NULL, WIDTH, HEIGHT, &o.err);
}

static enum xc_status picture_new_from_pool(void)
{
    o.picture = in.source[0];
    return xc_picture_new(&o.picture, o.pool, WIDTH, HEIGHT, &o.err);
}

static enum xc_status thread_pool_new(void)
{
    o.threads = (struct xc_thread_pool *)&in;
    return xc_thread_pool_new(&o.threads, THREADS, &o.err);
}

static enum xc_status workspace_new(void)
{
    o.workspace = (struct xc_workspace *)&in;
    return xc_workspace_new(&o.workspace, THREADS, XC_CPU_ALL, &o.err);
}

static enum xc_status state_copy(void)
{
    return xc_state_copy(&o.state, &in.other, &o.err);
}

static enum xc_status state_read(void)
{
    memset(&o.read, 0x5a, sizeof o.read);
    rewind(in.state_file);
    return xc_state_read(&o.read, o.pool, in.state_file, &o.err);
}

static enum xc_status state_read_compressed(void)
{
    memset(&o.read, 0x5a, sizeof o.read);
    rewind(in.compressed_file);
    return xc_state_read(&o.read, o.pool, in.compressed_file, &o.err);
}

static enum xc_status state_write_compressed(void)
{
    FILE *null = fopen("/dev/null", "wb");
    enum xc_status status = xc_state_write_compressed(&o.state, null, &o.err);
    fclose(null);
    return status;
}

static enum xc_status state_write(void)
{
    FILE *null = fopen("/dev/null", "wb");
    enum xc_status status = xc_state_write(&o.state, null, &o.err);
    fclose(null);
    return status;
}

static enum xc_status ivf_read(void)
{
    memset(&o.ivf, 0x5a, sizeof o.ivf);
    rewind(in.ivf_file);
    return xc_ivf_read(&o.ivf, in.ivf_file, &o.err);
}

static enum xc_status ivf_read_damaged(void)
{
    struct xc_error damage;
    memset(&o.ivf, 0x5a, sizeof o.ivf);
    rewind(in.ivf_file);
    return xc_ivf_read_damaged(&o.ivf, &damage, in.ivf_file, &o.err);
}

static enum xc_status y4m_read(void)
{
    struct xc_y4m_header header;
    bool end;
    rewind(in.y4m_file);
    enum xc_status status = xc_y4m_read_header(&header, in.y4m_file, &o.err);
    return status ? status : xc_y4m_read_frame(o.bare, &end, in.y4m_file, &o.err);
}

static enum xc_status frame_parse(void)
{
    return xc_frame_parse(&o.frame, &in.state, in.inter.data, in.inter.size, &o.err);
}

static enum xc_status frame_open(void)
{
    return xc_frame_open(&o.frame, &in.state, in.inter.data, in.inter.size, &o.err);
}

static enum xc_status frame_complete(void)
{
    return xc_frame_complete(&o.frame, &o.err);
}

static enum xc_status frame_serialize(void)
{
    return xc_frame_serialize(&o.bytes, &o.frame, &in.state, &o.err);
}

static enum xc_status frame_optimize(void)
{
    return xc_frame_optimize(&o.frame, &in.state, &o.err);
}

static enum xc_status frame_measure(void)
{
    struct xc_bits bits, macroblocks[(WIDTH + 15) / 16 * ((HEIGHT + 15) / 16)];
    return xc_frame_measure(&o.frame, &bits, macroblocks, &o.err);
}

static enum xc_status state_compare(void)
{
    struct xc_state_difference difference;
    xc_state_compare(&difference, &o.state, &in.other);
    return difference.any ? XC_OK : XC_ERR_MISMATCH;
}

static enum xc_status picture_ssim(void)
{
    return xc_picture_ssim(o.workspace, in.source[0], in.source[1], XC_PLANE_Y) < 1 ? XC_OK : XC_ERR_MISMATCH;
}

static enum xc_status scene_new(void)
{
    return xc_scene_new(&o.scene, o.workspace, in.source[0]->width, in.source[0]->height, &o.err);
}

static enum xc_status state_follow_header(void)
{
    return xc_state_follow_header(&o.state, &o.frame, &o.err);
}

static enum xc_status decode_key(void)
{
    o.picture = in.source[0];
    return xc_decode(o.workspace, &o.state, in.key.data, in.key.size, &o.picture, &o.err);
}

static enum xc_status decode(void)
{
    o.picture = in.source[0];
    return xc_decode(o.workspace, &o.state, in.inter.data, in.inter.size, &o.picture, &o.err);
}

static enum xc_status decode_frame(void)
{
    o.picture = in.source[0];
    return xc_decode_frame(o.workspace, &o.state, &o.frame, &o.picture, &o.err);
}

static enum xc_status encoder_new(void)
{
    o.encoder = (struct xc_encoder *)&in;
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = 5 };
    return xc_encoder_new(&o.encoder, o.workspace, &options, &o.err);
}

static enum xc_status encoder_set_state(void)
{
    return xc_encoder_set_state(o.encoder, &in.other, &o.err);
}

static enum xc_status encoder_retry_from(void)
{
    return xc_encoder_retry_from(o.encoder, &in.other, &o.err);
}

static enum xc_status encode_key(void)
{
    const struct xc_encode_params params = params_of(true);
    return xc_encode(o.encoder, in.source[0], &params, &o.bytes, &o.err);
}

static enum xc_status encode(void)
{
    const struct xc_encode_params params = params_of(false);
    return xc_encode(o.encoder, o.bare ? o.bare : in.source[1], &params, &o.bytes, &o.err);
}

static enum xc_status encode_repeat(void)
{
    const struct xc_encode_params params = params_of(false);
    return xc_encode_repeat(o.encoder, XC_GOLDEN, &params, &o.bytes, &o.err);
}

static enum xc_status rebase(void)
{
    const struct xc_picture *source = o.bare ? o.bare : in.source[1];
    return xc_rebase(o.workspace, &o.state, &o.frame, &in.other, source, 1, &o.rebased, &o.err);
}

static enum xc_status chunk_by(make_chunk *make)
{
    unsigned number;
    const struct xc_picture_source source = film(&number);
    const struct xc_chunk_job job = {
        .workspace = o.workspace, .source = &source, .state = &o.state, .speed = XC_MAX_SPEED
    };
    memset(&o.chunk, 0x5a, sizeof o.chunk);
    return make(&o.chunk, &job, &o.err);
}

static enum xc_status chunk_anchors(void)
{
    return chunk_by(make_anchors);
}

static enum xc_status chunk_guess(void)
{
    return chunk_by(make_guess);
}

static enum xc_status chunk_rebased_anchors(void)
{
    return chunk_by(make_rebased_anchors);
}

static enum xc_status chunk_followers(void)
{
    return chunk_by(make_followers);
}

static enum xc_status chunk_primary(void)
{
    return chunk_by(make_primary);
}

static enum xc_status chunk_primary_of_size(void)
{
    return chunk_by(make_primary_of_size);
}

static enum xc_status chunk_reencode(void)
{
    return chunk_by(make_reencoded);
}

static enum xc_status chunk_rebase(void)
{
    return chunk_by(make_rebased);
}

static enum xc_status chunk_terminate(void)
{
    return chunk_by(make_terminated);
}

static enum xc_status chunk_zero_residues(void)
{
    return chunk_by(make_without_residues);
}

static enum xc_status chunk_append(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    xc_chunk_init(&o.chunk, &in.state, 30, 1);
    return xc_chunk_append(&o.chunk, &bytes, 0, &o.err);
}

static enum xc_status chunk_play(void)
{
    const struct xc_chunk_input input = { .ivf = &in.rebased, .state = &in.state };
    return xc_chunk_play(&o.state, &input, 1, o.workspace, &o.err);
}

static enum xc_status chunk_play_anchors(void)
{
    const struct xc_chunk_input input = { .ivf = &in.anchors, .state = &in.state };
    return xc_chunk_play_anchors(&o.state, &input, &xc_anchored_defaults, o.workspace, &o.err);
}

static enum xc_status source_open_y4m(void)
{
    struct xc_picture_source source;
    rewind(in.y4m_file);
    enum xc_status status = xc_source_open_y4m(&source, in.y4m_file, NULL, &o.err);
    if (!status) {
        status = source.next(source.context, &o.picture, &o.err);
        xc_source_close(&source);
    }
    return status;
}

static enum xc_status source_open_ivf(void)
{
    struct xc_picture_source source;
    enum xc_status status = xc_source_open_ivf(&source, &in.alone, o.workspace, &o.err);
    if (!status) {
        status = source.next(source.context, &o.picture, &o.err);
        xc_source_close(&source);
    }
    return status;
}

static enum xc_status ignore_frame(void *context, int64_t timestamp, const uint8_t *data, size_t size,
                                   struct xc_error *err)
{
    (void)context, (void)timestamp, (void)data, (void)size, (void)err;
    return XC_OK;
}

static enum xc_status run_vpxenc(enum xc_vpxenc_pass pass)
{
    unsigned number = 0;
    const struct xc_vpxenc_film pictures = { WIDTH, HEIGHT, next_picture, &number };
    const struct xc_vpxenc_sink sink = { ignore_frame, NULL };
    struct xc_vpxenc_settings settings;
    xc_vpxenc_defaults(&settings);
    return xc_vpxenc_run(&settings, pass, &pictures, &sink, &o.bytes, NULL, &o.err);
}

static enum xc_status vpxenc_first_pass(void)
{
    return run_vpxenc(XC_VPXENC_FIRST_PASS);
}

static enum xc_status vpxenc_only_pass(void)
{
    return run_vpxenc(XC_VPXENC_ONLY_PASS);
}

/* One call: what it needs beforehand; whether it takes memory at all. */
static const struct row {
    const char *name;
    void (*prepare)(void);
    enum xc_status (*call)(void);
    bool none;
} rows[] = {
    { "xc_picture_pool_new", NULL, picture_pool_new, false },
    { "xc_picture_new", NULL, picture_new, false },
    { "xc_picture_new, from a pool", with_pool, picture_new_from_pool, false },
    { "xc_thread_pool_new", NULL, thread_pool_new, false },
    { "xc_workspace_new", NULL, workspace_new, false },
    { "xc_state_copy", with_state, state_copy, false },
    { "xc_state_read", NULL, state_read, false },
    { "xc_state_read, from a pool", with_pool, state_read, false },
    { "xc_state_read, compressed", NULL, state_read_compressed, false },
    { "xc_state_write", with_state, state_write, true },
    { "xc_state_write_compressed", with_state, state_write_compressed, false },
    { "xc_ivf_read", NULL, ivf_read, false },
    { "xc_ivf_read_damaged", NULL, ivf_read_damaged, false },
    { "xc_y4m_read_header and _frame", with_bare_picture, y4m_read, true },
    { "xc_frame_parse", with_state, frame_parse, false },
    { "xc_frame_open", with_state, frame_open, false },
    { "xc_frame_complete", with_opened_frame, frame_complete, false },
    { "xc_frame_serialize", with_frame, frame_serialize, false },
    { "xc_frame_optimize", with_frame, frame_optimize, false },
    { "xc_frame_measure", with_frame, frame_measure, false },
    { "xc_state_compare", with_state, state_compare, true },
    { "xc_picture_ssim", with_workspace, picture_ssim, true },
    { "xc_scene_new", with_workspace, scene_new, false },
    { "xc_state_follow_header", with_key_frame, state_follow_header, false },
    { "xc_decode, a key frame", with_workspace, decode_key, false },
    { "xc_decode, an interframe", with_state, decode, false },
    { "xc_decode_frame, a key frame", with_key_frame, decode_frame, false },
    { "xc_decode_frame, an interframe", with_frame, decode_frame, false },
    { "xc_encoder_new", with_workspace, encoder_new, false },
    { "xc_encoder_set_state", with_encoder_in_state, encoder_set_state, false },
    { "xc_encoder_retry_from", with_encoder_in_state, encoder_retry_from, false },
    { "xc_encode, a key frame", with_encoder, encode_key, false },
    { "xc_encode, an interframe", with_encoder_in_state, encode, false },
    { "xc_encode, a picture that is not padded", with_bare_encoder, encode, false },
    { "xc_encode_repeat", with_encoder_in_state, encode_repeat, false },
    { "xc_rebase, a frame that is opened only", with_opened_frame, rebase, false },
    { "xc_rebase, a frame that is complete", with_frame, rebase, false },
    { "xc_rebase, a picture that is not padded", with_bare_frame, rebase, false },
    { "xc_chunk_encode_anchors", with_state, chunk_anchors, false },
    { "xc_chunk_guess_anchors", with_state, chunk_guess, false },
    { "xc_chunk_rebase_anchors", with_state, chunk_rebased_anchors, false },
    { "xc_chunk_encode_followers", with_state, chunk_followers, false },
    { "xc_chunk_encode_primary", with_state, chunk_primary, false },
    { "xc_chunk_encode_primary, within a size", with_state, chunk_primary_of_size, false },
    { "xc_chunk_reencode", with_state, chunk_reencode, false },
    { "xc_chunk_rebase", with_state, chunk_rebase, false },
    { "xc_chunk_terminate", with_state, chunk_terminate, false },
    { "xc_chunk_zero_residues", with_state, chunk_zero_residues, false },
    { "xc_chunk_append", NULL, chunk_append, false },
    { "xc_chunk_play, one frame", with_state, chunk_play, false },
    { "xc_chunk_play_anchors", with_state, chunk_play_anchors, false },
    { "xc_source_open_y4m and next", NULL, source_open_y4m, false },
    { "xc_source_open_ivf and next", with_workspace, source_open_ivf, false },
    { "xc_vpxenc_run, the first pass", NULL, vpxenc_first_pass, false },
    { "xc_vpxenc_run, the only pass", NULL, vpxenc_only_pass, false },
};

/* What a failed call should have made is nothing, and what it should have moved on is as it was. */
static void check_nothing_happened(const struct objects *before, const struct xc_state *state)
{
    CHECK(o.workspace == before->workspace && o.encoder == before->encoder);
    CHECK(o.threads == before->threads && o.pool == before->pool && o.picture == before->picture);
    CHECK(!o.read.width && !o.read.segment_map && !o.read.reference[XC_LAST]);
    CHECK(!o.ivf.frames && !o.ivf.bytes && !o.ivf.header.frame_count);
    CHECK(!o.bytes.size && !o.rebased.mb_rows);
    CHECK(!o.chunk.frames && !o.chunk.header.frame_count);
    CHECK(xc_state_equal(&o.state, state));
    CHECK(!o.encoder || xc_state_equal(xc_encoder_state(o.encoder), state));
}

/* FNV-1a. */
static void add(uint64_t *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        *hash = (*hash ^ bytes[i]) * 1099511628211u;
    }
}

static void add_picture(uint64_t *hash, const struct xc_picture *picture)
{
    uint8_t i420[WIDTH * HEIGHT * 3 / 2];
    CHECK(xc_picture_to_i420(picture, i420, sizeof i420, NULL) == XC_OK);
    add(hash, i420, sizeof i420);
}

static void add_frame(uint64_t *hash, const struct xc_frame *frame)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    if (frame->mb_rows && !frame->opened) {
        CHECK(xc_frame_serialize(&bytes, frame, &in.state, NULL) == XC_OK);
        add(hash, bytes.data, bytes.size);
    }
    xc_bytes_clear(&bytes);
}

/* A state that has followed headers only has no pictures. */
static void add_state(uint64_t *hash, const struct xc_state *state)
{
    const uint64_t all = state->reference[XC_LAST] ? xc_state_hash(state) : 0;
    add(hash, &all, sizeof all);
    add(hash, &state->probabilities, sizeof state->probabilities);
}

/* A hash of all that a call may have made. The samples of a new picture are unspecified. */
static uint64_t outcome(void)
{
    uint64_t hash = 14695981039346656037u;
    add_state(&hash, &o.state);
    add_state(&hash, &o.read);
    if (o.encoder) {
        add_state(&hash, xc_encoder_state(o.encoder));
    }
    add(&hash, o.bytes.data, o.bytes.size);
    add(&hash, &o.ivf.header, sizeof o.ivf.header);
    for (uint32_t i = 0; i < o.ivf.header.frame_count; i++) {
        add(&hash, o.ivf.frames[i].data, o.ivf.frames[i].size);
    }
    for (uint32_t i = 0; i < o.chunk.header.frame_count; i++) {
        add(&hash, o.chunk.frames[i].bytes.data, o.chunk.frames[i].bytes.size);
    }
    if (o.picture && o.picture->complete) {
        add_picture(&hash, o.picture);
    }
    add_frame(&hash, &o.frame);
    add_frame(&hash, &o.rebased);
    return hash;
}

/* Lets the allocation of this number fail, none if that is below 0; returns whether one did. In the end *result is the
 * outcome. */
static bool try(const struct row *row, long number, uint64_t *result)
{
    if (row->prepare) {
        row->prepare();
    }
    struct xc_state state = XC_STATE_INIT;
    CHECK_OK(xc_state_copy(&state, &o.state, &o.err), o.err);
    const struct objects before = o;
    o.err.text[0] = '\0';
    allocator_let_fail(number);
    enum xc_status status = row->call();
    const bool failed = allocator_has_failed();
    if (failed) {
        CHECK(status == XC_ERR_MEMORY && o.err.text[0] && !strchr(o.err.text, '\n'));
        check_nothing_happened(&before, &state);
        status = row->call();
    }
    CHECK_OK(status, o.err);
    *result = outcome();
    xc_state_clear(&state);
    clear();
    return failed;
}

int main(void)
{
    make_inputs();
    unit_end("the inputs are made");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const long before = allocator_live();
        uint64_t expected, result;
        long number = 0;
        try(&rows[i], -1, &expected);
        while (try(&rows[i], number, &result) && number < 100000) {
            CHECK_EQUAL(result, expected);
            number++;
        }
        CHECK_EQUAL(rows[i].none, number == 0);
        CHECK_EQUAL(allocator_live(), before);
        unit_end(rows[i].name);
    }
    clear_inputs();
    return unit_finish();
}
