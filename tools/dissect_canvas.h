/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture of RGB bytes to draw on. What lies outside is not drawn. */
#ifndef XC_TOOLS_DISSECT_CANVAS_H
#define XC_TOOLS_DISSECT_CANVAS_H

#include <stdint.h>
#include <stdio.h>

struct canvas {
    int width, height;
    uint8_t *pixels; /* width x height x 3, rows without gaps */
};

struct color {
    uint8_t r, g, b;
};

/* Fills a rectangle; opacity: 0 to 256. */
void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, struct color color, int opacity);
void canvas_line(struct canvas *canvas, int x0, int y0, int x1, int y1, struct color color);

enum { CANVAS_GLYPH_WIDTH = 3, CANVAS_GLYPH_HEIGHT = 5 };
/* Capital letters, digits and a few signs, each dot a square of size pixels. Returns where the next glyph stands. */
int canvas_text(struct canvas *canvas, int x, int y, int size, const char *text, struct color color);
int canvas_text_width(int size, const char *text);

#endif
