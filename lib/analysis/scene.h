/* Finding scene cuts: pictures that have nothing to predict from in the ones before. */
#ifndef XC_ANALYSIS_SCENE_H
#define XC_ANALYSIS_SCENE_H

#include <stdbool.h>

#include "excamera/error.h"
#include "excamera/picture.h"

/* Compares each picture with the one before it. */
struct xc_scene;

/* For pictures of this display size. */
enum xc_status xc_scene_new(struct xc_scene **out, unsigned width, unsigned height, struct xc_error *err);
void xc_scene_free(struct xc_scene *scene);

/* Takes the next picture (padded, xc_picture_pad), of which only a small version is kept. Whether it begins a new
 * scene: never true of the first. */
bool xc_scene_begins(struct xc_scene *scene, const struct xc_picture *picture);
/* How much of the last picture was new against the one before it: what motion compensation left of it, brightness
 * apart, relative to what intra prediction did. 1 where there was none before. */
double xc_scene_novelty(const struct xc_scene *scene);

#endif
