/* SPDX-License-Identifier: BSD-2-Clause */
/* How a chunk is made of frames: which picture is an anchor, how fine it is, where a cut ends a section; and what the
 * calls leave when something fails in the middle. */
#include <math.h>

#include "base/log2.h"
#include "chunk/fit.h"
#include "chunk/goal.h"
#include "chunk/hidden.h"
#include "chunk/policy.h"
#include "chunk/sections.h"
#include "excamera/chunk.h"
#include "excamera/quantizer.h"
#include "unit.h"
#include "unit_scenes.h"

enum { WIDTH = 176, HEIGHT = 144 };

static struct xc_workspace *workspace;
static struct xc_error err;

/* --- a film that is made up on the way --- */

struct film {
    unsigned frames, next;
    unsigned cuts[4];  /* numbers of the pictures that begin a scene, ended by 0 */
    unsigned fails_at; /* the picture that cannot be read; 0: none */
    unsigned odd_one;  /* the picture of another size; 0: none */
};

static unsigned scene_of(const struct film *film, unsigned number)
{
    unsigned scene = 0;
    while (film->cuts[scene] && film->cuts[scene] <= number) {
        scene++;
    }
    return scene;
}

static enum xc_status next_picture(void *context, struct xc_picture **picture, struct xc_error *error)
{
    struct film *film = context;
    const unsigned number = film->next++;
    *picture = NULL;
    if (film->fails_at && number == film->fails_at) {
        return xc_fail(error, XC_ERR_IO, "the tape is torn");
    }
    if (number >= film->frames) {
        return XC_OK;
    }
    const unsigned width = film->odd_one && number == film->odd_one ? WIDTH / 2 : WIDTH;
    enum xc_status status = xc_picture_new(picture, NULL, width, HEIGHT, error);
    if (!status) {
        unit_paint(*picture, scene_of(film, number), number, 0);
    }
    return status;
}

static struct xc_picture_source source_of(struct film *film)
{
    return (struct xc_picture_source){
        .width = WIDTH,
        .height = HEIGHT,
        .rate_num = 25,
        .rate_den = 1,
        .name = "film",
        .next = next_picture,
        .context = film,
    };
}

/* --- policy --- */

static void test_quantizers(void)
{
    const struct xc_anchored_options *options = &xc_anchored_defaults; /* level 22, which is index 27; 0.25; 0.3 */
    struct xc_section_facts facts = { .pictures = 12, .novelty = 1 };
    CHECK_EQUAL(xc_policy_follower_quantizer(options), 27);
    CHECK_EQUAL(xc_policy_anchor_quantizer(options, &facts, 0), 8);
    CHECK_EQUAL(xc_policy_key_quantizer(options, &facts, 0), 7);
    facts.novelty = 0.25; /* half the weight */
    CHECK_EQUAL(xc_policy_key_quantizer(options, &facts, 0), 3);
    unit_end("the weights of key frames and anchors, and what novelty does to them");

    const double part = (0.3 * 25 + xc_step_of_quantizer(0)) / xc_step_of_quantizer(25); /* 25 is level 20 */
    struct xc_anchored_options at = xc_anchored_defaults;
    facts = (struct xc_section_facts){ .pictures = 12, .novelty = 1 };
    for (at.cq_level = 4; at.cq_level <= XC_MAX_CQ_LEVEL; at.cq_level++) {
        const double step = xc_step_of_quantizer(xc_policy_anchor_quantizer(&at, &facts, 0));
        const double own = part * xc_step_of_quantizer(xc_quantizer_of_level(at.cq_level));
        CHECK(at.cq_level > 20 ? step <= own + 0.5 : fabs(step - own) < 1.5 || step == 4);
    }
    unit_end("at fine levels, an anchor's step is the same part of a follower's as at level 20");

    facts = (struct xc_section_facts){ .pictures = 3, .novelty = 1, .cut = true };
    CHECK_EQUAL(xc_policy_anchor_quantizer(options, &facts, 0), 9);
    facts.key = true; /* so the anchor is for two pictures only */
    CHECK_EQUAL(xc_policy_anchor_quantizer(options, &facts, 0), 14);
    CHECK_EQUAL(xc_policy_key_quantizer(options, &facts, 0), 9);
    facts.pictures = 12;
    CHECK_EQUAL(xc_policy_key_quantizer(options, &facts, 0), 7);
    unit_end("before a cut, quality that few pictures live on is not paid for");

    facts = (struct xc_section_facts){ .pictures = 12, .novelty = 1 };
    CHECK_EQUAL(xc_policy_anchor_quantizer(options, &facts, 4), xc_quantizer_of_step(20));
    CHECK_EQUAL(xc_policy_anchor_quantizer(options, &facts, 1000), 27);
    unit_end("no quantizer is finer than the noise, nor coarser for it than a follower's");

    struct xc_anchored_options placed = xc_anchored_defaults;
    placed.cq_level = 36; /* index 51 */
    for (placed.place = 0; placed.place < 8; placed.place++) {
        facts = (struct xc_section_facts){ .pictures = 6, .novelty = 1, .whole = true };
        CHECK_EQUAL(xc_policy_anchor_quantizer(&placed, &facts, 0), placed.place % 2 ? 14 : 28);
        facts.pictures = 4;
        CHECK_EQUAL(xc_policy_anchor_quantizer(&placed, &facts, 0), placed.place % 3 == 2 ? 14 : 28);
        facts.pictures = 7;
        CHECK_EQUAL(xc_policy_anchor_quantizer(&placed, &facts, 0), 15);
        facts = (struct xc_section_facts){ .pictures = 6, .novelty = 1 }; /* other mini-GOPs are in the chunk */
        CHECK_EQUAL(xc_policy_anchor_quantizer(&placed, &facts, 0), 15);
    }
    unit_end("of short chunks, some have finer anchors, a dozen pictures apart");

    const struct xc_reencode_options middle = { .key_weight = 0.75 };
    CHECK_EQUAL(xc_policy_reencoded_anchor_quantizer(&xc_reencode_defaults, 8, 40, 0), 8);
    CHECK_EQUAL(xc_policy_reencoded_anchor_quantizer(&middle, 8, 40, 0), 16);
    CHECK_EQUAL(xc_policy_reencoded_anchor_quantizer(&middle, 8, 40, 1000), 40);
    unit_end("a re-encoded anchor is between the key frame and the frame it replaces");
}

