/* What xc-vpxenc's command line asks for, and the encoder that does it. */
#ifndef XC_TOOLS_VPXENC_ENCODE_H
#define XC_TOOLS_VPXENC_ENCODE_H

#include <stdint.h>

#include <vpx/vpx_encoder.h>

enum { XC_VPXENC_MAX_CONTROLS = 64 };

struct xc_vpxenc_job {
    const char *input, *output;
    vpx_codec_enc_cfg_t config; /* all but the size, which the film decides */
    struct {
        int id, value; /* of vpx_codec_control */
    } controls[XC_VPXENC_MAX_CONTROLS];
    int control_count;
    int passes;               /* 1 or 2 */
    unsigned long deadline;   /* microseconds per frame, or VPX_DL_ */
    int64_t limit, skip;      /* frames of input to stop after, 0: none; and to leave out, counted by the limit, too */
    struct vpx_rational rate; /* frames per second; 0/0: the film's, with a timebase of one frame */
};

/* Ends the program if anything fails. */
void xc_vpxenc_run(struct xc_vpxenc_job *job);

#endif
