/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/lookahead.h"

#include "state/picture.h"

/* Puts a padded copy in the place of a picture that is not padded, since analysis looks at whole macroblocks. */
static enum xc_status make_complete(struct xc_picture **picture, struct xc_error *err)
{
    struct xc_picture *copy;
    enum xc_status status = xc_picture_copy_unless_complete(&copy, *picture, NULL, err);
    if (status || copy) {
        xc_picture_unref(*picture);
        *picture = copy;
    }
    return status;
}

static enum xc_status read_picture(struct xc_lookahead *l, struct xc_picture **picture, struct xc_error *err)
{
    const struct xc_picture_source *s = l->source;
    const uint32_t number = l->count + l->ahead_count;
    struct xc_error reason;
    enum xc_status status = s->next(s->context, picture, &reason);
    if (status) {
        *picture = NULL;
        return xc_fail_about(err, s->name, status, "frame %u: %s", number, reason.text);
    }
    struct xc_picture *p = *picture;
    if (p && (p->width != s->width || p->height != s->height)) {
        status = xc_fail_about(err, s->name, XC_ERR_MISMATCH, "picture %u is of %ux%u, the header says %ux%u", number,
                               p->width, p->height, s->width, s->height);
        xc_picture_unref(p);
        *picture = NULL;
    }
    return status || !*picture ? status : make_complete(picture, err);
}

enum xc_status xc_lookahead_next(struct xc_lookahead *l, struct xc_picture **picture, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    *picture = NULL;
    if (l->ahead_count) {
        *picture = l->ahead[0];
        l->ahead_count--;
        for (unsigned i = 0; i < l->ahead_count; i++) {
            l->ahead[i] = l->ahead[i + 1];
        }
    } else {
        status = read_picture(l, picture, err);
    }
    l->count += *picture != NULL;
    return status;
}

enum xc_status xc_lookahead_peek(struct xc_lookahead *l, uint64_t number, struct xc_picture **picture,
                                 struct xc_error *err)
{
    const uint64_t distance = number - l->count;
    *picture = NULL;
    while (l->ahead_count <= distance && l->ahead_count < XC_MINI_GOP_PICTURES) {
        struct xc_picture **next = &l->ahead[l->ahead_count];
        enum xc_status status = read_picture(l, next, err);
        if (status || !*next) {
            return status;
        }
        l->ahead_count++;
    }
    *picture = distance < XC_MINI_GOP_PICTURES ? xc_picture_ref(l->ahead[distance]) : NULL;
    return XC_OK;
}

enum xc_status xc_lookahead_fail_short(const struct xc_lookahead *l, const char *other, struct xc_error *err)
{
    return xc_fail_about(err, l->source->name, XC_ERR_MISMATCH, "has only %u frames; %s shows more",
                         l->count + l->ahead_count, other);
}

enum xc_status xc_lookahead_expect(struct xc_lookahead *l, struct xc_picture **picture, const char *other,
                                   struct xc_error *err)
{
    enum xc_status status = xc_lookahead_next(l, picture, err);
    return status || *picture ? status : xc_lookahead_fail_short(l, other, err);
}

enum xc_status xc_lookahead_expect_end(struct xc_lookahead *l, const char *other, struct xc_error *err)
{
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_next(l, &picture, err);
    if (!status && picture) {
        status = xc_fail_about(err, l->source->name, XC_ERR_MISMATCH, "has more frames than the %u that %s shows",
                               l->count - 1, other);
    }
    xc_picture_unref(picture);
    return status;
}

void xc_lookahead_clear(struct xc_lookahead *l)
{
    while (l->ahead_count) {
        xc_picture_unref(l->ahead[--l->ahead_count]);
    }
}
