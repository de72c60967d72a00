/* SPDX-License-Identifier: BSD-2-Clause */
/* How a macroblock is predicted, as RFC 6386 numbers it. */
#ifndef EXCAMERA_MODES_H
#define EXCAMERA_MODES_H

/* RFC 6386 sections 8 and 16. The order is that of the standard's enumerations. */
enum xc_y_mode {
    XC_DC_PRED,
    XC_V_PRED,
    XC_H_PRED,
    XC_TM_PRED,
    XC_B_PRED,
    XC_NEARESTMV,
    XC_NEARMV,
    XC_ZEROMV,
    XC_NEWMV,
    XC_SPLITMV
};
enum xc_b_mode {
    XC_B_DC_PRED,
    XC_B_TM_PRED,
    XC_B_VE_PRED,
    XC_B_HE_PRED,
    XC_B_LD_PRED,
    XC_B_RD_PRED,
    XC_B_VR_PRED,
    XC_B_VL_PRED,
    XC_B_HD_PRED,
    XC_B_HU_PRED,
    XC_B_MODES
};
enum xc_split_mode { XC_LEFT4X4, XC_ABOVE4X4, XC_ZERO4X4, XC_NEW4X4 };
enum xc_partitioning { XC_SPLIT_16X8, XC_SPLIT_8X16, XC_SPLIT_QUARTERS, XC_SPLIT_16 };

/* What a macroblock predicts from: the frame itself, or one of the state's references. */
enum xc_ref_frame { XC_REF_INTRA, XC_REF_LAST, XC_REF_GOLDEN, XC_REF_ALTREF, XC_REF_FRAMES };

#endif
