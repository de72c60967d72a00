/* SPDX-License-Identifier: BSD-2-Clause */
#include "recon/quantizer.h"

#include "bitstream/tables.h"

static int clamp_index(int index)
{
    return index < 0 ? 0 : index > 127 ? 127 : index;
}

static struct xc_quantizer quantizer_at(int index, const struct xc_frame_header *h)
{
    struct xc_quantizer q = {
        .index = (uint8_t)index,
        .y1 = { xc_dc_quantizer[clamp_index(index + h->y1_dc_delta)], (int16_t)xc_ac_quantizer[index] },
        .y2 = { (int16_t)(xc_dc_quantizer[clamp_index(index + h->y2_dc_delta)] * 2),
                (int16_t)(xc_ac_quantizer[clamp_index(index + h->y2_ac_delta)] * 155 / 100) },
        .uv = { xc_dc_quantizer[clamp_index(index + h->uv_dc_delta)],
                (int16_t)xc_ac_quantizer[clamp_index(index + h->uv_ac_delta)] },
    };
    if (q.y2[1] < 8) {
        q.y2[1] = 8;
    }
    if (q.uv[0] > 132) {
        q.uv[0] = 132;
    }
    return q;
}

void xc_quantizers_fill(struct xc_quantizer out[XC_SEGMENTS], const struct xc_frame_header *h,
                        const struct xc_segment_data *data)
{
    for (int i = 0; i < XC_SEGMENTS; i++) {
        int index = h->quantizer;
        if (h->segmentation) {
            index = clamp_index(data->quantizer[i] + (data->absolute ? 0 : index));
        }
        out[i] = quantizer_at(index, h);
    }
}