static void test_params(void)
{
    const struct xc_encode_params hidden = xc_policy_anchor(10, false), alone = xc_policy_anchor(10, true);
    CHECK(hidden.hide && hidden.refresh_altref && !hidden.refresh_last && !hidden.refresh_golden);
    CHECK(!alone.hide && alone.refresh_altref && alone.refresh_last && !alone.refresh_golden);
    const struct xc_encode_params follower = xc_policy_follower(10);
    CHECK(!follower.hide && follower.refresh_last && !follower.refresh_golden && !follower.refresh_altref);
    CHECK(follower.altref_ahead && follower.use_altref && follower.use_golden && follower.use_last);
    unit_end("what anchors and followers refresh");
}

/* --- goals --- */

/* --- fit --- */

/* What a chunk of 11 followers comes to whose costs, at the base, are so many times what was expected: by a power of
 * the step, which is -1 for bytes and 0.5 for losses. */
static double fitted(const struct xc_anchored_options *options, double cost, double times)
{
    const uint8_t shown = 0x10, hidden = 0; /* the first byte of a frame's header; RFC 6386, section 9.1 */
    struct xc_ivf_frame frames[] = { { .data = &shown, .size = 1, .timestamp = 0 },
                                     { .data = &hidden, .size = 1, .timestamp = 12 } };
    const struct xc_ivf anchors = { .frames = frames, .header = { .frame_count = 2 } };
    struct xc_fit fit;
    xc_fit_init(&fit, options, 40, &anchors);
    double total = 0;
    for (int i = 0; i < 11; i++) {
        const unsigned quantizer = xc_fit_quantizer(&fit);
        const unsigned index = xc_quantizer_of_level(xc_level_of_quantizer(quantizer));
        const double factor = (double)xc_step_of_quantizer(index) / xc_step_of_quantizer(40);
        const double spent = times * cost / 11 * (options->fit_bytes ? 1 / factor : sqrt(factor));
        xc_fit_report(&fit, quantizer, spent);
        total += spent;
    }
    return total;
}

static void test_fit(void)
{
    struct xc_anchored_options options = xc_anchored_defaults;
    for (double times = 0.7; times < 1.5; times += 0.1) {
        const double headers = XC_IVF_HEADER_SIZE + 14 * XC_IVF_FRAME_HEADER_SIZE + 2; /* one shows the anchor again */
        options.fit_bytes = (size_t)(11000 + headers);
        CHECK(fabs(fitted(&options, 11000, times) / 11000 - 1) < 0.02);
    }
    unit_end("followers that are larger or smaller than expected are brought to a size");

    options.fit_bytes = 0;
    options.fit_ssim = 0.98;
    for (double times = 0.8; times < 1.3; times += 0.1) { /* two anchors, whose share is theirs, come to it */
        CHECK(fabs(fitted(&options, 0.02 * 11, times) / (0.02 * 11) - 1) < 0.02);
    }
    unit_end("followers that are better or worse than expected are brought to an SSIM");

    struct xc_fit fit;
    xc_fit_init(&fit, &xc_anchored_defaults, 40, &(struct xc_ivf){ .frames = NULL });
    xc_fit_report(&fit, 40, 1e9);
    CHECK_EQUAL(xc_fit_quantizer(&fit), 40);
    unit_end("where nothing is to be fitted, all followers have the quantizer of the level");
}

