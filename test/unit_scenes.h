/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes for tests: surfaces that a camera moves over. */
#ifndef UNIT_SCENES_H
#define UNIT_SCENES_H

#include <math.h>

#include "excamera/picture.h"

/* A surface of waves, of which every scene has its own; 40 to 200. */
static inline double unit_texture(unsigned scene, double x, double y)
{
    const double turn = scene * 1.3;
    const double u = x * cos(turn) + y * sin(turn), v = y * cos(turn) - x * sin(turn);
    return 120 + 30 * sin(u * 0.037 + turn) + 20 * sin(v * 0.051) + 15 * sin(u * 0.31 + v * 0.11) + 10 * sin(v * 0.47);
}

/* What a camera sees that points at (x0, y0) of a scene. */
static inline void unit_paint(struct xc_picture *picture, unsigned scene, double x0, double y0)
{
    for (int i = 0; i < 3; i++) {
        const unsigned shrunk = i ? 2 : 1;
        for (unsigned y = 0; y < xc_plane_height(picture, i); y++) {
            uint8_t *row = picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride;
            for (unsigned x = 0; x < xc_plane_width(picture, i); x++) {
                row[x] = (uint8_t)lrint(unit_texture(scene, x0 + x * shrunk, y0 + y * shrunk));
            }
        }
    }
    xc_picture_pad(picture);
}

#endif
