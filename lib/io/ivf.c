/* SPDX-License-Identifier: BSD-2-Clause */
/* IVF in and out. No size that the file states is believed before the bytes are there. All numbers are little-endian.
 *
 *     offset  bytes                        offset  bytes
 *          0  4  "DKIF"                        16  4  rate, numerator
 *          4  2  version, 0                    20  4  rate, denominator
 *          6  2  length of this header         24  4  duration, or number of frames
 *          8  4  "VP80"                        28  4  expected state, or XC_NO_STATE_ID
 *         12  2  width                          0  4  (of each frame) number of bytes after this header
 *         14  2  height                         4  8  timestamp
 */
#include "excamera/ivf.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "base/stream_error.h"
#include "excamera/frame.h"

/* How much is read at first; after that, as much again as is there already. */
#define FIRST_READ (64 * 1024)

static const char shorter_than_header[] = "not an IVF file: shorter than its header";

/* *length becomes the length of the header in the file, of which the format defines only the first 32 bytes.
 * header->frame_count and expected_state become what stands in their places. */
static enum xc_status read_header(struct xc_ivf_header *header, unsigned *length, FILE *stream, struct xc_error *err)
{
    uint8_t bytes[XC_IVF_HEADER_SIZE];
    size_t got = fread(bytes, 1, sizeof bytes, stream);
    if (got >= 4 && memcmp(bytes, "DKIF", 4)) {
        return xc_fail(err, XC_ERR_FORMAT, memcmp(bytes, "YUV4", 4) ? "not an IVF file" : "is Y4M, not IVF");
    }
    if (got < sizeof bytes) {
        return xc_fail_read(stream, err, shorter_than_header);
    }
    unsigned version = (unsigned)xc_get_le(bytes + 4, 2);
    if (version != 0) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "IVF version %u, not 0", version);
    }
    *length = (unsigned)xc_get_le(bytes + 6, 2);
    if (*length < XC_IVF_HEADER_SIZE) {
        return xc_fail(err, XC_ERR_FORMAT, "IVF header of %u bytes, less than %d", *length, XC_IVF_HEADER_SIZE);
    }
    if (memcmp(bytes + 8, "VP80", 4)) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "not VP8: the IVF header names another codec");
    }

    header->width = (uint16_t)xc_get_le(bytes + 12, 2);
    header->height = (uint16_t)xc_get_le(bytes + 14, 2);
    header->rate_num = (uint32_t)xc_get_le(bytes + 16, 4);
    header->rate_den = (uint32_t)xc_get_le(bytes + 20, 4);
    header->frame_count = (uint32_t)xc_get_le(bytes + 24, 4);
    header->expected_state = (uint32_t)xc_get_le(bytes + 28, 4);
    if (header->rate_num == 0 || header->rate_den == 0) {
        return xc_fail(err, XC_ERR_FORMAT, "impossible frame rate %u/%u", (unsigned)header->rate_num,
                       (unsigned)header->rate_den);
    }
    return XC_OK;
}

/* Reads the stream to its end into *out, which the caller frees. */
static enum xc_status read_rest(uint8_t **out, size_t *size, FILE *stream, struct xc_error *err)
{
    uint8_t *bytes = NULL;
    size_t capacity = 0, used = 0;
    do {
        capacity = capacity ? capacity * 2 : FIRST_READ;
        uint8_t *larger = capacity > used ? realloc(bytes, capacity) : NULL;
        if (!larger) {
            free(bytes);
            return xc_fail(err, XC_ERR_MEMORY, "out of memory after %zu bytes", used);
        }
        bytes = larger;
        used += fread(bytes + used, 1, capacity - used, stream);
    } while (used == capacity);
    if (ferror(stream)) {
        enum xc_status status = xc_fail_io(err);
        free(bytes);
        return status;
    }
    *out = bytes;
    *size = used;
    return XC_OK;
}

/* Walks over the frames in bytes [position, size); notes them in frames, if that is not NULL. *count becomes the number
 * of whole frames, on failure, too: the file is cut in the frame after them. */
