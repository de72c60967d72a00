/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures: how their planes lie in memory, who owns them, and the pool that keeps the memory of those nobody owns. */
#define _DEFAULT_SOURCE /* for madvise */

#include "state/picture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A cache line, and the widest vector that a kernel loads. */
#define ALIGNMENT 64

struct xc_picture_pool {
    pthread_mutex_t mutex;     /* guards all below */
    uint16_t mb_cols, mb_rows; /* the size last asked for; only pictures of this size are kept */
    struct xc_picture *free;   /* linked by next_free */
    size_t users;              /* pictures that are out, and the owner; the last one to leave frees the pool */
    bool closed;               /* the owner has left */
};

enum xc_status xc_picture_pool_new(struct xc_picture_pool **out, struct xc_error *err)
{
    *out = NULL;
    struct xc_picture_pool *pool = calloc(1, sizeof *pool);
    if (!pool || pthread_mutex_init(&pool->mutex, NULL)) {
        free(pool);
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a pool of pictures");
    }
    pool->users = 1;
    *out = pool;
    return XC_OK;
}

static void free_list(struct xc_picture *picture)
{
    while (picture) {
        struct xc_picture *next = picture->next_free;
        free(picture);
        picture = next;
    }
}

/* Ends one use of the pool, whose mutex the caller holds. */
static void leave_pool(struct xc_picture_pool *pool)
{
    bool last = --pool->users == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last) {
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
    }
}

void xc_picture_pool_free(struct xc_picture_pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    free_list(pool->free);
    pool->free = NULL;
    pool->closed = true;
    leave_pool(pool);
}

/* A free picture of this size, or NULL if there is none. Either way the caller has become a user of the pool. */
static struct xc_picture *take_from_pool(struct xc_picture_pool *pool, uint16_t mb_cols, uint16_t mb_rows)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->mb_cols != mb_cols || pool->mb_rows != mb_rows) {
        free_list(pool->free);
        pool->free = NULL;
        pool->mb_cols = mb_cols;
        pool->mb_rows = mb_rows;
    }
    struct xc_picture *picture = pool->free;
    if (picture) {
        pool->free = picture->next_free;
    }
    pool->users++;
    pthread_mutex_unlock(&pool->mutex);
    return picture;
}

static void return_to_pool(struct xc_picture *picture)
{
    struct xc_picture_pool *pool = picture->pool;
    pthread_mutex_lock(&pool->mutex);
    if (!pool->closed && pool->mb_cols == picture->mb_cols && pool->mb_rows == picture->mb_rows) {
        picture->next_free = pool->free;
        pool->free = picture;
    } else {
        free(picture);
    }
    leave_pool(pool);
}

static size_t round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static size_t stride_for(size_t width)
{
    size_t stride = round_up(width, ALIGNMENT);
    /* Multiples of a large power of two would let the samples of a column compete for a few cache sets. */
    return stride % 1024 ? stride : stride + ALIGNMENT;
}

/* Where the system has large pages to give, a large picture asks for them: the kernel's work for fresh small ones takes
 * longer than reading a picture into them. */
static void *allocate_pages(size_t size)
{
    enum { LARGE_PAGE = 2 * 1024 * 1024 };
    const size_t alignment = size < LARGE_PAGE / 2 ? ALIGNMENT : LARGE_PAGE;
    void *memory = aligned_alloc(alignment, round_up(size, alignment));
#ifdef MADV_HUGEPAGE
    if (memory && alignment == LARGE_PAGE) {
        madvise(memory, round_up(size, alignment), MADV_HUGEPAGE); /* only a wish: nothing depends on its success */
    }
#endif
    return memory;
}

/* One allocation: the struct, slack, Y, U, V, slack. At most about 400 MB, so that 32 bits do not overflow either. */
static struct xc_picture *allocate(size_t mb_cols, size_t mb_rows)
{
    size_t luma_stride = stride_for(16 * mb_cols), chroma_stride = stride_for(8 * mb_cols);
    size_t luma_size = luma_stride * 16 * mb_rows, chroma_size = chroma_stride * 8 * mb_rows;
    size_t before = round_up(sizeof(struct xc_picture) + XC_PICTURE_SLACK, ALIGNMENT);
    size_t size = before + luma_size + 2 * chroma_size + XC_PICTURE_SLACK;

    struct xc_picture *picture = allocate_pages(size);
    if (!picture) {
        return NULL;
    }
    uint8_t *samples = (uint8_t *)picture + before;
    picture->plane[XC_PLANE_Y] = (struct xc_plane){ samples, (ptrdiff_t)luma_stride };
    picture->plane[XC_PLANE_U] = (struct xc_plane){ samples + luma_size, (ptrdiff_t)chroma_stride };
    picture->plane[XC_PLANE_V] = (struct xc_plane){ samples + luma_size + chroma_size, (ptrdiff_t)chroma_stride };
    return picture;
}

enum xc_status xc_picture_new(struct xc_picture **out, struct xc_picture_pool *pool, unsigned width, unsigned height,
                              struct xc_error *err)
{
    *out = NULL;
    if (width < 1 || width > XC_MAX_DIMENSION || height < 1 || height > XC_MAX_DIMENSION) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a picture of %ux%u samples is impossible", width, height);
    }

    uint16_t mb_cols = (uint16_t)((width + 15) / 16), mb_rows = (uint16_t)((height + 15) / 16);
    struct xc_picture *picture = pool ? take_from_pool(pool, mb_cols, mb_rows) : NULL;
    if (!picture) {
        picture = allocate(mb_cols, mb_rows);
    }
    if (!picture) {
        if (pool) {
            pthread_mutex_lock(&pool->mutex);
            leave_pool(pool);
        }
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a picture of %ux%u samples", width, height);
    }
    picture->width = (uint16_t)width;
    picture->height = (uint16_t)height;
    picture->mb_cols = mb_cols;
    picture->mb_rows = mb_rows;
    picture->pool = pool;
    picture->next_free = NULL;
    picture->complete = false;
    picture->references = 1;
    *out = picture;
    return XC_OK;
}

