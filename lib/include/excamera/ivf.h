/* IVF, the simplest container of VP8 frames: a 32-byte header, then each frame behind 12 bytes of length and timestamp.
 * ExCamera keeps in the header's last four bytes, which the format leaves unused, a hash of the state that a decoder
 * must be in before the first frame (docs/ivf.md). Format: libvpx, ivfenc.c. */
#ifndef EXCAMERA_IVF_H
#define EXCAMERA_IVF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "excamera/error.h"

#define XC_IVF_HEADER_SIZE 32
#define XC_IVF_FRAME_HEADER_SIZE 12

struct xc_ivf_header {
    uint16_t width, height;      /* display size in luma samples; informative, a key frame has the last word */
    uint32_t rate_num, rate_den; /* frames per second = rate_num / rate_den */
    uint32_t frame_count;        /* frames in the file, hidden ones included */
    uint32_t expected_state;     /* xc_state_id of the state before frame 0; 0: the file starts with a key frame */
};

/* A whole IVF file in memory: chunks are small. */
struct xc_ivf {
    struct xc_ivf_header header; /* frame_count is the number of frames found, whatever the file's header says */
    struct xc_ivf_frame {
        uint64_t timestamp;  /* in units of rate_den / rate_num seconds */
        const uint8_t *data; /* owned by the xc_ivf */
        uint32_t size;
    } *frames;
    uint8_t *bytes; /* private: what the frames point into */
};

/* Reads stream to its end. Refused: a version but 0, a header of less than 32 bytes, a codec but VP80, a frame rate
 * with a 0 in it, a truncated frame, trailing bytes. Where frame 0 is a key frame, expected_state is 0, whatever the
 * file says. After a failure there is nothing to free. */
enum xc_status xc_ivf_read(struct xc_ivf *ivf, FILE *stream, struct xc_error *err);
void xc_ivf_free(struct xc_ivf *ivf);

/* Writing: the header first, then frames. Since a pipe cannot be rewound, header->frame_count must be right
 * beforehand. */
enum xc_status xc_ivf_write_header(FILE *stream, const struct xc_ivf_header *header, struct xc_error *err);
enum xc_status xc_ivf_write_frame(FILE *stream, uint64_t timestamp, const uint8_t *data, size_t size,
                                  struct xc_error *err);

#endif
