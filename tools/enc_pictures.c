/* SPDX-License-Identifier: BSD-2-Clause */
#include "enc_pictures.h"

#include <stdlib.h>
#include <xxhash.h>

enum { NAME_SHIFT = 32 };

static enum xc_status name_of(const struct xc_picture *picture, uint32_t *name, struct xc_error *err)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_64bits_reset(state) != XXH_OK) {
        XXH3_freeState(state);
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a hash");
    }
    for (int i = XC_PLANE_Y; i <= XC_PLANE_V; i++) {
        const struct xc_plane *plane = &picture->plane[i];
        const unsigned width = xc_plane_width(picture, i), height = xc_plane_height(picture, i);
        for (unsigned row = 0; row < height; row++) {
            XXH3_64bits_update(state, plane->data + (ptrdiff_t)row * plane->stride, width);
        }
    }
    *name = (uint32_t)XXH3_64bits_digest(state);
    *name += !*name;
    XXH3_freeState(state);
    return XC_OK;
}

static enum xc_status note(struct pictures *pictures, const struct xc_picture *picture, struct xc_error *err)
{
    if (pictures->count == pictures->capacity) {
        const size_t capacity = pictures->capacity ? 2 * pictures->capacity : 16;
        uint32_t *larger = realloc(pictures->names, capacity * sizeof *larger);
        if (!larger) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for the names of %zu pictures", capacity);
        }
        pictures->names = larger;
        pictures->capacity = capacity;
    }
    enum xc_status status = name_of(picture, &pictures->names[pictures->count], err);
    pictures->count += !status;
    return status;
}

static enum xc_status next(void *context, struct xc_picture **picture, struct xc_error *err)
{
    struct pictures *pictures = context;
    enum xc_status status = pictures->inner.next(pictures->inner.context, picture, err);
    if (status || !*picture) {
        return status;
    }
    status = note(pictures, *picture, err);
    if (status) {
        xc_picture_unref(*picture);
        *picture = NULL;
    }
    return status;
}

static void close_inner(void *context)
{
    struct pictures *pictures = context;
    xc_source_close(&pictures->inner);
}

void pictures_watch(struct pictures *pictures, struct xc_picture_source *source)
{
    pictures->inner = *source;
    source->next = next;
    source->close = close_inner;
    source->context = pictures;
}

void pictures_clear(struct pictures *pictures)
{
    free(pictures->names);
    pictures->names = NULL;
}

void pictures_name_anchors(const struct pictures *pictures, struct xc_chunk *anchors)
{
    for (uint32_t i = 0; i < anchors->header.frame_count; i++) {
        const uint64_t number = anchors->frames[i].timestamp;
        if (number < pictures->count) {
            anchors->frames[i].timestamp |= (uint64_t)pictures->names[number] << NAME_SHIFT;
        }
    }
}

uint32_t *pictures_take_names(struct xc_ivf *anchors)
{
    const uint32_t count = anchors->header.frame_count;
    uint32_t *names = malloc((count + (size_t)1) * sizeof *names);
    for (uint32_t i = 0; names && i < count; i++) {
        names[i] = (uint32_t)(anchors->frames[i].timestamp >> NAME_SHIFT);
        anchors->frames[i].timestamp &= UINT32_MAX;
    }
    return names;
}

uint32_t pictures_find_stranger(const struct pictures *pictures, const struct xc_ivf *anchors, const uint32_t *names)
{
    uint32_t i = 0;
    while (i < anchors->header.frame_count && (!names[i] || anchors->frames[i].timestamp >= pictures->count ||
                                               names[i] == pictures->names[anchors->frames[i].timestamp])) {
        i++;
    }
    return i;
}
