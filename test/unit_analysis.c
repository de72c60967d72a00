/* SPDX-License-Identifier: BSD-2-Clause */
/* What is found out about raw pictures before any is encoded: where scenes begin, how much is new, what pictures have
 * in common and how noisy they are. */
#include <math.h>

#include "excamera/scene.h"
#include "analysis/temporal_filter.h"
#include "unit.h"
#include "unit_scenes.h"

enum { WIDTH = 175, HEIGHT = 143 };

static struct xc_workspace *workspace;
static struct xc_error err;

static struct xc_picture *new_picture(void)
{
    struct xc_picture *picture;
    CHECK_OK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, &err), err);
    return picture;
}

/* What a camera sees that points at (x, y) of a scene. */
static struct xc_picture *view(unsigned scene, double x, double y)
{
    struct xc_picture *picture = new_picture();
    unit_paint(picture, scene, x, y);
    return picture;
}

static struct xc_picture *flat(int level)
{
    struct xc_picture *picture = new_picture();
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_height(picture, i); y++) {
            memset(picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride, level, xc_plane_width(picture, i));
        }
    }
    xc_picture_pad(picture);
    return picture;
}

/* Makes a picture of 40 to 200 this much brighter, and returns it. */
static struct xc_picture *brighter(struct xc_picture *picture, int by)
{
    for (unsigned y = 0; y < xc_plane_coded_height(picture, 0); y++) {
        uint8_t *row = picture->plane[0].data + (ptrdiff_t)y * picture->plane[0].stride;
        for (unsigned x = 0; x < xc_plane_coded_width(picture, 0); x++) {
            row[x] = (uint8_t)(row[x] + by);
        }
    }
    return picture;
}

/* Adds noise of this standard deviation, in the first columns of macroblocks, and returns the picture. */
static struct xc_picture *add_noise(struct xc_picture *picture, double sigma, unsigned mb_cols, uint64_t *seed)
{
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_coded_height(picture, i); y++) {
            uint8_t *row = picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride;
            for (unsigned x = 0; x < mb_cols * (i ? 8 : 16); x++) {
                double dice = -4 * 127.5; /* four of 256 sides, near enough to a bell curve; they deviate by 147.8 */
                for (int n = 0; n < 4; n++) {
                    dice += unit_below(seed, 256);
                }
                row[x] = (uint8_t)fmin(255, fmax(0, lrint(row[x] + dice * sigma / 147.8)));
            }
        }
    }
    return picture;
}

static struct xc_picture *noisy(struct xc_picture *picture, double sigma, uint64_t *seed)
{
    return add_noise(picture, sigma, picture->mb_cols, seed);
}

/* Mean squared difference of all that is displayed. */
static double difference(const struct xc_picture *a, const struct xc_picture *b)
{
    double sum = 0, samples = 0;
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_height(a, i); y++) {
            const uint8_t *p = a->plane[i].data + (ptrdiff_t)y * a->plane[i].stride;
            const uint8_t *q = b->plane[i].data + (ptrdiff_t)y * b->plane[i].stride;
            for (unsigned x = 0; x < xc_plane_width(a, i); x++, samples++) {
                sum += (p[x] - q[x]) * (p[x] - q[x]);
            }
        }
    }
    return sum / samples;
}

/* Scenes */

/* Shows the next picture, whose novelty goes to *novelty, and lets it go. */
static bool begins(struct xc_scene *scene, struct xc_picture *picture, double *novelty)
{
    const bool cut = xc_scene_begins(scene, picture);
    *novelty = xc_scene_novelty(scene);
    xc_picture_unref(picture);
    return cut;
}

static struct xc_scene *new_scene(struct xc_picture *first)
{
    struct xc_scene *scene;
    double novelty;
    CHECK_OK(xc_scene_new(&scene, workspace, WIDTH, HEIGHT, &err), err);
    CHECK(!begins(scene, first, &novelty));
    CHECK_EQUAL(novelty, 1);
    return scene;
}

static void test_cut(void)
{
    struct xc_scene *scene = new_scene(view(0, 0, 0));
    double novelty;
    for (unsigned t = 0; t < 9; t++) {
        const bool replaced = t > 0 && t % 3 == 0;
        CHECK_EQUAL(begins(scene, view(t / 3, 0, 0), &novelty), replaced);
        if (replaced) {
            CHECK_COMPARE(novelty, >, 0.75);
        } else {
            CHECK_COMPARE(novelty, <, 0.01);
        }
    }
    xc_scene_free(scene);
}

