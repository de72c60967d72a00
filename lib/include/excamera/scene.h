/* SPDX-License-Identifier: BSD-2-Clause */
/* Scene cut detection: finds pictures that cannot be predicted from the picture before them. */
#ifndef EXCAMERA_SCENE_H
#define EXCAMERA_SCENE_H

#include <stdbool.h>

#include "excamera/error.h"
#include "excamera/picture.h"
#include "excamera/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Compares each picture with the one before it. */
struct xc_scene;

/* For pictures of this display size. The workspace must outlive the scene. *out is NULL after a failure. */
enum xc_status xc_scene_new(struct xc_scene **out, const struct xc_workspace *workspace, unsigned width,
                            unsigned height, struct xc_error *err);
void xc_scene_free(struct xc_scene *scene);

/* Takes the next picture (padded, xc_picture_pad), of which only a reduced copy is kept. Returns whether the picture
 * begins a new scene; the first one never does. */
bool xc_scene_begins(struct xc_scene *scene, const struct xc_picture *picture);
/* How much of the last picture was new: the error of its motion compensation from the picture before, as mean-removed
 * SAD, divided by the error of its intra prediction. 1 if there was no picture before. */
double xc_scene_novelty(const struct xc_scene *scene);

#ifdef __cplusplus
}
#endif

#endif
