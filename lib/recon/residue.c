/* SPDX-License-Identifier: BSD-2-Clause */
/* From levels to residue, added to the prediction; RFC 6386 section 14. */
#include "recon/recon.h"

static void add_block(const struct xc_dsp *dsp, uint8_t *dst, ptrdiff_t stride, int tokens, const int16_t *levels,
                      int dc, int ac)
{
    if (tokens > 1) {
        dsp->idct_add(dst, stride, levels, dc, ac);
    } else if (dc) {
        dsp->idct_dc_add(dst, stride, dc);
    }
}

/* Luma whose DCs come by way of Y2; levels: after the Y2 block. */
static const xc_block *add_luma_with_y2(const struct xc_recon *recon, const struct xc_macroblock *mb,
                                        const xc_block *levels, uint8_t *dst, ptrdiff_t stride)
{
    const struct xc_quantizer *q = &recon->quantizer[mb->segment];
    int16_t dc[16] = { 0 };
    if (mb->tokens[XC_BLOCK_Y2]) {
        recon->dsp->iwht(dc, *levels++, q->y2[0], q->y2[1]);
    }
    for (int i = 0; i < 16; i++) {
        int tokens = mb->tokens[i];
        add_block(recon->dsp, dst + (i >> 2) * 4 * stride + (i & 3) * 4, stride, tokens, *levels, dc[i], q->y1[1]);
        levels += tokens != 0;
    }
    return levels;
}

static const xc_block *add_luma(const struct xc_recon *recon, const struct xc_macroblock *mb, const xc_block *levels,
                                uint8_t *dst, ptrdiff_t stride, unsigned row, unsigned column)
{
    const struct xc_quantizer *q = &recon->quantizer[mb->segment];
    for (int i = 0; i < 16; i++) {
        if (mb->y_mode == XC_B_PRED) {
            xc_predict_block(recon, mb, row, column, i);
        }
        int tokens = mb->tokens[i];
        if (tokens) {
            uint8_t *block = dst + (i >> 2) * 4 * stride + (i & 3) * 4;
            add_block(recon->dsp, block, stride, tokens, *levels, (int16_t)((*levels)[0] * q->y1[0]), q->y1[1]);
            levels++;
        }
    }
    return levels;
}

static const xc_block *add_chroma_plane(const struct xc_recon *recon, const struct xc_macroblock *mb,
                                        const xc_block *levels, int plane, int first, unsigned row, unsigned column)
{
    const struct xc_quantizer *q = &recon->quantizer[mb->segment];
    const ptrdiff_t stride = recon->picture->plane[plane].stride;
    uint8_t *dst = xc_recon_at(recon, plane, row, column);
    for (int i = 0; i < 4; i++) {
        int tokens = mb->tokens[first + i];
        if (tokens) {
            uint8_t *block = dst + (i >> 1) * 4 * stride + (i & 1) * 4;
            add_block(recon->dsp, block, stride, tokens, *levels, (int16_t)((*levels)[0] * q->uv[0]), q->uv[1]);
            levels++;
        }
    }
    return levels;
}

void xc_add_chroma_residue(const struct xc_recon *recon, const struct xc_macroblock *mb, const xc_block *levels,
                           unsigned row, unsigned column)
{
    levels = add_chroma_plane(recon, mb, levels, XC_PLANE_U, XC_BLOCK_U, row, column);
    add_chroma_plane(recon, mb, levels, XC_PLANE_V, XC_BLOCK_V, row, column);
}

void xc_add_residue(const struct xc_recon *recon, const struct xc_macroblock *mb, const xc_block *levels, unsigned row,
                    unsigned column)
{
    if (mb->skip && mb->y_mode != XC_B_PRED) {
        return;
    }
    const ptrdiff_t stride = recon->picture->plane[XC_PLANE_Y].stride;
    uint8_t *y = xc_recon_at(recon, XC_PLANE_Y, row, column);
    if (mb->y_mode == XC_B_PRED || mb->y_mode == XC_SPLITMV) {
        levels = add_luma(recon, mb, levels, y, stride, row, column);
    } else {
        levels = add_luma_with_y2(recon, mb, levels, y, stride);
    }
    xc_add_chroma_residue(recon, mb, levels, row, column);
}
