/* SPDX-License-Identifier: BSD-2-Clause */
/* libpng reads all kinds of PNG; it is told here to make one kind of them. */
#include "png2y4m_picture.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { SIGNATURE = 8 /* bytes */, CHANNELS = 3 };

_Noreturn static void on_error(png_structp png, png_const_charp message)
{
    const struct xc_tool_input *input = png_get_error_ptr(png);
    xc_tool_fail(input->name, "%s", message);
}

/* A warning says that the file is odd, and that its picture is there nevertheless. */
static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void read_bytes(const struct xc_tool_input *input, png_bytep data, size_t size)
{
    errno = EIO;
    if (fread(data, 1, size, input->stream) != size) {
        xc_tool_fail(input->name, "%s", ferror(input->stream) ? strerror(errno) : "ends inside the picture");
    }
}

static void on_read(png_structp png, png_bytep data, size_t size)
{
    read_bytes(png_get_io_ptr(png), data, size);
}

static void read_signature(const struct xc_tool_input *input)
{
    png_byte signature[SIGNATURE];
    if (fread(signature, 1, SIGNATURE, input->stream) != SIGNATURE || png_sig_cmp(signature, 0, SIGNATURE)) {
        xc_tool_fail(input->name, "not a PNG file");
    }
}

static void choose_form(png_structp png, png_infop info)
{
    static const png_color_16 black = { 0 };
    const uint16_t one = 1;
    png_color_16p background;
    png_set_expand_16(png); /* palettes, fewer bits, and transparent colours, too */
    png_set_gray_to_rgb(png);
    if (png_get_bKGD(png, info, &background)) {
        png_set_background(png, background, PNG_BACKGROUND_GAMMA_FILE, 1, 1.0);
    } else {
        png_set_background(png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    }
    if (*(const uint8_t *)&one) {
        png_set_swap(png); /* PNG has the high byte first */
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static void make_room(struct png2y4m_picture *picture, const char *name)
{
    const size_t needed = (size_t)picture->width * picture->height * CHANNELS;
    if (needed <= picture->room) {
        return;
    }
    free(picture->samples);
    picture->samples = malloc(needed * sizeof *picture->samples);
    if (!picture->samples) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
    picture->room = needed;
}

static void read_rows(const struct png2y4m_picture *picture, png_structp png, const char *name)
{
    png_bytepp rows = malloc(picture->height * sizeof *rows);
    if (!rows) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
    for (size_t y = 0; y < picture->height; y++) {
        rows[y] = (png_bytep)(picture->samples + y * picture->width * CHANNELS);
    }
    png_read_image(png, rows);
    png_read_end(png, NULL);
    free(rows);
}

void png2y4m_picture_read(struct png2y4m_picture *picture, const char *name)
{
    struct xc_tool_input input;
    xc_tool_input_open(&input, name);
    read_signature(&input);
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        xc_tool_fail(name, "%s", strerror(ENOMEM));
    }
    png_set_read_fn(png, &input, on_read);
    png_set_sig_bytes(png, SIGNATURE);
    png_read_info(png, info);

    picture->width = png_get_image_width(png, info);
    picture->height = png_get_image_height(png, info);
    picture->deep = png_get_bit_depth(png, info) == 16;
    if (picture->width > XC_MAX_ENCODED || picture->height > XC_MAX_ENCODED) {
        xc_tool_fail(name, "has %lux%lu pixels; at most %d each way are taken", (unsigned long)picture->width,
                     (unsigned long)picture->height, XC_MAX_ENCODED);
    }
    choose_form(png, info);
    if (png_get_rowbytes(png, info) != picture->width * CHANNELS * sizeof *picture->samples) {
        xc_tool_fail(name, "libpng does not make 16 bits of red, green and blue of it");
    }
    make_room(picture, name);
    read_rows(picture, png, name);
    png_destroy_read_struct(&png, &info, NULL);
    xc_tool_input_close(&input);
}

void png2y4m_picture_clear(struct png2y4m_picture *picture)
{
    free(picture->samples);
    *picture = (struct png2y4m_picture){ 0 };
}
