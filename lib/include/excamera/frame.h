/* SPDX-License-Identifier: BSD-2-Clause */
/* A VP8 frame as a parsed value, apart from its bits: header, one entry per macroblock, and the quantized
 * coefficients. Parsing needs only what the bits leave out: the size, the probabilities and the segment map, all
 * found in the state. */
#ifndef EXCAMERA_FRAME_H
#define EXCAMERA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "excamera/error.h"
#include "excamera/modes.h"
#include "excamera/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xc_mv {
    int16_t row, column; /* in quarter samples of luma */
};

/* Where a macroblock's blocks stand in coding order: 16 Y, 4 U, 4 V, and Y2, which B_PRED and SPLITMV do without. */
enum { XC_BLOCK_U = 16, XC_BLOCK_V = 20, XC_BLOCK_Y2 = 24, XC_BLOCKS = 25 };

struct xc_macroblock {
    uint8_t y_mode;
    uint8_t uv_mode;   /* intra macroblocks: XC_DC_PRED to XC_TM_PRED */
    uint8_t reference; /* enum xc_ref_frame */
    uint8_t segment;
    bool skip;            /* coded as having no coefficients at all */
    uint8_t partitioning; /* XC_SPLITMV */
    uint8_t b_mode[16];   /* XC_B_PRED: enum xc_b_mode; XC_SPLITMV: enum xc_split_mode, equal within a partition */
    struct xc_mv
        mv; /* inter macroblocks: the vector; XC_SPLITMV: that of block 15, as neighbours see it; intra: zero */
    struct xc_mv split[16];    /* XC_SPLITMV: one vector per 4x4 block */
    uint8_t tokens[XC_BLOCKS]; /* per block: one past the last coded coefficient in zigzag order, 0 if none is coded */
    uint32_t coefficients;     /* index into xc_frame.coefficients of the first block with tokens, in units of blocks */
};

/* Sixteen quantized coefficients (levels) in raster order, not in zigzag. */
typedef int16_t xc_block[16];

struct xc_frame_header {
    bool key_frame, show;
    uint8_t version; /* profile, 0 to 3 (4 to 7 are read as libvpx reads them: like 0) */

    /* key frames only */
    uint16_t width, height;
    uint8_t horizontal_scale, vertical_scale, color_space, clamping_type;

    bool segmentation, update_segment_map, update_segment_data;
    struct xc_segment_data segment_data;       /* if update_segment_data */
    uint8_t quantizer_sent, filter_level_sent; /* bit i: the value of segment i is written out; others are zero */
    uint8_t segment_tree[3];                   /* if update_segment_map; 255 is the value of one that is not sent */

    bool simple_filter;
    uint8_t filter_level, sharpness;
    bool filter_deltas_enabled, update_filter_deltas;
    uint8_t reference_delta_sent, mode_delta_sent; /* bit i: filter_deltas.reference[i], .mode[i] is written out */
    struct xc_filter_deltas filter_deltas;         /* those that are sent */

    uint8_t log2_token_partitions;

    uint8_t quantizer;                                                      /* index of Y AC, 0 to 127 */
    int8_t y1_dc_delta, y2_dc_delta, y2_ac_delta, uv_dc_delta, uv_ac_delta; /* -15 to 15 */

    /* interframes only; a key frame refreshes everything */
    bool refresh_golden, refresh_altref, refresh_last;
    uint8_t copy_to_golden; /* 0 none, 1 last, 2 alt-ref */
    uint8_t copy_to_altref; /* 0 none, 1 last, 2 golden */
    bool sign_bias_golden, sign_bias_altref;

    bool refresh_probabilities; /* false: this frame's probabilities are forgotten after it */

    /* In force for this frame, and which of them it writes out (bit: node or index). */
    struct xc_probabilities probabilities;
    uint16_t coefficient_sent[XC_BLOCK_TYPES][XC_BANDS][XC_CONTEXTS];
    uint32_t mv_sent[2];
    bool y_modes_sent, uv_modes_sent;

    bool skip_enabled; /* macroblocks have a skip flag */
    uint8_t skip_probability, intra_probability, last_probability, golden_probability;
};

struct xc_frame {
    uint16_t mb_cols, mb_rows; /* in macroblocks; 0 where the frame is empty */
    struct xc_frame_header header;
    struct xc_macroblock *macroblocks; /* mb_rows x mb_cols */
    xc_block *coefficients;            /* only blocks with tokens have an entry, in coding order (Y2 first) */
    size_t coefficient_count, coefficient_capacity, macroblock_capacity;
    /* private to the library */
    struct xc_frame_reader *reader; /* owned */
    bool opened;                    /* xc_frame_complete is still to come */
};

#define XC_FRAME_INIT XC_ZEROS
void xc_frame_clear(struct xc_frame *frame);

/* Whether these bytes begin a key frame, and whether they are shown; false for anything too short to tell. */
bool xc_data_is_key_frame(const uint8_t *data, size_t size);
bool xc_data_is_shown(const uint8_t *data, size_t size);

/* Parses one frame, to be decoded in this state, into *frame, whose memory is reused. After a failure, here and in the
 * two functions below, *frame is empty, and whatever takes a frame refuses it. */
enum xc_status xc_frame_parse(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                              struct xc_error *err);

/* The same in two steps: header and modes, then the coefficients, for which data must still be there. Before the
 * second, which does nothing if there is nothing left to do, the frame is good for xc_rebase and xc_state_follow_header
 * only. When memory has run out in the second, the frame is still open, and the call may be made again. */
enum xc_status xc_frame_open(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                             struct xc_error *err);
enum xc_status xc_frame_complete(struct xc_frame *frame, struct xc_error *err);

/* A growing run of bytes. */
struct xc_bytes {
    uint8_t *data; /* owned */
    size_t size, capacity;
};
#define XC_BYTES_INIT XC_ZEROS
void xc_bytes_clear(struct xc_bytes *bytes);

/* Writes a complete frame as it stands, the inverse of parsing: *bytes is replaced by a VP8 frame that parses, in this
 * state, to an equal frame. What the header says to send is sent; header.probabilities must be the state's where
 * nothing is sent. XC_ERR_ARGUMENT if no VP8 frame is equal, since a macroblock contradicts the header or itself: skip
 * with tokens, say, or a vector that is not its mode's. */
enum xc_status xc_frame_serialize(struct xc_bytes *bytes, const struct xc_frame *frame, const struct xc_state *state,
                                  struct xc_error *err);

/* Decides anew, by what each costs and saves, which probabilities a complete frame sends, given those in the state, and
 * the skip flag and reference probabilities. The pictures stay as they are. XC_ERR_ARGUMENT as above; then only skip
 * flags may have changed. */
enum xc_status xc_frame_optimize(struct xc_frame *frame, const struct xc_state *state, struct xc_error *err);

/* Moves a state along with a frame as far as parsing the next one needs it: everything but the pictures, which stay and
 * so are not the state's any more, or are missing. Such a state is good for parsing, serializing and optimizing frames,
 * as xc_rebase's origin, for this function, and to be copied and cleared; not for decoding, and not to be compared,
 * hashed (xc_state_id included) or written. On failure the state is as it was. */
enum xc_status xc_state_follow_header(struct xc_state *state, const struct xc_frame *frame, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
