/* From levels to residue, added to the prediction; RFC 6386 section 14. */
#include "decode/canvas.h"

static void add_block(const struct xc_dsp *dsp, uint8_t *dst, ptrdiff_t stride, int tokens, const int16_t *levels,
                      int dc, int ac)
{
    if (tokens > 1) {
        dsp->idct_add(dst, stride, levels, dc, ac);
    } else if (dc) {
        dsp->idct_dc_add(dst, stride, dc);
    }
}

/* Luma whose DCs come by way of Y2; levels: behind the Y2 block. */
static const xc_block *add_luma_with_y2(const struct xc_canvas *canvas, const struct xc_macroblock *mb,
                                        const xc_block *levels, uint8_t *dst, ptrdiff_t stride)
{
    const struct xc_quantizer *q = &canvas->quantizer[mb->segment];
    int16_t dc[16] = { 0 };
    if (mb->tokens[XC_BLOCK_Y2]) {
        canvas->dsp->iwht(dc, *levels++, q->y2[0], q->y2[1]);
    }
    for (int i = 0; i < 16; i++) {
        int tokens = mb->tokens[i];
        add_block(canvas->dsp, dst + (i >> 2) * 4 * stride + (i & 3) * 4, stride, tokens, *levels, dc[i], q->y1[1]);
        levels += tokens != 0;
    }
    return levels;
}

static const xc_block *add_luma(const struct xc_canvas *canvas, const struct xc_macroblock *mb, const xc_block *levels,
                                uint8_t *dst, ptrdiff_t stride, unsigned row, unsigned column)
{
    const struct xc_quantizer *q = &canvas->quantizer[mb->segment];
    for (int i = 0; i < 16; i++) {
        if (mb->y_mode == XC_B_PRED) {
            xc_predict_block(canvas, mb, row, column, i);
        }
        int tokens = mb->tokens[i];
        if (tokens) {
            uint8_t *block = dst + (i >> 2) * 4 * stride + (i & 3) * 4;
            add_block(canvas->dsp, block, stride, tokens, *levels, (int16_t)((*levels)[0] * q->y1[0]), q->y1[1]);
            levels++;
        }
    }
    return levels;
}

static const xc_block *add_chroma_plane(const struct xc_canvas *canvas, const struct xc_macroblock *mb,
                                        const xc_block *levels, int plane, int first, unsigned row, unsigned column)
{
    const struct xc_quantizer *q = &canvas->quantizer[mb->segment];
    const ptrdiff_t stride = canvas->picture->plane[plane].stride;
    uint8_t *dst = xc_canvas_at(canvas, plane, row, column);
    for (int i = 0; i < 4; i++) {
        int tokens = mb->tokens[first + i];
        if (tokens) {
            uint8_t *block = dst + (i >> 1) * 4 * stride + (i & 1) * 4;
            add_block(canvas->dsp, block, stride, tokens, *levels, (int16_t)((*levels)[0] * q->uv[0]), q->uv[1]);
            levels++;
        }
    }
    return levels;
}

void xc_add_chroma_residue(const struct xc_canvas *canvas, const struct xc_macroblock *mb, const xc_block *levels,
                           unsigned row, unsigned column)
{
    levels = add_chroma_plane(canvas, mb, levels, XC_PLANE_U, XC_BLOCK_U, row, column);
    add_chroma_plane(canvas, mb, levels, XC_PLANE_V, XC_BLOCK_V, row, column);
}

void xc_add_residue(const struct xc_canvas *canvas, const struct xc_macroblock *mb, const xc_block *levels,
                    unsigned row, unsigned column)
{
    if (mb->skip && mb->y_mode != XC_B_PRED) {
        return;
    }
    const ptrdiff_t stride = canvas->picture->plane[XC_PLANE_Y].stride;
    uint8_t *y = xc_canvas_at(canvas, XC_PLANE_Y, row, column);
    if (mb->y_mode == XC_B_PRED || mb->y_mode == XC_SPLITMV) {
        levels = add_luma(canvas, mb, levels, y, stride, row, column);
    } else {
        levels = add_luma_with_y2(canvas, mb, levels, y, stride);
    }
    xc_add_chroma_residue(canvas, mb, levels, row, column);
}