/* Tries a picture whose size is known at each level, until its goal is settled. Returns the level that is kept. */
static unsigned settle(struct xc_goal *goal, const unsigned sizes[64], unsigned limit, xc_margin changed,
                       unsigned *tries)
{
    unsigned levels[XC_TRIES], kept = 64;
    xc_goal_begin(goal, changed);
    for (*tries = 0; xc_goal_next(goal, levels) && *tries < 100; *tries += XC_TRIES) {
        xc_margin margins[XC_TRIES];
        CHECK(levels[0] < 64 && levels[1] < 64 && levels[0] != levels[1]);
        for (int i = 0; i < XC_TRIES; i++) {
            margins[i] = xc_log2(limit) - xc_log2(sizes[levels[i]]);
            margins[i] -= margins[i] == 0 && sizes[levels[i]] > limit;
        }
        const int best = xc_goal_report(goal, margins);
        kept = best < 0 ? kept : levels[best];
    }
    return kept;
}

static void test_goals(void)
{
    unsigned sizes[64], tries, kept, total = 0;
    struct xc_goal goal;
    sizes[0] = 100000;
    for (int level = 1; level < 64; level++) {
        sizes[level] = sizes[level - 1] * 93 / 100;
    }
    xc_goal_init(&goal, false);
    for (unsigned limit = 2000; limit < 90000; limit = limit * 9 / 8) {
        kept = settle(&goal, sizes, limit, 0, &tries);
        CHECK_COMPARE(sizes[kept], <=, limit);
        CHECK(kept < 9 || sizes[kept - 9] > limit);
        total += tries;
    }
    CHECK_COMPARE(total, <, 4 * 35);
    unit_end("a size is kept and mostly used, after few tries");

    kept = settle(&goal, sizes, 100, 0, &tries);
    CHECK_EQUAL(kept, 63);
    kept = settle(&goal, sizes, 1000000, 0, &tries);
    CHECK_COMPARE(kept, <=, 4);
    unit_end("a size that no level keeps gets the coarsest, one that all keep gets nearly the finest");

    settle(&goal, sizes, 40000, 0, &tries);
    kept = settle(&goal, sizes, 5000, xc_log2(5000) - xc_log2(40000), &tries);
    CHECK(tries == XC_TRIES && sizes[kept] <= 5000);
    unit_end("another limit is no reason to search anew");
}

static void test_logarithm(void)
{
    CHECK(xc_log2(1) == 0 && xc_log2(2) == XC_LOG2_ONE && xc_log2(1u << 31) == 31 * XC_LOG2_ONE);
    CHECK(xc_log2(3) == 405 && xc_log2(UINT32_MAX) == 32 * XC_LOG2_ONE - 1);
    unit_end("logarithms");
}

/* --- sections --- */

struct expected {
    unsigned index, pictures;
    bool key, cut;
    unsigned after; /* pictures after it that its anchor is averaged with */
};

static void check_sections(struct film film, unsigned more, const struct xc_state *state,
                           const struct expected *expected, const char *name)
{
    struct film next = { .frames = more };
    const struct xc_picture_source source_after = source_of(&next);
    const struct xc_picture_source source = source_of(&film);
    struct xc_lookahead lookahead = { .source = &source }, after = { .source = more ? &source_after : NULL };
    struct xc_sections sections;
    struct xc_section section = { .index = 0 };
    CHECK_OK(xc_sections_begin(&sections, &lookahead, &after, state, workspace, &err), err);
    for (;; expected++) {
        CHECK_OK(xc_sections_next(&sections, &section, &err), err);
        CHECK_EQUAL(section.gop.count, expected->pictures);
        if (!section.gop.count || !expected->pictures) {
            break;
        }
        CHECK_EQUAL(section.index, expected->index);
        CHECK_EQUAL(section.facts.key, expected->key);
        CHECK_EQUAL(section.facts.cut, expected->cut);
        CHECK_EQUAL(section.gop.after, expected->after);
    }
    xc_mini_gop_clear(&section.gop);
    xc_sections_end(&sections);
    xc_lookahead_clear(&lookahead);
    xc_lookahead_clear(&after);
    unit_end(name);
}

