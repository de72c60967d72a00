/* SPDX-License-Identifier: BSD-2-Clause */
/* The scales on which quantizers are named. An index (0 to XC_MAX_QUANTIZER) is what a frame header carries; RFC 6386,
 * section 9.6. */
#ifndef EXCAMERA_QUANTIZER_H
#define EXCAMERA_QUANTIZER_H

#ifdef __cplusplus
extern "C" {
#endif

enum { XC_MAX_QUANTIZER = 127, XC_MAX_CQ_LEVEL = 63 };

/* The index that a level of libvpx's scale stands for (vpxenc's --cq-level and the like), 0 to XC_MAX_CQ_LEVEL; greater
 * levels count as XC_MAX_CQ_LEVEL. Source: q_trans in libvpx, vp8/encoder/onyx_if.c. */
unsigned xc_quantizer_of_level(unsigned level);
/* The level whose index is nearest to this one; the finer of two that are equally near. */
unsigned xc_level_of_quantizer(unsigned quantizer);

/* The offset from an index that is nearest to this one, among those that libvpx's interface has for segments: plus or
 * minus the index of a level. */
int xc_offset_of_libvpx(int offset);

/* The step for Y AC of an index. */
unsigned xc_step_of_quantizer(unsigned quantizer);
/* The finest index whose step for Y AC (RFC 6386, section 14.1) is at least this large; XC_MAX_QUANTIZER if none is. */
unsigned xc_quantizer_of_step(double step);

#ifdef __cplusplus
}
#endif

#endif
