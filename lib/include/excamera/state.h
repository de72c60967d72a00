/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a VP8 decoder, as a value: it can be copied, compared, hashed, written to a file and handed to another
 * machine. Decoding is a function (state, frame) -> (state', picture), and nothing else remembers anything between
 * frames. */
#ifndef EXCAMERA_STATE_H
#define EXCAMERA_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "excamera/error.h"
#include "excamera/modes.h"
#include "excamera/picture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The three reference pictures, in the order in which the state keeps them. */
enum xc_reference { XC_LAST, XC_GOLDEN, XC_ALTREF, XC_REFERENCES };

enum { XC_SEGMENTS = 4, XC_FILTER_LEVELS = 64 };

/* The extents of the probability tables; RFC 6386 sections 13.3, 13.4, 17.2. */
enum { XC_BLOCK_TYPES = 4, XC_BANDS = 8, XC_CONTEXTS = 3, XC_TOKEN_NODES = 11, XC_MV_PROBABILITIES = 19 };

/* Probabilities that a frame may change for all that follow it; RFC 6386 sections 13.4, 17.2, 16.1. Each is the chance,
 * in 1/256, that the bool it belongs to is 0. */
struct xc_probabilities {
    /* [block type][band][context of neighbours][tree node] */
    uint8_t coefficient[XC_BLOCK_TYPES][XC_BANDS][XC_CONTEXTS][XC_TOKEN_NODES];
    uint8_t mv[2][XC_MV_PROBABILITIES]; /* [row, column][is_short, sign, short tree 7, long bits 10, from 9 on] */
    uint8_t y_mode[4];
    uint8_t uv_mode[3];
};

/* What each segment does to the quantizer index and the loop filter level; RFC 6386 section 9.3. */
struct xc_segment_data {
    uint8_t absolute; /* 1: the values replace the frame's, 0: they are added to them */
    int8_t quantizer[XC_SEGMENTS];
    int8_t filter_level[XC_SEGMENTS];
};

/* Loop filter level adjustments per reference and per mode; RFC 6386 section 9.4. */
struct xc_filter_deltas {
    int8_t reference[XC_REF_FRAMES]; /* by enum xc_ref_frame */
    int8_t mode[4];                  /* B_PRED, ZEROMV, other whole-macroblock vectors, SPLITMV */
};

struct xc_state {
    uint16_t width, height; /* display size; 0 before the first key frame, and then all else is zero, too */
    uint8_t horizontal_scale, vertical_scale;    /* two bits each, a hint to the player */
    uint8_t color_space, clamping_type;          /* one bit each, from the last key frame */
    struct xc_picture *reference[XC_REFERENCES]; /* each owned; several may be one picture */
    struct xc_probabilities probabilities;
    struct xc_segment_data segment_data;
    struct xc_filter_deltas filter_deltas;
    uint8_t *segment_map; /* owned; segment of each macroblock, row by row */
};

/* The state before the first key frame. It owns nothing. */
#define XC_STATE_INIT XC_ZEROS

void xc_state_clear(struct xc_state *state); /* gives back what it owns and leaves XC_STATE_INIT */
/* Makes *to, whose old value is cleared, equal to *from; the pictures are shared. */
enum xc_status xc_state_copy(struct xc_state *to, const struct xc_state *from, struct xc_error *err);
bool xc_state_equal(const struct xc_state *a, const struct xc_state *b);

/* A hash of everything in the state that can influence a later frame, the coded samples of all references included. The
 * same on every machine. */
uint64_t xc_state_hash(const struct xc_state *state);

/* The 32 bits of it that an IVF header carries as its expected state: never XC_NO_STATE_ID, which such a header has in
 * that place for a purpose of its own (docs/ivf.md), and never 0, but for the state before the first key frame. */
#define XC_NO_STATE_ID 0x41525544u /* the letters DURA, in the order of the file */
uint32_t xc_state_id(const struct xc_state *state);
/* Whether a file that expects this id may follow this state: true for the state's own id, and for 0. */
bool xc_state_satisfies(const struct xc_state *state, uint32_t expected_id);

/* The state file; docs/state-file.md has it byte by byte. Equal states have equal files; compressed ones only if the
 * same zlib writes them. XC_ERR_ARGUMENT: the state before the first key frame has no file. Reading takes both kinds.
 * It goes to the stream's end, and checks every field before it allocates, and the checksum; it never takes more memory
 * than the state's size needs, and 50 kB. *state is an out-parameter: clear what it holds before. pool is where the
 * pictures' memory comes from, and may be NULL. */
enum xc_status xc_state_write(const struct xc_state *state, FILE *stream, struct xc_error *err);
/* The same with zlib, level 1: about 40 % of the size, at about 60 MB/s. */
enum xc_status xc_state_write_compressed(const struct xc_state *state, FILE *stream, struct xc_error *err);
enum xc_status xc_state_read(struct xc_state *state, struct xc_picture_pool *pool, FILE *stream, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