static struct xc_picture *picture_of(unsigned scene, unsigned moved)
{
    struct xc_picture *picture;
    CHECK_OK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, &err), err);
    unit_paint(picture, scene, moved, 0);
    return picture;
}

static void test_sections(void)
{
    const struct xc_state none = XC_STATE_INIT;
    check_sections((struct film){ .frames = 30 }, 0, &none,
                   (const struct expected[]){
                       { 0, 12, true, false, 3 }, { 12, 12, false, false, 3 }, { 24, 6, false, false, 0 }, { 0 } },
                   "a chunk of thirty pictures has three anchors, twelve pictures apart");
    check_sections((struct film){ .frames = 20, .cuts = { 5, 17 } }, 9, &none,
                   (const struct expected[]){
                       { 0, 5, true, true, 0 }, { 5, 12, true, true, 0 }, { 17, 3, true, false, 3 }, { 0 } },
                   "a cut ends a section and begins the next one with a key frame");

    check_sections((struct film){ .frames = 13 }, 9, &none,
                   (const struct expected[]){ { 0, 12, true, false, 3 }, { 12, 1, false, false, 3 }, { 0 } },
                   "pictures after a mini-GOP are found in the chunk and after it");

    struct xc_state state = { .width = WIDTH, .height = HEIGHT };
    state.reference[XC_LAST] = picture_of(0, 0);
    check_sections((struct film){ .frames = 6 }, 2, &state,
                   (const struct expected[]){ { 0, 6, false, false, 2 }, { 0 } },
                   "a chunk that goes on from a state has no key frame");
    xc_picture_unref(state.reference[XC_LAST]);
    state.reference[XC_LAST] = picture_of(3, 0);
    check_sections((struct film){ .frames = 6 }, 0, &state,
                   (const struct expected[]){ { 0, 6, true, false, 0 }, { 0 } },
                   "a chunk whose first picture begins a scene has one");
    xc_picture_unref(state.reference[XC_LAST]);
}

/* --- whole chunks --- */

/* Reads a chunk back as a file. */
static struct xc_ivf as_ivf(const struct xc_chunk *chunk)
{
    struct xc_ivf ivf = { .frames = NULL };
    FILE *file = tmpfile();
    if (!file) {
        exit(2);
    }
    CHECK_OK(xc_chunk_write(chunk, file, &err), err);
    rewind(file);
    CHECK_OK(xc_ivf_read(&ivf, file, &err), err);
    fclose(file);
    return ivf;
}

/* Anchors of a film of so many pictures. */
static enum xc_status anchors_of(struct film *film, struct xc_state *state, struct xc_chunk *chunk)
{
    const struct xc_picture_source source = source_of(film);
    const struct xc_chunk_job job = {
        .workspace = workspace, .source = &source, .state = state, .speed = XC_MAX_SPEED
    };
    return xc_chunk_encode_anchors(chunk, &job, &xc_anchored_defaults, &err);
}

static void test_chunks(void)
{
    struct xc_chunk anchors, chunk;
    struct xc_state after = XC_STATE_INIT, state = XC_STATE_INIT;
    struct film film = { .frames = 8 };
    CHECK_OK(anchors_of(&film, &after, &anchors), err);
    CHECK_EQUAL(anchors.header.frame_count, 2);
    CHECK_EQUAL(anchors.frames[1].timestamp, 7);
    struct xc_ivf ivf = as_ivf(&anchors);

    film.next = 0;
    const struct xc_picture_source source = source_of(&film);
    const struct xc_chunk_job job = {
        .workspace = workspace, .source = &source, .state = &state, .speed = XC_MAX_SPEED
    };
    const struct xc_chunk_input input = { .ivf = &ivf, .name = "anchors" };
    CHECK_OK(xc_chunk_encode_followers(&chunk, &job, &input, &xc_anchored_defaults, &err), err);
    CHECK_EQUAL(chunk.header.frame_count, 9);
    CHECK_EQUAL(chunk.shown, 8);
    CHECK_EQUAL(xc_state_hash(&state), xc_state_hash(&after));
    unit_end("the state after the anchors is that after the whole chunk");

    film = (struct film){ .frames = 7 };
    struct xc_state untouched = XC_STATE_INIT;
    const struct xc_chunk_job short_job = {
        .workspace = workspace, .source = &source, .state = &untouched, .speed = XC_MAX_SPEED
    };
    xc_chunk_clear(&chunk);
    CHECK_EQUAL(xc_chunk_encode_followers(&chunk, &short_job, &input, &xc_anchored_defaults, &err), XC_ERR_MISMATCH);
    CHECK(err.about && !strcmp(err.about, "film"));
    CHECK(!strcmp(err.text, "has only 7 frames; anchors shows more"));
    CHECK(!chunk.frames && !untouched.width);
    unit_end("a film that is shorter than its anchors say is named");

    xc_ivf_clear(&ivf);
    xc_chunk_clear(&anchors);
    xc_state_clear(&after);
    xc_state_clear(&state);
}