struct xc_picture *xc_picture_ref(struct xc_picture *picture)
{
    if (picture) {
        __atomic_fetch_add(&picture->references, 1, __ATOMIC_RELAXED);
    }
    return picture;
}

void xc_picture_unref(struct xc_picture *picture)
{
    /* Release and acquire: whatever any owner did with the samples is done before they are reused. */
    if (!picture || __atomic_fetch_sub(&picture->references, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    if (picture->pool) {
        return_to_pool(picture);
    } else {
        free(picture);
    }
}

unsigned xc_plane_coded_width(const struct xc_picture *picture, int plane)
{
    return picture->mb_cols * (plane == XC_PLANE_Y ? 16u : 8u);
}

unsigned xc_plane_coded_height(const struct xc_picture *picture, int plane)
{
    return picture->mb_rows * (plane == XC_PLANE_Y ? 16u : 8u);
}

unsigned xc_plane_width(const struct xc_picture *picture, int plane)
{
    return plane == XC_PLANE_Y ? picture->width : (picture->width + 1u) / 2;
}

unsigned xc_plane_height(const struct xc_picture *picture, int plane)
{
    return plane == XC_PLANE_Y ? picture->height : (picture->height + 1u) / 2;
}

bool xc_picture_equal(const struct xc_picture *a, const struct xc_picture *b)
{
    for (int plane = 0; a != b && plane < 3; plane++) {
        const struct xc_plane *pa = &a->plane[plane], *pb = &b->plane[plane];
        for (unsigned y = 0; y < xc_plane_coded_height(a, plane); y++) {
            if (memcmp(pa->data + y * pa->stride, pb->data + y * pb->stride, xc_plane_coded_width(a, plane))) {
                return false;
            }
        }
    }
    return true;
}

void xc_picture_pad(struct xc_picture *picture)
{
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        struct xc_plane plane = picture->plane[p];
        unsigned width = xc_plane_width(picture, p), coded_width = xc_plane_coded_width(picture, p);
        unsigned height = xc_plane_height(picture, p), coded_height = xc_plane_coded_height(picture, p);

        uint8_t *row = plane.data;
        for (unsigned y = 0; y < height; y++, row += plane.stride) {
            memset(row + width, row[width - 1], coded_width - width);
        }
        for (unsigned y = height; y < coded_height; y++, row += plane.stride) {
            memcpy(row, row - plane.stride, coded_width);
        }
    }
    picture->complete = true;
}

enum xc_status xc_picture_copy_unless_complete(struct xc_picture **copy, const struct xc_picture *picture,
                                               struct xc_picture_pool *pool, struct xc_error *err)
{
    *copy = NULL;
    if (picture->complete) {
        return XC_OK;
    }
    struct xc_picture *made;
    enum xc_status status = xc_picture_new(&made, pool, picture->width, picture->height, err);
    if (!made) {
        return status;
    }
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        const struct xc_plane *from = &picture->plane[p], *to = &made->plane[p];
        const unsigned width = xc_plane_width(picture, p), height = xc_plane_height(picture, p);
        for (unsigned y = 0; y < height; y++) {
            memcpy(to->data + y * to->stride, from->data + y * from->stride, width);
        }
    }
    xc_picture_pad(made);
    *copy = made;
    return XC_OK;
}

size_t xc_picture_i420_size(const struct xc_picture *picture)
{
    size_t size = 0;
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        size += (size_t)xc_plane_width(picture, p) * xc_plane_height(picture, p);
    }
    return size;
}

enum xc_status xc_picture_to_i420(const struct xc_picture *picture, uint8_t *out, size_t size, struct xc_error *err)
{
    const size_t need = xc_picture_i420_size(picture);
    if (size < need) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a picture of %ux%u samples needs %zu bytes as I420, there are %zu",
                       picture->width, picture->height, need, size);
    }
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        unsigned width = xc_plane_width(picture, p), height = xc_plane_height(picture, p);
        const uint8_t *row = picture->plane[p].data;
        for (unsigned y = 0; y < height; y++, row += picture->plane[p].stride, out += width) {
            memcpy(out, row, width);
        }
    }
    return XC_OK;
}

enum xc_status xc_picture_from_i420(struct xc_picture *picture, const uint8_t *data, size_t size, struct xc_error *err)
{
    const size_t need = xc_picture_i420_size(picture);
    if (size != need) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a picture of %ux%u samples has %zu bytes as I420, not %zu",
                       picture->width, picture->height, need, size);
    }
    for (int p = XC_PLANE_Y; p <= XC_PLANE_V; p++) {
        unsigned width = xc_plane_width(picture, p), height = xc_plane_height(picture, p);
        uint8_t *row = picture->plane[p].data;
        for (unsigned y = 0; y < height; y++, row += picture->plane[p].stride, data += width) {
            memcpy(row, data, width);
        }
    }
    xc_picture_pad(picture);
    return XC_OK;
}
