/* How much of a picture is copied by the pictures behind it: what its quality is worth. */
#ifndef EXCAMERA_LOOKAHEAD_H
#define EXCAMERA_LOOKAHEAD_H

#include "excamera/error.h"
#include "excamera/picture.h"

struct xc_lookahead;

/* For pictures of this display size. */
enum xc_status xc_lookahead_new(struct xc_lookahead **out, unsigned width, unsigned height, struct xc_error *err);
void xc_lookahead_free(struct xc_lookahead *lookahead);

/* Adds the next picture (padded, xc_picture_pad), of which only a small version is kept. */
enum xc_status xc_lookahead_add(struct xc_lookahead *lookahead, const struct xc_picture *picture, struct xc_error *err);

/* Tells for each macroblock of the first picture how much information of later pictures comes from it, relative to its own, in
 * 1/16: 0, nothing; 16, as much again as itself. worth: one number per macroblock, row by row. repeats: how many more groups
 * of pictures like these will follow; they are assumed to go on as these do. Returns the same for the picture as a whole.
 *
 * The method is x264's macroblock tree (MB-tree, by Jason Garrett-Glaser): what motion compensation predicts well in a picture is
 * owed to its reference, in proportion to how much better it is than intra prediction, and so on down to the first one. */
uint32_t xc_lookahead_worth(struct xc_lookahead *lookahead, uint32_t *worth, unsigned repeats);

#endif