static void append(struct xc_chunk *chunk, enum xc_status status, struct xc_bytes *bytes)
{
    CHECK_OK(status, err);
    CHECK_OK(xc_chunk_append(chunk, bytes, chunk->shown, &err), err);
}

/* Appends an anchor, and then frames that copy it: so a still scene's followers may be, and the last one shows it. */
static void append_copies(struct xc_chunk *chunk, struct xc_encoder *encoder, unsigned count)
{
    const struct xc_encode_params anchor = xc_policy_anchor(10, false), follower = xc_policy_follower(10);
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_picture *picture;
    CHECK_OK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, &err), err);
    unit_paint(picture, 1, chunk->shown, 0);
    append(chunk, xc_encode(encoder, picture, &anchor, &bytes, &err), &bytes);
    for (unsigned i = 0; i < count; i++) {
        append(chunk, xc_encode_repeat(encoder, XC_ALTREF, &follower, &bytes, &err), &bytes);
    }
    xc_picture_unref(picture);
    xc_bytes_clear(&bytes);
}

static void test_hidden(void)
{
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = XC_MAX_SPEED };
    struct xc_state before = XC_STATE_INIT;
    struct film film = { .frames = 1 };
    struct xc_chunk key, chunk;
    struct xc_encoder *encoder;
    uint32_t *pictures;
    CHECK_OK(anchors_of(&film, &before, &key), err);
    CHECK_OK(xc_encoder_new(&encoder, workspace, &options, &err), err);
    CHECK_OK(xc_encoder_set_state(encoder, &before, &err), err);
    xc_chunk_init(&chunk, &before, 25, 1);
    append_copies(&chunk, encoder, 3);
    append_copies(&chunk, encoder, 1);
    append_copies(&chunk, encoder, XC_MINI_GOP_PICTURES + 1);
    struct xc_ivf ivf = as_ivf(&chunk);
    const struct xc_chunk_input input = { .ivf = &ivf, .state = &before, .name = "copies" };
    CHECK_OK(xc_hidden_find(&pictures, &input, &err), err);
    CHECK_EQUAL(pictures[0], 2);
    CHECK_EQUAL(pictures[4], 3);
    CHECK_EQUAL(pictures[6], 4 + XC_MINI_GOP_PICTURES - 1);
    unit_end("an anchor stands for the picture of the last frame that copies it in its mini-GOP");
    free(pictures);
    xc_ivf_clear(&ivf);
    xc_chunk_clear(&chunk);
    xc_chunk_clear(&key);
    xc_encoder_free(encoder);
    xc_state_clear(&before);
}

static void test_failures(void)
{
    struct xc_chunk chunk;
    struct xc_state state = XC_STATE_INIT;
    struct film film = { .frames = 30, .fails_at = 20 };
    CHECK_EQUAL(anchors_of(&film, &state, &chunk), XC_ERR_IO);
    CHECK_EQUAL(err.text, "frame 20: the tape is torn");
    CHECK_EQUAL(err.about, "film");
    CHECK(!chunk.frames && !state.width);
    unit_end("a source that fails leaves no chunk, and the state as it was");

    film = (struct film){ .frames = 30, .odd_one = 3 };
    CHECK_EQUAL(anchors_of(&film, &state, &chunk), XC_ERR_MISMATCH);
    CHECK(!strcmp(err.text, "picture 3 is of 88x144, the header says 176x144"));
    unit_end("a picture of another size is refused");

    film = (struct film){ .frames = 0 };
    CHECK_EQUAL(anchors_of(&film, &state, &chunk), XC_ERR_FORMAT);
    CHECK_EQUAL(err.text, "has no frame");
    unit_end("a film without pictures is refused");
}

int main(void)
{
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    test_quantizers();
    test_params();
    test_fit();
    test_logarithm();
    test_goals();
    test_sections();
    test_chunks();
    test_hidden();
    test_failures();
    xc_workspace_free(workspace);
    return unit_finish();
}
