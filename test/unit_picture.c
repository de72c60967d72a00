/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures: their sizes, their padding, their way to I420, and the recycling of their memory. */
#include "excamera/picture.h"
#include "unit.h"

static void test_sizes(void)
{
    static const unsigned sizes[][2] = { { 1, 1 },     { 16, 16 }, { 17, 15 },
                                         { 175, 143 }, { 64, 1 },  { XC_MAX_DIMENSION, 1 } };
    struct xc_error err = { .text = "" };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned width = sizes[i][0], height = sizes[i][1];
        struct xc_picture *picture;
        CHECK_OK(xc_picture_new(&picture, NULL, width, height, &err), err);
        CHECK(picture->width == width && picture->height == height);
        CHECK(picture->mb_cols == (width + 15) / 16 && picture->mb_rows == (height + 15) / 16);
        CHECK_EQUAL(xc_plane_coded_width(picture, XC_PLANE_Y), 16u * picture->mb_cols);
        CHECK_EQUAL(xc_plane_coded_height(picture, XC_PLANE_V), 8u * picture->mb_rows);
        CHECK_EQUAL(xc_plane_width(picture, XC_PLANE_U), (width + 1) / 2);
        CHECK_EQUAL(xc_plane_height(picture, XC_PLANE_U), (height + 1) / 2);
        CHECK_EQUAL(xc_picture_i420_size(picture), width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2));
        for (int p = 0; p < 3; p++) {
            CHECK_COMPARE(picture->plane[p].stride, >=, (ptrdiff_t)xc_plane_coded_width(picture, p));
            CHECK_EQUAL(picture->plane[p].stride % 64, 0);
        }
        xc_picture_unref(picture);
    }
    unit_end("sizes");
}

static void test_impossible_sizes(void)
{
    static const unsigned sizes[][2] = {
        { 0, 16 }, { 16, 0 }, { XC_MAX_DIMENSION + 1, 16 }, { 16, XC_MAX_DIMENSION + 1 }, { 1u << 31, 2 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct xc_picture *picture = NULL;
        struct xc_error err = { .text = "" };
        CHECK(xc_picture_new(&picture, NULL, sizes[i][0], sizes[i][1], &err) != XC_OK);
        CHECK(err.text[0]);
    }
    unit_end("impossible sizes are refused");
}

/* Fills the displayed part with numbers, pads, and looks at both. */
static void test_padding(void)
{
    struct xc_picture *picture;
    struct xc_error err = { .text = "" };
    CHECK_OK(xc_picture_new(&picture, NULL, 19, 5, &err), err);
    for (int p = 0; p < 3; p++) {
        for (unsigned y = 0; y < xc_plane_height(picture, p); y++) {
            for (unsigned x = 0; x < xc_plane_width(picture, p); x++) {
                picture->plane[p].data[y * picture->plane[p].stride + x] = (uint8_t)(100 * p + 7 * y + x);
            }
        }
    }
    xc_picture_pad(picture);
    for (int p = 0; p < 3; p++) {
        unsigned right = xc_plane_width(picture, p) - 1, bottom = xc_plane_height(picture, p) - 1;
        for (unsigned y = 0; y < xc_plane_coded_height(picture, p); y++) {
            for (unsigned x = 0; x < xc_plane_coded_width(picture, p); x++) {
                unsigned expected = 100 * p + 7 * (y < bottom ? y : bottom) + (x < right ? x : right);
                CHECK_EQUAL(picture->plane[p].data[y * picture->plane[p].stride + x], (uint8_t)expected);
            }
        }
    }
    unit_end("padding repeats the edge");
    uint8_t out[19 * 5 + 2 * 10 * 3];
    CHECK_EQUAL(xc_picture_i420_size(picture), sizeof out);
    CHECK_EQUAL(xc_picture_to_i420(picture, out, sizeof out - 1, &err), XC_ERR_ARGUMENT);
    CHECK_OK(xc_picture_to_i420(picture, out, sizeof out, &err), err);
    CHECK(out[0] == 0 && out[18] == 18 && out[19] == 7 && out[19 * 5] == 100 && out[19 * 5 + 30] == 200);
    unit_end("I420 has no gaps");

    struct xc_picture *again;
    CHECK_OK(xc_picture_new(&again, NULL, 19, 5, &err), err);
    CHECK_EQUAL(xc_picture_from_i420(again, out, sizeof out - 1, &err), XC_ERR_ARGUMENT);
    CHECK_EQUAL(xc_picture_from_i420(again, out, sizeof out + 1, &err), XC_ERR_ARGUMENT);
    CHECK_OK(xc_picture_from_i420(again, out, sizeof out, &err), err);
    CHECK(xc_picture_equal(picture, again));
    xc_picture_unref(again);
    xc_picture_unref(picture);
    unit_end("a picture from I420 is padded");
}

static void test_owners(void)
{
    struct xc_picture_pool *pool;
    struct xc_picture *picture, *another;
    struct xc_error err = { .text = "" };
    CHECK_OK(xc_picture_pool_new(&pool, &err), err);
    CHECK(xc_picture_ref(NULL) == NULL);
    xc_picture_unref(NULL);
    CHECK_OK(xc_picture_new(&picture, pool, 64, 64, &err), err);
    CHECK(xc_picture_ref(picture) == picture);
    xc_picture_unref(picture);
    picture->plane[XC_PLANE_Y].data[0] = 77; /* still there: one owner is left */
    CHECK_OK(xc_picture_new(&another, pool, 64, 64, &err), err);
    CHECK(another != picture && another->plane[XC_PLANE_Y].data != picture->plane[XC_PLANE_Y].data);
    xc_picture_unref(another);
    CHECK_OK(xc_picture_new(&another, pool, 640, 480, &err), err); /* another size may not get the old memory */
    memset(another->plane[XC_PLANE_V].data, 1, (size_t)another->plane[XC_PLANE_V].stride * 240);
    CHECK_EQUAL(picture->plane[XC_PLANE_Y].data[0], 77);
    xc_picture_pool_free(pool); /* pictures may outlive it */
    xc_picture_unref(another);
    xc_picture_unref(picture);
    unit_end("owners and pools");
}

int main(void)
{
    test_sizes();
    test_impossible_sizes();
    test_padding();
    test_owners();
    return unit_finish();
}
