/* SPDX-License-Identifier: BSD-2-Clause */
#include "y4m-film.h"

void xc_tool_y4m_film_begin(struct xc_tool_output *output, const struct xc_picture *picture,
                            const struct xc_ivf_header *ivf)
{
    struct xc_y4m_header header = { 0 };
    struct xc_error err;
    snprintf(header.line, sizeof header.line, "YUV4MPEG2 W%u H%u F%u:%u Ip A1:1 C420 XYSCSS=420", picture->width,
             picture->height, (unsigned)ivf->rate_num, (unsigned)ivf->rate_den);
    xc_tool_check(xc_y4m_write_header(output->stream, &header, &err), output->name, &err);
}
