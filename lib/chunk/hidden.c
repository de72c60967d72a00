/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/hidden.h"

#include <stdlib.h>

#include "chunk/mini_gop.h"
#include "encode/repeat.h"

struct search {
    const struct xc_ivf *ivf;
    struct xc_state state; /* before the next frame; without its pictures */
    struct xc_frame frame;
    uint32_t *pictures;
    uint32_t shown;  /* by the frames so far */
    uint32_t altref; /* the hidden frame whose picture alt-ref is, or XC_NO_PICTURE */
    uint32_t since;  /* what shown was then */
};

/* How many frames come before the first key frame; *hidden: whether any of them is. */
static uint32_t count_interframes(const struct xc_ivf *ivf, bool *hidden)
{
    uint32_t count = 0;
    *hidden = false;
    while (count < ivf->header.frame_count && !xc_data_is_key_frame(ivf->frames[count].data, ivf->frames[count].size)) {
        *hidden |= !xc_data_is_shown(ivf->frames[count].data, ivf->frames[count].size);
        count++;
    }
    return count;
}

static enum xc_status look_at(struct search *s, uint32_t index, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &s->ivf->frames[index];
    const struct xc_frame_header *h = &s->frame.header;
    enum xc_status status = xc_frame_open(&s->frame, &s->state, data->data, data->size, err);
    if (status) {
        return status;
    }
    if (s->altref != XC_NO_PICTURE && s->shown - s->since < XC_MINI_GOP_PICTURES && h->show &&
        xc_frame_is_repeat(&s->frame, XC_ALTREF)) {
        s->pictures[s->altref] = s->shown; /* until a later one takes its place: a follower may copy alt-ref, too */
    }
    if (h->refresh_altref || h->copy_to_altref) {
        s->altref = h->refresh_altref && !h->show ? index : XC_NO_PICTURE;
        s->since = s->shown;
    }
    s->shown += h->show;
    return xc_state_follow_header(&s->state, &s->frame, err);
}

enum xc_status xc_hidden_find(uint32_t **pictures, const struct xc_chunk_input *input, struct xc_error *err)
{
    bool hidden;
    const uint32_t count = count_interframes(input->ivf, &hidden), all = input->ivf->header.frame_count;
    *pictures = NULL;
    if (!hidden) {
        return XC_OK;
    }
    struct search s = { .ivf = input->ivf, .altref = XC_NO_PICTURE };
    s.pictures = malloc(all * sizeof *s.pictures);
    if (!s.pictures) {
        return xc_blame(err, input->name, xc_fail(err, XC_ERR_MEMORY, "out of memory for %u numbers", all));
    }
    for (uint32_t i = 0; i < all; i++) {
        s.pictures[i] = XC_NO_PICTURE;
    }
    enum xc_status status = input->state ? xc_state_copy(&s.state, input->state, err) : XC_OK;
    for (uint32_t i = 0; !status && i < count; i++) {
        status = look_at(&s, i, err);
    }
    xc_frame_clear(&s.frame);
    xc_state_clear(&s.state);
    if (status == XC_ERR_MEMORY) {
        free(s.pictures);
        return xc_blame(err, input->name, status);
    }
    *pictures = s.pictures;
    return XC_OK;
}
