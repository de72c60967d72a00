/* The chunk that is being made: kept in memory, since its header tells how many frames there are. */
#ifndef XC_TOOLS_CHUNK_H
#define XC_TOOLS_CHUNK_H

#include "excamera/encode.h"
#include "source.h"

struct xc_tool_chunk {
    struct xc_ivf_header header;
    struct xc_tool_chunk_frame {
        uint64_t timestamp;
        struct xc_bytes bytes;
    } *frames;
    uint64_t shown; /* pictures that it shows so far */
};

/* Starts a chunk of the source's size and rate that expects this state, which has come from a file of this name. */
void xc_tool_chunk_start(struct xc_tool_chunk *chunk, const struct xc_tool_source *source, const struct xc_state *state,
                         const char *state_name);
/* Takes over the bytes of the next frame and leaves none. number: that of the picture which it shows or, hidden, stands
 * for (docs/ivf.md). */
void xc_tool_chunk_append(struct xc_tool_chunk *chunk, struct xc_bytes *bytes, uint64_t number);
/* Encodes a picture and appends the frame. name: of the file that the picture is from. */
void xc_tool_chunk_encode(struct xc_tool_chunk *chunk, struct xc_encoder *encoder, const struct xc_picture *picture,
                          uint64_t number, const struct xc_encode_params *params, const char *name);
/* A copy of the state that an encoder is in, to be moved past frames that it does not encode; and the encoder moved
 * there, which uses the copy up. */
struct xc_state xc_tool_encoder_state(const struct xc_encoder *encoder);
void xc_tool_encoder_move(struct xc_encoder *encoder, struct xc_state *state);
/* Appends a copy of another file's frame. */
void xc_tool_chunk_copy(struct xc_tool_chunk *chunk, const struct xc_tool_ivf *file, uint32_t frame);
/* Writes the chunk and, unless its name is NULL, the state behind it, and gives back the memory. */
void xc_tool_chunk_write(struct xc_tool_chunk *chunk, const char *name, const struct xc_state *state,
                         const char *state_name);

#endif