static void test_pan(double right, double down)
{
    struct xc_scene *scene = new_scene(view(0, 0, 0));
    double novelty;
    for (int t = 1; t < 5; t++) {
        CHECK(!begins(scene, view(0, t * right, t * down), &novelty));
        CHECK_COMPARE(novelty, >, 0.05);
        CHECK_COMPARE(novelty, <, 0.6);
    }
    xc_scene_free(scene);
}

static void test_flashes(void)
{
    struct xc_scene *scene = new_scene(view(0, 0, 0));
    double novelty;
    for (int t = 1; t < 9; t++) {
        CHECK(!begins(scene, brighter(view(0, t * 3, t * 2), t % 3 ? 0 : 50), &novelty));
        CHECK_COMPARE(novelty, <, 0.6);
    }
    CHECK(begins(scene, brighter(view(1, 0, 0), 50), &novelty));
    xc_scene_free(scene);
}

/* Much further than any block is searched for without a hint. */
static void test_shaken_camera(void)
{
    struct xc_scene *scene = new_scene(view(0, 0, 0));
    double novelty;
    for (int t = 1; t < 9; t++) {
        CHECK(!begins(scene, brighter(view(0, t % 2 * 56, t % 3 * 40), t), &novelty));
    }
    xc_scene_free(scene);
}

/* There, motion compensation leaves much more than intra prediction. */
static void test_fade_and_noise_of_a_flat_picture(void)
{
    struct xc_scene *scene = new_scene(flat(100));
    double novelty;
    uint64_t seed = 1;
    for (int t = 1; t < 5; t++) {
        CHECK(!begins(scene, flat(100 + 4 * t), &novelty));
    }
    for (int t = 0; t < 4; t++) {
        CHECK(!begins(scene, noisy(flat(116), t, &seed), &novelty));
    }
    xc_scene_free(scene);
}

/* Averages */

static struct xc_picture *film[XC_FILTER_PICTURES];

static struct xc_picture *average(unsigned count, double *noise)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    struct xc_picture *out;
    for (unsigned i = 0; i < count; i++) {
        pictures[i] = film[i];
    }
    CHECK_OK(xc_temporal_filter(workspace, &out, noise, pictures, count, &err), err);
    return out;
}

static void free_film(void)
{
    for (unsigned i = 0; i < XC_FILTER_PICTURES; i++) {
        xc_picture_unref(film[i]);
        film[i] = NULL;
    }
}

/* How much is left of the noise in a film whose camera moves by so much per picture, and that gets brighter by so much
 * with each: with each picture more, less; in the end no more than the given share. */
static void test_averaging(double right, double down, int brighter_by, double share)
{
    struct xc_picture *clean = view(0, 0, 0);
    uint64_t seed = 1;
    for (unsigned i = 0; i < XC_FILTER_PICTURES; i++) {
        film[i] = noisy(brighter(view(0, i * right, i * down), (int)i * brighter_by), 2, &seed);
    }
    const double raw = difference(film[0], clean);
    double noise, left = raw + 1;
    for (unsigned count = 1; count <= XC_FILTER_PICTURES; count += 2) {
        struct xc_picture *out = average(count, &noise);
        CHECK_EQUAL(noise, 0);
        CHECK_COMPARE(difference(out, clean), <, left);
        left = difference(out, clean);
        if (count == 1) {
            CHECK_EQUAL(left, raw);
        }
        xc_picture_unref(out);
    }
    CHECK_COMPARE(left, <, share * raw);
    xc_picture_unref(clean);
    free_film();
}

/* What has no match stays as it is, and is noise; where that is less than half of the picture, there is none. Matches
 * in the third picture make up for nothing. */
static void test_noise(unsigned mb_cols, bool noticed)
{
    const double sigma = 12;
    uint64_t seed = 1;
    film[0] = add_noise(flat(100), sigma, mb_cols, &seed);
    film[1] = flat(100);
    film[2] = xc_picture_ref(film[0]);
    double noise;
    struct xc_picture *out = average(3, &noise);
    CHECK_COMPARE(fabs(noise - noticed * sigma), <, 0.15 * sigma);
    CHECK_EQUAL(difference(out, film[0]), 0);
    xc_picture_unref(out);
    free_film();
}

