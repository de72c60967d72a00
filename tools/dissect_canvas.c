/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect_canvas.h"

#include <stdlib.h>
#include <string.h>

static void put(struct canvas *canvas, int x, int y, struct color color, int opacity)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height) {
        return;
    }
    uint8_t *p = canvas->pixels + 3 * ((size_t)y * (size_t)canvas->width + (size_t)x);
    const uint8_t values[3] = { color.r, color.g, color.b };
    for (int i = 0; i < 3; i++) {
        p[i] = (uint8_t)((p[i] * (256 - opacity) + values[i] * opacity) >> 8);
    }
}

void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, struct color color, int opacity)
{
    for (int row = y; row < y + height; row++) {
        for (int column = x; column < x + width; column++) {
            put(canvas, column, row, color, opacity);
        }
    }
}

/* A vector may point far outside: only the steps within one picture's width or height of it are taken. */
static int limit(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void canvas_line(struct canvas *canvas, int x0, int y0, int x1, int y1, struct color color)
{
    const int dx = limit(x1, -canvas->width, 2 * canvas->width) - x0;
    const int dy = limit(y1, -canvas->height, 2 * canvas->height) - y0;
    const int steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
    for (int i = 0; i <= steps; i++) {
        put(canvas, x0 + (steps ? dx * i / steps : 0), y0 + (steps ? dy * i / steps : 0), color, 256);
    }
}

/* Five rows of three dots, a row an octal digit. */
static uint16_t glyph(char c)
{
    static const uint16_t digits[] = { 075557, 026227, 071747, 071717, 055711, 074717, 074757, 071111, 075757, 075717 };
    static const uint16_t letters[] = { 025755, 065656, 034443, 065556, 074647, 074644, 034553, 055755, 072227,
                                        011152, 055655, 044447, 057755, 065555, 025552, 065644, 025563, 065655,
                                        034216, 072222, 055557, 055552, 055775, 055255, 055222, 071247 };
    if (c >= '0' && c <= '9') {
        return digits[c - '0'];
    }
    if (c >= 'A' && c <= 'Z') {
        return letters[c - 'A'];
    }
    return c == ':' ? 002020 : c == '.' ? 000002 : c == '-' ? 000700 : 0;
}

int canvas_text(struct canvas *canvas, int x, int y, int size, const char *text, struct color color)
{
    for (; *text; text++) {
        const uint16_t dots = glyph(*text);
        for (int i = 0; i < CANVAS_GLYPH_WIDTH * CANVAS_GLYPH_HEIGHT; i++) {
            if (dots >> (CANVAS_GLYPH_WIDTH * CANVAS_GLYPH_HEIGHT - 1 - i) & 1) {
                canvas_fill(canvas, x + i % CANVAS_GLYPH_WIDTH * size, y + i / CANVAS_GLYPH_WIDTH * size, size, size,
                            color, 256);
            }
        }
        x += (CANVAS_GLYPH_WIDTH + 1) * size;
    }
    return x;
}

int canvas_text_width(int size, const char *text)
{
    return (int)strlen(text) * (CANVAS_GLYPH_WIDTH + 1) * size - size;
}