static enum xc_status walk_frames(const uint8_t *bytes, size_t position, size_t size, struct xc_ivf_frame *frames,
                                  uint32_t *count, struct xc_error *err)
{
    for (*count = 0; position < size; ++*count) {
        size_t left = size - position;
        if (*count == UINT32_MAX) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "too many frames");
        }
        if (left < XC_IVF_FRAME_HEADER_SIZE) {
            return xc_fail(err, XC_ERR_FORMAT, "truncated: %zu bytes after the last of %u frames", left,
                           (unsigned)*count);
        }
        const uint8_t *header = bytes + position;
        uint32_t length = (uint32_t)xc_get_le(header, 4);
        left -= XC_IVF_FRAME_HEADER_SIZE;
        if (length > left) {
            return xc_fail(err, XC_ERR_FORMAT, "truncated: only %zu of the %u bytes of frame %u", left,
                           (unsigned)length, (unsigned)*count);
        }
        if (frames) {
            frames[*count] = (struct xc_ivf_frame){
                .timestamp = xc_get_le(header + 4, 8),
                .data = header + XC_IVF_FRAME_HEADER_SIZE,
                .size = length,
            };
        }
        position += XC_IVF_FRAME_HEADER_SIZE + (size_t)length; /* 32 bits are not enough for the sum */
    }
    return XC_OK;
}

static bool takes_time(const struct xc_ivf_frame *frame)
{
    return frame->size == 0 || xc_data_is_shown(frame->data, frame->size);
}

uint32_t xc_ivf_duration(const struct xc_ivf_frame *first, const struct xc_ivf_frame *last)
{
    const uint64_t start = takes_time(first) ? first->timestamp : 0, span = last->timestamp - start;
    return last->timestamp < start || span >= UINT32_MAX ? 0 : (uint32_t)span + takes_time(last);
}

static bool begins_with_key_frame(const struct xc_ivf *ivf)
{
    return ivf->header.frame_count > 0 && xc_data_is_key_frame(ivf->frames[0].data, ivf->frames[0].size);
}

/* Whether the header states the duration, and nothing else: libvpx's number of frames is what a file of ours could
 * state after it has lost as many frames as it has hidden ones. */
static bool states_duration(const struct xc_ivf *ivf)
{
    const uint32_t named = ivf->header.expected_state;
    bool hidden = false;
    for (uint32_t i = 0; i < ivf->header.frame_count && !hidden; i++) {
        hidden = !takes_time(&ivf->frames[i]);
    }
    return hidden && ivf->header.duration && (named == XC_NO_STATE_ID || (named && !begins_with_key_frame(ivf)));
}

/* Whether the header states what FFmpeg leaves there (its libavformat/ivfenc.c), the film's duration: the last
 * timestamp, counted from the first, and the last frame's own duration, which versions of FFmpeg estimate
 * differently. */
static bool states_ffmpegs_duration(uint32_t stated, const struct xc_ivf *ivf)
{
    const uint32_t count = ivf->header.frame_count;
    if (count < 2) {
        return false;
    }
    const struct xc_ivf_frame *last = &ivf->frames[count - 1];
    const uint64_t span = last->timestamp - ivf->frames[0].timestamp, step = last->timestamp - last[-1].timestamp;
    return stated > span && stated - span <= step;
}

/* In a pipe, other writers cannot go back to the header: libvpx leaves 0 there, FFmpeg leaves all bits set. */
static enum xc_status check_count(uint32_t stated, const struct xc_ivf *ivf, struct xc_error *err)
{
    const bool ours = states_duration(ivf);
    const uint32_t found = ours ? ivf->header.duration : ivf->header.frame_count;
    if (found == stated || stated == 0 || stated == UINT32_MAX || (!ours && states_ffmpegs_duration(stated, ivf))) {
        return XC_OK;
    }
    return xc_fail(err, XC_ERR_FORMAT,
                   found < stated ? "truncated: has %u of the %u frames that its header states"
                                  : "has %u frames, but its header states %u",
                   (unsigned)found, (unsigned)stated);
}

/* Fills ivf->frames from ivf->bytes: counted first, so that what is allocated is in proportion to what was read. What
 * is wrong with the file goes to *damage; only a lack of memory is a failure. */
static enum xc_status index_frames(struct xc_ivf *ivf, size_t start, size_t size, uint32_t stated,
                                   struct xc_error *damage, struct xc_error *err)
{
    uint32_t *count = &ivf->header.frame_count;
    enum xc_status cut = walk_frames(ivf->bytes, start, size, NULL, count, damage);
    if (*count) {
        ivf->frames = calloc(*count, sizeof *ivf->frames);
        if (!ivf->frames) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for %u frames", (unsigned)*count);
        }
        walk_frames(ivf->bytes, start, size, ivf->frames, count, NULL);
        ivf->header.duration = xc_ivf_duration(&ivf->frames[0], &ivf->frames[*count - 1]);
    }
    if (!cut) {
        check_count(stated, ivf, damage);
    }
    return XC_OK;
}

