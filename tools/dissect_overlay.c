/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect_overlay.h"

#include <errno.h>
#include <libyuv.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "dissect_canvas.h"

/* Up to this width the picture is scaled, at most by MAX_SCALE; below WORDS_SCALE there is no room for numbers. */
enum { WANTED_WIDTH = 2048, MAX_SCALE = 4, WORDS_SCALE = 3 };
enum { TEXT = 2 /* pixels of a dot */, LINE = 8 * TEXT, LEGEND_LINES = 3, MARGIN = 4 };

static const struct color white = { 255, 255, 255 }, black = { 0, 0, 0 };
static const struct color reference_color[XC_REF_FRAMES] = {
    { 230, 60, 60 }, { 60, 110, 230 }, { 235, 200, 40 }, { 60, 190, 80 }
};
static const struct color segment_color[XC_SEGMENTS] = {
    { 200, 200, 200 }, { 255, 120, 220 }, { 90, 230, 230 }, { 255, 170, 60 }
};

struct drawing {
    struct canvas canvas;
    const struct dissect_frame *frame;
    int scale; /* pixels of the canvas for a luma sample */
};

static void outline(struct canvas *canvas, int x, int y, int width, int height, struct color color, int opacity)
{
    canvas_fill(canvas, x, y, width, 1, color, opacity);
    canvas_fill(canvas, x, y, 1, height, color, opacity);
}

static void draw_vector(struct drawing *d, int x, int y, struct xc_mv mv)
{
    const int end_x = x + mv.column * d->scale / 4, end_y = y + mv.row * d->scale / 4;
    canvas_line(&d->canvas, x + 1, y + 1, end_x + 1, end_y + 1, black);
    canvas_line(&d->canvas, x, y, end_x, end_y, white);
    canvas_fill(&d->canvas, x - 1, y - 1, 3, 3, white, 256);
}

/* The direction that a block is predicted in, as steps to the right and down; DC and TM have none and are dots. RFC
 * 6386, section 12.3. */
static void draw_direction(struct drawing *d, int x, int y, int mode)
{
    static const int8_t step[XC_B_MODES][2] = { { 0, 0 }, { 0, 0 }, { 0, 2 },  { 2, 0 }, { -2, 2 },
                                                { 2, 2 }, { 1, 2 }, { -1, 2 }, { 2, 1 }, { 2, -1 } };
    const int half = 2 * d->scale, dx = step[mode][0] * (half - 3) / 2, dy = step[mode][1] * (half - 3) / 2;
    if (dx || dy) {
        canvas_line(&d->canvas, x + half - dx, y + half - dy, x + half + dx, y + half + dy, white);
    } else {
        canvas_fill(&d->canvas, x + half - 1, y + half - 1, mode == XC_B_TM_PRED ? 3 : 2, 2, white, 256);
    }
}

static bool same_partition(const struct xc_macroblock *mb, int a, int b)
{
    return mb->partitioning != XC_SPLIT_16 && mb->split[a].row == mb->split[b].row &&
           mb->split[a].column == mb->split[b].column;
}

/* A line between blocks of one macroblock whose vectors differ, and a vector for each. */
static void draw_split(struct drawing *d, int x, int y, const struct xc_macroblock *mb)
{
    const int size = 4 * d->scale;
    for (int i = 0; i < 16; i++) {
        const int left = x + (i & 3) * size, top = y + (i >> 2) * size;
        if (i & 3 && !same_partition(mb, i, i - 1)) {
            canvas_fill(&d->canvas, left, top, 1, size, white, 160);
        }
        if (i >> 2 && !same_partition(mb, i, i - 4)) {
            canvas_fill(&d->canvas, left, top, size, 1, white, 160);
        }
        draw_vector(d, left + size / 2, top + size / 2, mb->split[i]);
    }
}

static void draw_mode(struct drawing *d, int x, int y, const struct xc_macroblock *mb)
{
    static const uint8_t whole[] = { XC_B_DC_PRED, XC_B_VE_PRED, XC_B_HE_PRED, XC_B_TM_PRED };
    const int size = 16 * d->scale, block = 4 * d->scale;
    if (mb->y_mode == XC_SPLITMV) {
        draw_split(d, x, y, mb);
    } else if (mb->reference != XC_REF_INTRA) {
        draw_vector(d, x + size / 2, y + size / 2, mb->mv);
    } else if (mb->y_mode == XC_B_PRED) {
        for (int i = 0; i < 16; i++) {
            const int left = x + (i & 3) * block, top = y + (i >> 2) * block;
            outline(&d->canvas, left, top, block, block, white, 96);
            draw_direction(d, left, top, mb->b_mode[i]);
        }
    } else {
        draw_direction(d, x + size / 2 - block / 2, y + size / 2 - block / 2, whole[mb->y_mode]);
    }
}

static uint64_t all_bits(const struct xc_bits *bits)
{
    uint64_t sum = 0;
    for (int i = 0; i < XC_BIT_KINDS; i++) {
        sum += bits->of[i];
    }
    return sum;
}

static void draw_number(struct drawing *d, int x, int y, unsigned number, struct color color)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    const int width = canvas_text_width(TEXT, text);
    canvas_fill(&d->canvas, x - width - 2 * TEXT, y - 7 * TEXT, width + 2 * TEXT, 7 * TEXT, black, 150);
    canvas_text(&d->canvas, x - width - TEXT, y - 6 * TEXT, TEXT, text, color);
}

