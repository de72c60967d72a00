/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/chunk.h"

#include <stdlib.h>

void xc_chunk_init(struct xc_chunk *chunk, const struct xc_state *state, uint32_t rate_num, uint32_t rate_den)
{
    *chunk = (struct xc_chunk){ .header = {
                                    .width = state->width,
                                    .height = state->height,
                                    .rate_num = rate_num,
                                    .rate_den = rate_den,
                                    .expected_state = xc_state_id(state),
                                } };
}

static enum xc_status grow(struct xc_chunk *chunk, struct xc_error *err)
{
    const size_t capacity = chunk->capacity ? 2 * (size_t)chunk->capacity : 16;
    struct xc_chunk_frame *frames = NULL;
    if (capacity <= UINT32_MAX) {
        frames = realloc(chunk->frames, capacity * sizeof *frames);
    }
    if (!frames) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for %zu frames", capacity);
    }
    chunk->frames = frames;
    chunk->capacity = (uint32_t)capacity;
    return XC_OK;
}

enum xc_status xc_chunk_append(struct xc_chunk *chunk, struct xc_bytes *bytes, uint64_t timestamp, struct xc_error *err)
{
    if (chunk->header.frame_count == chunk->capacity) {
        enum xc_status status = grow(chunk, err);
        if (status) {
            return status;
        }
    }
    chunk->frames[chunk->header.frame_count++] = (struct xc_chunk_frame){ .timestamp = timestamp, .bytes = *bytes };
    chunk->shown += xc_data_is_shown(bytes->data, bytes->size);
    *bytes = (struct xc_bytes)XC_BYTES_INIT;
    return XC_OK;
}

static struct xc_ivf_frame as_in_file(const struct xc_chunk_frame *frame)
{
    return (struct xc_ivf_frame){ frame->timestamp, frame->bytes.data, (uint32_t)frame->bytes.size };
}

enum xc_status xc_chunk_write(const struct xc_chunk *chunk, FILE *stream, struct xc_error *err)
{
    struct xc_ivf_header header = chunk->header;
    header.duration = 0;
    if (header.frame_count) {
        const struct xc_bytes *start = &chunk->frames[0].bytes;
        header.expected_state = xc_data_is_key_frame(start->data, start->size) ? 0 : header.expected_state;
        const struct xc_ivf_frame first = as_in_file(&chunk->frames[0]),
                                  last = as_in_file(&chunk->frames[header.frame_count - 1]);
        header.duration = xc_ivf_duration(&first, &last);
    }
    enum xc_status status = xc_ivf_write_header(stream, &header, err);
    for (uint32_t i = 0; !status && i < chunk->header.frame_count; i++) {
        const struct xc_chunk_frame *frame = &chunk->frames[i];
        status = xc_ivf_write_frame(stream, frame->timestamp, frame->bytes.data, frame->bytes.size, err);
    }
    return status;
}

void xc_chunk_clear(struct xc_chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->header.frame_count; i++) {
        xc_bytes_clear(&chunk->frames[i].bytes);
    }
    free(chunk->frames);
    *chunk = (struct xc_chunk){ 0 };
}
