/* Encoding given a state: a raw picture and a state give an interframe. Rebasing: an interframe's modes and vectors, another
 * state and the raw picture give a new interframe. Both reconstruct what they code with the decoder's own functions and move
 * the state on with it, so that encoder and decoder cannot drift apart. */
#ifndef EXCAMERA_ENCODE_H
#define EXCAMERA_ENCODE_H

#include "excamera/decode.h"

/* Makes an interframe refresh all three references with its own picture, so that the state behind it holds one picture. A key
 * frame does so anyway. */
void xc_frame_terminate(struct xc_frame *frame);

#endif
