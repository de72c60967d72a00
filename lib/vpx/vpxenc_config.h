/* SPDX-License-Identifier: BSD-2-Clause */
/* From the public settings of excamera/vpxenc.h to libvpx's. */
#ifndef XC_VPX_VPXENC_CONFIG_H
#define XC_VPX_VPXENC_CONFIG_H

#include <vpx/vpx_encoder.h>

#include "excamera/vpxenc.h"

/* A call of vpx_codec_control. */
struct xc_vpxenc_control {
    int id, value;
};

struct xc_vpxenc_config {
    vpx_codec_enc_cfg_t config; /* but for the pass and its statistics */
    struct xc_vpxenc_control controls[XC_VPXENC_OPTIONS];
    int control_count;
};

/* XC_ERR_ARGUMENT: a value is out of its range. */
enum xc_status xc_vpxenc_configure(struct xc_vpxenc_config *out, const struct xc_vpxenc_settings *settings,
                                   const struct xc_vpxenc_film *film, struct xc_error *err);

#endif
