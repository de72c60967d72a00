/* The table of kernels, filled from the plainest to the fastest: later versions replace earlier ones. */
#include "dsp/dsp.h"
#include "dsp/kernels.h"
#include "excamera/decode.h"

void xc_dsp_fill(struct xc_dsp *dsp, unsigned cpu_features)
{
    (void)cpu_features;
    xc_dsp_mc_c(dsp);
    xc_dsp_intra_c(dsp);
    xc_dsp_transform_c(dsp);
    xc_dsp_loopfilter_c(dsp);
    xc_dsp_pixel_c(dsp);
}