static void test_averaging_across_a_cut(void)
{
    uint64_t seed = 1;
    film[0] = noisy(view(0, 0, 0), 2, &seed);
    film[1] = view(1, 0, 0);
    double noise;
    struct xc_picture *out = average(2, &noise);
    CHECK_COMPARE(noise, >, 8);
    CHECK_EQUAL(difference(out, film[0]), 0);
    xc_picture_unref(out);
    free_film();
}

/* The film's average where nothing moves, or NULL. */
static struct xc_picture *average_at_rest(unsigned count)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    struct xc_picture *out;
    for (unsigned i = 0; i < count; i++) {
        pictures[i] = film[i];
    }
    CHECK_OK(xc_temporal_filter_at_rest(workspace, &out, pictures, count, &err), err);
    return out;
}

/* A film like that of test_averaging, with noise of this standard deviation. */
static void shoot(double right, double down, double brighter_by, double sigma)
{
    uint64_t seed = 1;
    for (unsigned i = 0; i < XC_FILTER_PICTURES; i++) {
        film[i] = noisy(brighter(view(0, i * right, i * down), (int)(i * brighter_by)), sigma, &seed);
    }
}

static void test_no_average_at_rest(double right, double down, double brighter_by, double sigma)
{
    shoot(right, down, brighter_by, sigma);
    CHECK(!average_at_rest(XC_FILTER_PICTURES));
    free_film();
}

/* Noise is averaged out; what is in one picture only stays as it is. */
static void test_averaging_at_rest(void)
{
    enum { AT = 32, SIZE = 16 };
    struct xc_picture *clean = view(0, 0, 0);
    shoot(0, 0, 0, 1.5);
    CHECK(!average_at_rest(1));
    const double raw = difference(film[0], clean);
    struct xc_picture *out = average_at_rest(XC_FILTER_PICTURES);
    CHECK(out != NULL);
    CHECK_COMPARE(difference(out, clean), <, raw / 4);
    xc_picture_unref(out);

    const struct xc_plane *luma = &film[0]->plane[XC_PLANE_Y];
    for (int y = AT; y < AT + SIZE; y++) {
        for (int x = AT; x < AT + SIZE; x++) {
            luma->data[y * luma->stride + x] ^= 0x80;
        }
    }
    out = average_at_rest(XC_FILTER_PICTURES);
    CHECK(out != NULL);
    const struct xc_plane *averaged = &out->plane[XC_PLANE_Y];
    for (int y = AT; y < AT + SIZE; y++) {
        CHECK(memcmp(luma->data + y * luma->stride + AT, averaged->data + y * averaged->stride + AT, SIZE) == 0);
    }
    xc_picture_unref(out);
    xc_picture_unref(clean);
    free_film();
}

int main(void)
{
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    test_cut();
    unit_end("cuts in a still film");
    test_pan(2.5, 1.5);
    unit_end("a slow pan is no cut");
    test_pan(30, -20);
    unit_end("a fast pan is no cut");
    test_shaken_camera();
    unit_end("a shaken camera makes no cuts");
    test_flashes();
    unit_end("flashes are no cuts, but cuts in them are");
    test_fade_and_noise_of_a_flat_picture();
    unit_end("a fade and noise are no cuts");
    test_averaging(0, 0, 0, 1 / 4.);
    unit_end("averages of a still film");
    test_averaging(2.5, 1.5, 0, 1 / 2.5);
    unit_end("averages along the motion");
    test_averaging(8, 5, 0, 1 / 2.);
    unit_end("averages along fast motion");
    test_averaging(0, 0, 8, 3 / 4.);
    unit_end("averages of a fade");
    test_noise(6, true);
    unit_end("noise in more than half of a picture");
    test_noise(5, false);
    unit_end("noise in less than half of a picture");
    test_averaging_across_a_cut();
    unit_end("averages across a cut");
    test_averaging_at_rest();
    unit_end("averages of what stands still in a film with noise");
    test_no_average_at_rest(0, 0, 0, 0.2);
    unit_end("no such average without noise");
    test_no_average_at_rest(2.5, 1.5, 0, 1.5);
    unit_end("nor where the camera moves");
    test_no_average_at_rest(0, 0, 0.34, 0.4);
    unit_end("nor where the light changes slowly, more than noise does");
    xc_workspace_free(workspace);
    return unit_finish();
}
