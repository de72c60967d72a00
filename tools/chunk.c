#include "chunk.h"

#include <stdlib.h>
#include <string.h>

void xc_tool_chunk_start(struct xc_tool_chunk *chunk, const struct xc_tool_source *source, const struct xc_state *state,
                         const char *state_name)
{
    xc_tool_source_check_state(source, state, state_name);
    *chunk = (struct xc_tool_chunk){ .header = {
                                         .width = (uint16_t)source->width,
                                         .height = (uint16_t)source->height,
                                         .rate_num = source->rate_num,
                                         .rate_den = source->rate_den,
                                         .expected_state = xc_state_id(state),
                                     } };
}

void xc_tool_chunk_append(struct xc_tool_chunk *chunk, struct xc_bytes *bytes, uint64_t number)
{
    size_t count = chunk->header.frame_count;
    struct xc_tool_chunk_frame *frames = realloc(chunk->frames, (count + 1) * sizeof *frames);
    if (!frames) {
        xc_tool_fail(NULL, "out of memory for %zu frames", count + 1);
    }
    frames[count] = (struct xc_tool_chunk_frame){ .timestamp = number, .bytes = *bytes };
    chunk->shown += xc_data_is_shown(bytes->data, bytes->size);
    chunk->frames = frames;
    chunk->header.frame_count++;
    *bytes = XC_BYTES_INIT;
}

void xc_tool_chunk_encode(struct xc_tool_chunk *chunk, struct xc_encoder *encoder, const struct xc_picture *picture,
                          uint64_t number, const struct xc_encode_params *params, const char *name)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_encode(encoder, picture, params, &bytes, &err), name, &err);
    xc_tool_chunk_append(chunk, &bytes, number);
}

struct xc_state xc_tool_encoder_state(const struct xc_encoder *encoder)
{
    struct xc_state state = XC_STATE_INIT;
    struct xc_error err;
    xc_tool_check(xc_state_copy(&state, xc_encoder_state(encoder), &err), NULL, &err);
    return state;
}

void xc_tool_encoder_move(struct xc_encoder *encoder, struct xc_state *state)
{
    struct xc_error err;
    xc_tool_check(xc_encoder_set_state(encoder, state, &err), NULL, &err);
    xc_state_clear(state);
}

void xc_tool_chunk_copy(struct xc_tool_chunk *chunk, const struct xc_tool_ivf *file, uint32_t frame)
{
    const struct xc_ivf_frame *from = &file->ivf.frames[frame];
    struct xc_bytes bytes = { .data = malloc(from->size), .size = from->size, .capacity = from->size };
    if (!bytes.data) {
        xc_tool_fail(file->name, "out of memory for a frame of %u bytes", from->size);
    }
    memcpy(bytes.data, from->data, from->size);
    xc_tool_chunk_append(chunk, &bytes, from->timestamp);
}

void xc_tool_chunk_write(struct xc_tool_chunk *chunk, const char *name, const struct xc_state *state,
                         const char *state_name)
{
    struct xc_tool_output outputs[2];
    struct xc_error err;
    xc_tool_output_open(&outputs[0], name);
    xc_tool_check(xc_ivf_write_header(outputs[0].stream, &chunk->header, &err), name, &err);
    for (uint32_t i = 0; i < chunk->header.frame_count; i++) {
        struct xc_tool_chunk_frame *frame = &chunk->frames[i];
        xc_tool_check(
            xc_ivf_write_frame(outputs[0].stream, frame->timestamp, frame->bytes.data, frame->bytes.size, &err), name,
            &err);
        xc_bytes_clear(&frame->bytes);
    }
    free(chunk->frames);
    if (state_name) {
        xc_tool_output_open(&outputs[1], state_name);
        xc_tool_check(xc_state_write(state, outputs[1].stream, &err), state_name, &err);
    }
    xc_tool_output_commit(outputs, state_name ? 2 : 1);
}
