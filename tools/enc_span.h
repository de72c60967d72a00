/* A span: a run of pictures that are predicted from both sides. The last of them, the anchor, is encoded first, as a
 * hidden alt-ref; then the pictures before it, its followers; in the end a frame of a few bytes shows the anchor. Both
 * structures make their chunks of spans (docs/architecture.md). */
#ifndef XC_TOOLS_ENC_SPAN_H
#define XC_TOOLS_ENC_SPAN_H

#include "chunk.h"
#include "analysis/temporal_filter.h"

struct span {
    struct xc_picture *pictures[XC_TOOL_SPAN]; /* owned */
    unsigned count;
};

void span_add(struct span *span, struct xc_picture *picture); /* takes it over */
void span_clear(struct span *span);
/* The average of a picture with its neighbours in the span: those behind it, or, step being -1, before it; and the
 * noise that this has left (excamera/temporal_filter.h). */
struct xc_picture *span_average(const struct span *span, unsigned at, int step, double *noise,
                                struct xc_workspace *workspace);
/* The same noise, without the average. */
double span_noise(const struct span *span, unsigned at, int step, struct xc_workspace *workspace);
static inline bool span_is_full(const struct span *span)
{
    return span->count == XC_TOOL_SPAN;
}

/* A quantizer for what others are to be predicted from: no finer than the noise in it, which nobody else has, but finer
 * than most. */
unsigned quantizer_above_noise(unsigned quantizer, unsigned most, double noise);
/* How an anchor is encoded: hidden, unless no follower comes before it. */
struct xc_encode_params anchor_params(unsigned quantizer, bool alone);
/* How followers are encoded: only last changes behind them. */
struct xc_encode_params follower_params(unsigned quantizer);

/* Shows the anchor, which is alt-ref. params: as xc_encode_repeat takes them. */
void show_anchor(struct xc_encoder *encoder, struct xc_tool_chunk *chunk, const struct xc_encode_params *params,
                 const char *name);

#endif