static void draw_macroblock(struct drawing *d, int column, int row)
{
    const size_t index = (size_t)row * d->frame->frame.mb_cols + (size_t)column;
    const struct xc_macroblock *mb = &d->frame->frame.macroblocks[index];
    const int size = 16 * d->scale, x = column * size, y = row * size;
    canvas_fill(&d->canvas, x, y, size, size, reference_color[mb->reference], mb->skip ? 40 : 96);
    outline(&d->canvas, x, y, size, size, black, 128);
    if (mb->segment || d->frame->frame.header.segmentation) {
        canvas_fill(&d->canvas, x + 2, y + 2, 2 * d->scale, 2 * d->scale, black, 256);
        canvas_fill(&d->canvas, x + 3, y + 3, 2 * d->scale - 2, 2 * d->scale - 2, segment_color[mb->segment], 256);
    }
    if (d->scale >= WORDS_SCALE) {
        const uint64_t bits = all_bits(&d->frame->macroblocks[index]);
        draw_number(d, x + size, y + size, (unsigned)((bits + XC_BITS_ONE / 2) / XC_BITS_ONE), white);
    }
}

static int draw_key(struct drawing *d, int x, int y, struct color color, const char *text)
{
    canvas_fill(&d->canvas, x, y, 5 * TEXT, 5 * TEXT, color, 256);
    return canvas_text(&d->canvas, x + 7 * TEXT, y, TEXT, text, white) + 6 * TEXT;
}

/* What the colors mean, and what the whole frame took. */
static void draw_legend(struct drawing *d, int top)
{
    static const char *const references[] = { "INTRA", "LAST", "GOLDEN", "ALTREF" };
    static const char *const segments[] = { "SEGMENT 0", "1", "2", "3" };
    const struct xc_frame_header *h = &d->frame->frame.header;
    char text[128];
    canvas_fill(&d->canvas, 0, top, d->canvas.width, d->canvas.height - top, black, 256);
    snprintf(text, sizeof text, "FRAME %u  %s  QUANTIZER %u  %u BYTES", (unsigned)d->frame->number,
             h->key_frame ? "KEY"
             : h->show    ? "INTER"
                          : "HIDDEN",
             h->quantizer, (unsigned)d->frame->size);
    int x = MARGIN, y = top + MARGIN;
    canvas_text(&d->canvas, x, y, TEXT, text, white);
    y += LINE;
    for (int i = 0; i < XC_REF_FRAMES; i++) {
        x = draw_key(d, x, y, reference_color[i], references[i]);
    }
    x = MARGIN;
    y += LINE;
    for (int i = 0; h->segmentation && i < XC_SEGMENTS; i++) {
        x = draw_key(d, x, y, segment_color[i], segments[i]);
    }
    if (d->scale >= WORDS_SCALE) {
        canvas_text(&d->canvas, x, y, TEXT, "NUMBERS: BITS", white);
    }
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory) {
        xc_tool_fail(NULL, "%s", strerror(errno));
    }
    return memory;
}

/* The whole macroblocks of the picture, scaled without smoothing and converted. */
static void draw_picture(struct canvas *canvas, const struct xc_picture *picture, int width, int height)
{
    const int coded_width = 16 * picture->mb_cols, coded_height = 16 * picture->mb_rows;
    uint8_t *scaled = allocate((size_t)width * (size_t)height * 3 / 2);
    uint8_t *u = scaled + (size_t)width * (size_t)height, *v = u + (size_t)width * (size_t)height / 4;
    const struct xc_plane *p = picture->plane;
    I420Scale(p[0].data, (int)p[0].stride, p[1].data, (int)p[1].stride, p[2].data, (int)p[2].stride, coded_width,
              coded_height, scaled, width, u, width / 2, v, width / 2, width, height, kFilterNone);
    I420ToRAW(scaled, width, u, width / 2, v, width / 2, canvas->pixels, 3 * width, width, height);
    free(scaled);
}

static void write_png(FILE *out, const char *name, const struct canvas *canvas)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)canvas->width,
                        .height = (png_uint_32)canvas->height,
                        .format = PNG_FORMAT_RGB };
    if (!png_image_write_to_stdio(&image, out, 0, canvas->pixels, 0, NULL)) {
        xc_tool_fail(name, "%s", image.message);
    }
}

void dissect_draw(FILE *out, const char *name, const struct dissect_frame *frame, const struct xc_picture *picture)
{
    struct drawing d = { .frame = frame, .scale = WANTED_WIDTH / picture->width };
    d.scale = d.scale < 1 ? 1 : d.scale > MAX_SCALE ? MAX_SCALE : d.scale;
    const int width = 16 * picture->mb_cols * d.scale, height = 16 * picture->mb_rows * d.scale;
    d.canvas.width = width;
    d.canvas.height = height + LEGEND_LINES * LINE + MARGIN;
    d.canvas.pixels = allocate(3 * (size_t)width * (size_t)d.canvas.height);
    draw_picture(&d.canvas, picture, width, height);
    const int count = frame->frame.mb_cols * frame->frame.mb_rows;
    for (int i = 0; i < count; i++) {
        draw_macroblock(&d, i % frame->frame.mb_cols, i / frame->frame.mb_cols);
    }
    for (int i = 0; i < count; i++) { /* vectors lie over the neighbours */
        draw_mode(&d, i % frame->frame.mb_cols * 16 * d.scale, i / frame->frame.mb_cols * 16 * d.scale,
                  &frame->frame.macroblocks[i]);
    }
    draw_legend(&d, height);
    write_png(out, name, &d.canvas);
    free(d.canvas.pixels);
}
