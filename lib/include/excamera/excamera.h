/* SPDX-License-Identifier: BSD-2-Clause */
/* All of libexcamera, and what holds for all of it.
 *
 * Objects. What the library allocates is made by a function named _new and given back by _free (pictures, which have
 * several owners: xc_picture_unref), to which NULL is fine. A struct that stands in the caller's memory (xc_state,
 * xc_frame, xc_bytes, xc_ivf) begins as its _INIT and is emptied by _clear, after which it is as its _INIT again and
 * may be used anew.
 *
 * Results. Every function that can fail returns an xc_status and takes an xc_error, which may be NULL. What functions
 * named _new or _read make is an out-parameter: what it held before is not looked at and not given back, and after a
 * failure it is NULL, or as its _INIT. Likewise a picture that a function hands out through a struct xc_picture ** is
 * NULL after a failure, and the bytes that it writes to a struct xc_bytes are none. All else that a function changes
 * must have been initialized, and is as it was after a failure, unless the function says otherwise. After XC_ERR_MEMORY
 * the same call may be made again.
 *
 * Threads. Any number of calls may run at once as long as none of them changes an object that another one uses. What a
 * function takes as const it only reads; whoever owns a reference to a picture may count it up and down in any thread;
 * pools are shared freely. A workspace counts as changed by every call that takes it, and so does the workspace of an
 * encoder by every call that takes the encoder.
 *
 * Lifetimes. Pictures, states, frames and bytes depend on nothing else, a frame between xc_frame_open and
 * xc_frame_complete apart, which needs its data. The frames of an xc_ivf point into it. An encoder needs its
 * workspace. */
#ifndef EXCAMERA_EXCAMERA_H
#define EXCAMERA_EXCAMERA_H

#include "excamera/bits.h"
#include "excamera/chunk.h"
#include "excamera/cpu.h"
#include "excamera/decode.h"
#include "excamera/difference.h"
#include "excamera/encode.h"
#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/ivf.h"
#include "excamera/modes.h"
#include "excamera/picture.h"
#include "excamera/quantizer.h"
#include "excamera/scene.h"
#include "excamera/source.h"
#include "excamera/ssim.h"
#include "excamera/state.h"
#include "excamera/version.h"
#include "excamera/vpxenc.h"
#include "excamera/workspace.h"
#include "excamera/y4m.h"

#endif
