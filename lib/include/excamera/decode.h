/* Decoding: (state, frame) -> (state', picture). */
#ifndef EXCAMERA_DECODE_H
#define EXCAMERA_DECODE_H

#include "excamera/crew.h"
#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/picture.h"
#include "excamera/state.h"

/* What the work needs besides its arguments: spare pictures, line buffers, threads. It remembers nothing that a result
 * could depend on; one workspace serves one thread of the caller's at a time. */
struct xc_workspace;

/* Instruction sets with kernels of their own. Results are the same with any of them. */
enum xc_cpu { XC_CPU_SSE2 = 1, XC_CPU_SSSE3 = 2, XC_CPU_AVX2 = 4, XC_CPU_NEON = 8 };
unsigned xc_cpu_features(void); /* those that this machine has */

/* threads: 1 or more, the caller's included; cpu_features: xc_cpu_features(), or fewer to measure and test. */
enum xc_status xc_workspace_new(struct xc_workspace **out, unsigned threads, unsigned cpu_features,
                                struct xc_error *err);
void xc_workspace_free(struct xc_workspace *workspace);
struct xc_picture_pool *xc_workspace_pool(struct xc_workspace *workspace);
struct xc_crew *xc_workspace_crew(struct xc_workspace *workspace); /* its threads, for work beside the library's */

/* Decodes a parsed frame. *state becomes the state behind it; *picture, if picture is not NULL, the picture decoded,
 * whether it is to be shown or not (frame->header.show); the caller owns one reference. On failure *state is as it was
 * and *picture is NULL. */
enum xc_status xc_decode_frame(struct xc_workspace *workspace, struct xc_state *state, const struct xc_frame *frame,
                               struct xc_picture **picture, struct xc_error *err);

/* Moves a state along with a frame as far as parsing the next one needs it: everything but the pictures, which stay and
 * so are not the state's any more, or are missing. Such a state is good for parsing, serializing and optimizing frames,
 * as xc_rebase's origin, for this function, and to be copied and cleared; not for decoding, and not to be compared,
 * hashed (xc_state_id included) or written. On failure the state is as it was. */
enum xc_status xc_state_follow_header(struct xc_state *state, const struct xc_frame *frame, struct xc_error *err);

/* xc_frame_parse and xc_decode_frame in one, and faster, since the coefficients live only row by row. *picture becomes
 * NULL, too, if there is nothing to show: a hidden frame, or no data at all (size 0, by which libvpx's users mark a
 * lost frame; the state stays as it is). */
enum xc_status xc_decode(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data, size_t size,
                         struct xc_picture **picture, struct xc_error *err);

#endif
