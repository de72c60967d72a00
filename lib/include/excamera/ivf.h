/* SPDX-License-Identifier: BSD-2-Clause */
/* IVF, the simplest container of VP8 frames: a 32-byte header, then each frame after 12 bytes of length and timestamp.
 * ExCamera keeps in the header's last four bytes, which the format leaves unused, a hash of the state that a decoder
 * must be in before the first frame, and counts a file's frames as players do (docs/ivf.md). Format: libvpx,
 * ivfenc.c. */
#ifndef EXCAMERA_IVF_H
#define EXCAMERA_IVF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "excamera/error.h"
#include "excamera/state.h"

#ifdef __cplusplus
extern "C" {
#endif

#define XC_IVF_HEADER_SIZE 32
#define XC_IVF_FRAME_HEADER_SIZE 12

struct xc_ivf_header {
    uint16_t width, height;      /* display size in luma samples; informative, a key frame has the last word */
    uint32_t rate_num, rate_den; /* frames per second = rate_num / rate_den */
    uint32_t frame_count;        /* frames in the file, hidden ones included */
    uint32_t expected_state;     /* xc_state_id of the state before frame 0; 0: the file starts with a key frame */
    uint32_t duration;           /* xc_ivf_duration of the frames; 0: not known */
};

/* The header of a file whose first frame follows this state: it has the state's size and names it. Before the first key
 * frame the state has no size, and the caller sets it. duration is not known: a file with hidden frames needs it. */
struct xc_ivf_header xc_ivf_header_after(const struct xc_state *state, uint32_t rate_num, uint32_t rate_den,
                                         uint32_t frame_count);

/* A whole IVF file in memory: chunks are small. */
struct xc_ivf {
    struct xc_ivf_frame {
        uint64_t timestamp;  /* in units of rate_den / rate_num seconds */
        const uint8_t *data; /* owned by the xc_ivf */
        uint32_t size;
    } *frames;                   /* owned; frame_count of them */
    struct xc_ivf_header header; /* frame_count and duration are those of the frames found */
    uint8_t *bytes;              /* private: what the frames point into */
};
#define XC_IVF_INIT XC_ZEROS

/* The time from the first frame to the end of the last one, in frames, that is, in units of the timestamps; 0 if 32
 * bits cannot say it. A frame that is shown takes one unit, and so does a lost one, of no bytes. A hidden one takes
 * none: its timestamp is that of the next frame that is shown. If the first frame is hidden, time begins at 0. */
uint32_t xc_ivf_duration(const struct xc_ivf_frame *first, const struct xc_ivf_frame *last);

/* Reads stream to its end. Refused: a version but 0, a header of less than 32 bytes, a codec but VP80, a frame rate
 * with a 0 in it, a truncated frame, trailing bytes, and frames that are not as many or do not last as long as the
 * header states, unless that is what other writers leave there (docs/ivf.md). Where frame 0 is a key frame,
 * expected_state is 0, whatever the file says. */
enum xc_status xc_ivf_read(struct xc_ivf *ivf, FILE *stream, struct xc_error *err);

/* As xc_ivf_read, but a file that is cut short, or lacks frames that its header states, is taken as far as its frames
 * are whole. damage->text then says what is wrong with the file; it is empty if xc_ivf_read would have taken the file.
 */
enum xc_status xc_ivf_read_damaged(struct xc_ivf *ivf, struct xc_error *damage, FILE *stream, struct xc_error *err);
void xc_ivf_clear(struct xc_ivf *ivf);

/* Writing: the header first, then frames. Since a pipe cannot be rewound, header->frame_count and duration must be
 * right beforehand. The file states the duration, or the number of frames, as vpxenc does, if that is not known. A file
 * that expects a state, has hidden frames and states their number is refused when it is read: it could as well be one
 * that was cut. */
enum xc_status xc_ivf_write_header(FILE *stream, const struct xc_ivf_header *header, struct xc_error *err);
enum xc_status xc_ivf_write_frame(FILE *stream, uint64_t timestamp, const uint8_t *data, size_t size,
                                  struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