enum xc_status xc_ivf_read_damaged(struct xc_ivf *ivf, struct xc_error *damage, FILE *stream, struct xc_error *err)
{
    *ivf = (struct xc_ivf)XC_IVF_INIT;
    damage->text[0] = '\0';
    unsigned header_length = 0;
    size_t size = 0;
    enum xc_status status = read_header(&ivf->header, &header_length, stream, err);
    if (!status) {
        status = read_rest(&ivf->bytes, &size, stream, err);
    }
    if (status) {
        xc_ivf_clear(ivf);
        return status;
    }

    size_t start = header_length - XC_IVF_HEADER_SIZE;
    status = start > size ? xc_fail_read(stream, err, shorter_than_header)
                          : index_frames(ivf, start, size, ivf->header.frame_count, damage, err);
    if (status) {
        xc_ivf_clear(ivf);
        return status;
    }
    /* Other writers leave anything in the unused bytes, even some of the conformance vectors do. */
    if (ivf->header.expected_state == XC_NO_STATE_ID || begins_with_key_frame(ivf)) {
        ivf->header.expected_state = 0;
    }
    return XC_OK;
}

enum xc_status xc_ivf_read(struct xc_ivf *ivf, FILE *stream, struct xc_error *err)
{
    struct xc_error damage;
    enum xc_status status = xc_ivf_read_damaged(ivf, &damage, stream, err);
    if (!status && damage.text[0]) {
        xc_ivf_clear(ivf);
        status = xc_fail(err, XC_ERR_FORMAT, "%s", damage.text);
    }
    return status;
}

void xc_ivf_clear(struct xc_ivf *ivf)
{
    free(ivf->frames);
    free(ivf->bytes);
    *ivf = (struct xc_ivf)XC_IVF_INIT;
}

struct xc_ivf_header xc_ivf_header_after(const struct xc_state *state, uint32_t rate_num, uint32_t rate_den,
                                         uint32_t frame_count)
{
    return (struct xc_ivf_header){
        .width = state->width,
        .height = state->height,
        .rate_num = rate_num,
        .rate_den = rate_den,
        .frame_count = frame_count,
        .expected_state = xc_state_id(state),
    };
}

static enum xc_status write_all(FILE *stream, const uint8_t *bytes, size_t size, struct xc_error *err)
{
    return size == 0 || fwrite(bytes, 1, size, stream) == size ? XC_OK : xc_fail_io(err);
}

enum xc_status xc_ivf_write_header(FILE *stream, const struct xc_ivf_header *header, struct xc_error *err)
{
    const uint32_t stated = header->duration ? header->duration : header->frame_count;
    const uint32_t no_state = stated == header->frame_count ? 0 : XC_NO_STATE_ID;
    uint8_t bytes[XC_IVF_HEADER_SIZE] = "DKIF";
    xc_put_le(bytes + 6, 2, XC_IVF_HEADER_SIZE);
    memcpy(bytes + 8, "VP80", 4);
    xc_put_le(bytes + 12, 2, header->width);
    xc_put_le(bytes + 14, 2, header->height);
    xc_put_le(bytes + 16, 4, header->rate_num);
    xc_put_le(bytes + 20, 4, header->rate_den);
    xc_put_le(bytes + 24, 4, stated);
    xc_put_le(bytes + 28, 4, header->expected_state ? header->expected_state : no_state);
    return write_all(stream, bytes, sizeof bytes, err);
}

enum xc_status xc_ivf_write_frame(FILE *stream, uint64_t timestamp, const uint8_t *data, size_t size,
                                  struct xc_error *err)
{
    if (size > UINT32_MAX) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a frame of %zu bytes does not fit into an IVF file", size);
    }
    uint8_t header[XC_IVF_FRAME_HEADER_SIZE];
    xc_put_le(header, 4, size);
    xc_put_le(header + 4, 8, timestamp);
    enum xc_status status = write_all(stream, header, sizeof header, err);
    return status ? status : write_all(stream, data, size, err);
}
