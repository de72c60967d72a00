/* SPDX-License-Identifier: BSD-2-Clause */
/* A PNG file's picture, as red, green and blue of 16 bits. */
#ifndef XC_TOOLS_PNG2Y4M_PICTURE_H
#define XC_TOOLS_PNG2Y4M_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: none. */
struct png2y4m_picture {
    uint32_t width, height; /* in pixels, 1 to XC_MAX_ENCODED */
    bool deep;              /* the file has 16 bits a sample; other samples are expanded, so that white is 65535 */
    uint16_t *samples;      /* red, green, blue, red, ...; rows follow each other without gaps */
    size_t room;            /* samples that there is memory for */
};

/* Reads the file, or standard input if name is "-", into picture, in place of what was in it. Every kind of PNG is
 * taken. Pixels that are not opaque are laid on the file's background (bKGD), or on black. Gamma and profiles are
 * ignored. Fails as xc_tool_fail does. */
void png2y4m_picture_read(struct png2y4m_picture *picture, const char *name);
void png2y4m_picture_clear(struct png2y4m_picture *picture);

#endif
