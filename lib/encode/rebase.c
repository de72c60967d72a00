/* SPDX-License-Identifier: BSD-2-Clause */
/* Rebasing: the slow search for modes and vectors is not made again, but they compete with what is cheap in this state
 * (choice.h). What depends on the state's pictures, the residue, is made anew. */
#include <stdlib.h>
#include <string.h>

#include "bitstream/advance.h"
#include "bitstream/frame.h"
#include "bitstream/frame_memory.h"
#include "bitstream/frame_reader.h"
#include "bitstream/modes.h"
#include "bitstream/optimize.h"
#include "bitstream/header_rewrite.h"
#include "encode/choice.h"
#include "encode/masking.h"
#include "encode/repeat.h"
#include "excamera/encode.h"
#include "state/picture.h"

/* What a worker of the threads counts. */
struct tally {
    struct xc_branch_counts counts;
    bool uncodable;
};

/* A frame's rows as pieces of a job. */
struct rebase {
    xc_block *old_levels;           /* of the frame as it was predicted, as far as they are read */
    struct xc_frame_reader *reader; /* of those that are not, or NULL */
    struct xc_progress parsed;      /* in rows */
    struct xc_frame *frame;         /* as it becomes; the recon's frame */
    struct xc_recon recon;
    struct xc_picture *copy; /* of the picture that the frame is to look like, if that was not padded */
    struct xc_residue_coder coder;
    struct xc_choice choice;
    bool is_repeat; /* of alt-ref, and stays one, so that the hidden frame is known that it shows (chunk/hidden.h) */
    uint16_t *lambda_weight;                        /* by macroblock */
    struct xc_token_context *above, *above_counted; /* by column: of the row last coded there, last counted */
    struct xc_progress counted;                     /* in rows */
    struct tally *tally;                            /* by worker */
    xc_block *row_levels;                           /* by worker: of the row that it makes */
};

/* Where each block's old levels are, or NULL for a block that had none. levels: the macroblock's. */
static void find_old_levels(const int16_t *old[XC_BLOCKS], const xc_block *levels, const struct xc_macroblock *mb)
{
    old[XC_BLOCK_Y2] = mb->tokens[XC_BLOCK_Y2] ? *levels++ : NULL;
    for (int i = 0; i < XC_BLOCK_Y2; i++) {
        old[i] = mb->tokens[i] ? *levels++ : NULL;
    }
}

/* Each worker of the threads keeps the old levels of its row in a place of its own. */
static void read_old_levels(struct rebase *r, unsigned row, unsigned worker)
{
    xc_progress_wait(r->recon.threads, &r->parsed, row);
    xc_frame_reader_tokens(r->reader, r->frame, row, r->old_levels, worker * xc_frame_row_blocks(r->frame));
    xc_progress_reach(r->recon.threads, &r->parsed, row + 1);
}

/* Returns how many blocks of levels the row has. */
static size_t code_row(struct rebase *r, unsigned row, xc_block *levels)
{
    struct xc_coding_place place = { .row = row };
    const size_t columns = r->frame->mb_cols;
    size_t count = 0;
    for (unsigned column = 0; column < columns; column++) {
        struct xc_macroblock *mb = &r->frame->macroblocks[row * columns + column];
        struct xc_residue scratch[2];
        const int16_t *old[XC_BLOCKS];
        find_old_levels(old, (const xc_block *)r->old_levels + mb->coefficients, mb);
        xc_recon_prefetch(&r->recon, r->coder.source, row, column);
        xc_recon_await(&r->recon, row, column);
        place.column = column;
        place.above = r->above[column];
        const struct xc_residue *residue = scratch;
        if (r->is_repeat) {
            xc_decide_final_residue(scratch, &r->coder, mb, &place, old);
        } else {
            residue = xc_choose_prediction(scratch, &r->choice, &place, old);
        }
        r->above[column] = residue->above;
        place.left = residue->left;
        mb->coefficients = (uint32_t)count;
        count += xc_put_residue(residue, &r->coder, mb, row, column, levels + count);
    }
    return count;
}

/* Rows are appended in their order, so that no more memory is touched than the levels need. */
static void append_levels(struct xc_frame *frame, unsigned row, const xc_block *levels, size_t count)
{
    struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        mb->coefficients += (uint32_t)frame->coefficient_count;
    }
    memcpy(frame->coefficients + frame->coefficient_count, levels, count * sizeof *levels);
    frame->coefficient_count += count;
}

static void rebase_row(void *context, unsigned row, unsigned worker)
{
    struct rebase *r = context;
    struct xc_thread_pool *threads = r->recon.threads;
    struct tally *tally = &r->tally[worker];
    if (r->reader) {
        read_old_levels(r, row, worker);
    }
    xc_block *levels = r->row_levels + (size_t)worker * r->frame->mb_cols * XC_BLOCKS;
    const size_t count = code_row(r, row, levels);
    xc_progress_wait(threads, &r->counted, row);
    append_levels(r->frame, row, (const xc_block *)levels, count);
    tally->uncodable |= !xc_frame_count_row(&tally->counts, r->frame, row, r->above_counted);
    xc_progress_reach(threads, &r->counted, row + 1);
    xc_filter_row(&r->recon, row);
}

/* Gives the old frame's header and macroblocks to the new one. The coefficients stay where they are: of those the new
 * one has room for all there can be. */
static void take_over(struct xc_frame *to, struct xc_frame *from)
{
    struct xc_macroblock *macroblocks = to->macroblocks;
    const size_t capacity = to->macroblock_capacity;
    to->header = from->header;
    to->mb_cols = from->mb_cols;
    to->mb_rows = from->mb_rows;
    to->macroblocks = from->macroblocks;
    to->macroblock_capacity = from->macroblock_capacity;
    to->coefficient_count = 0;
    from->macroblocks = macroblocks;
    from->macroblock_capacity = capacity;
}

/* Adds all workers' counts to the first's; returns whether all modes can be coded. */
static bool sum_up(struct tally *tally, unsigned workers)
{
    const size_t count = sizeof tally->counts / sizeof(uint32_t);
    uint32_t *sum = &tally->counts.at[0][0];
    for (unsigned worker = 1; worker < workers; worker++) {
        const uint32_t *part = &tally[worker].counts.at[0][0];
        for (size_t i = 0; i < count; i++) {
            sum[i] += part[i];
        }
        tally->uncodable |= tally[worker].uncodable;
    }
    return !tally->uncodable;
}

static enum xc_status check(const struct xc_state *state, const struct xc_frame *frame, const struct xc_state *origin,
                            const struct xc_picture *source, struct xc_error *err)
{
    if (frame->mb_rows == 0 || frame->header.key_frame) {
        return xc_fail(err, XC_ERR_ARGUMENT, "only an interframe can be rebased");
    }
    if (origin->width != state->width || origin->height != state->height || source->width != state->width ||
        source->height != state->height) {
        return xc_fail(err, XC_ERR_MISMATCH, "a frame of %ux%u, a state of %ux%u, a picture of %ux%u", origin->width,
                       origin->height, state->width, state->height, source->width, source->height);
    }
    return xc_frame_check_size(frame, state, err);
}

static void end(struct rebase *r)
{
    free(r->above);
    free(r->tally);
    free(r->lambda_weight);
    free(r->row_levels);
    xc_picture_unref(r->copy);
    xc_recon_end(&r->recon);
}

/* Takes all the memory that rebasing needs, before anything is changed. On failure there is nothing to end. */
static enum xc_status begin(struct rebase *r, struct xc_workspace *workspace, struct xc_frame *frame,
                            const struct xc_picture *source, struct xc_error *err)
{
    const unsigned workers = xc_thread_pool_size(workspace->threads);
    const size_t blocks = (size_t)frame->mb_cols * frame->mb_rows * XC_BLOCKS;
    enum xc_status status;
    if ((status = xc_frame_reserve(r->frame, 0, blocks, err)) ||
        (frame->opened && (status = xc_frame_reserve(frame, 0, workers * xc_frame_row_blocks(frame), err))) ||
        (status = xc_recon_begin(&r->recon, workspace, source->width, source->height, err))) {
        return status;
    }
    r->above = calloc(2 * (size_t)frame->mb_cols, sizeof *r->above);
    r->tally = calloc(workers, sizeof *r->tally);
    r->lambda_weight = malloc((size_t)frame->mb_cols * frame->mb_rows * sizeof *r->lambda_weight);
    r->row_levels = malloc((size_t)workers * frame->mb_cols * XC_BLOCKS * sizeof *r->row_levels);
    status = r->above && r->tally && r->lambda_weight && r->row_levels
                 ? xc_picture_copy_unless_complete(&r->copy, source, workspace->pool, err)
                 : xc_fail(err, XC_ERR_MEMORY, "out of memory for contexts, symbol counts and levels");
    if (status) {
        end(r);
    } else {
        r->above_counted = r->above + frame->mb_cols;
    }
    return status;
}

static enum xc_status rebase_rows(struct rebase *r, const struct xc_state *state, struct xc_error *err)
{
    struct xc_job job = { .run = rebase_row, .context = r, .pieces = r->frame->mb_rows };
    xc_thread_pool_start(r->recon.threads, &job);
    xc_thread_pool_finish(r->recon.threads, &job);
    if (!sum_up(r->tally, xc_thread_pool_size(r->recon.threads))) {
        return xc_fail(err, XC_ERR_ARGUMENT, XC_MODES_UNCODABLE);
    }
    xc_frame_fit_probabilities(r->frame, state, &r->tally->counts);
    return XC_OK;
}

/* Ends the reading of the old frame, if there was any, and takes out of it what is left. */
static enum xc_status use_up(struct xc_frame *frame, struct xc_error *err)
{
    enum xc_status status = frame->opened ? xc_frame_reader_end(frame->reader, err) : XC_OK;
    frame->opened = false;
    xc_frame_make_empty(frame);
    return status;
}

enum xc_status xc_rebase(struct xc_workspace *workspace, struct xc_state *state, struct xc_frame *frame,
                         const struct xc_state *origin, const struct xc_picture *source, double lambda,
                         struct xc_frame *rebased, struct xc_error *err)
{
    struct rebase r = { .frame = rebased };
    enum xc_status status;
    xc_frame_make_empty(rebased);
    if ((status = check(state, frame, origin, source, err)) || (status = begin(&r, workspace, frame, source, err))) {
        return status;
    }
    r.old_levels = frame->coefficients;
    r.reader = frame->opened ? frame->reader : NULL;
    take_over(rebased, frame);
    xc_frame_make_explicit(rebased, origin);
    xc_frame_make_implicit(rebased, state);
    rebased->header.skip_enabled = true; /* and set wherever it can be, as xc_frame_optimize does */
    xc_recon_set_frame(&r.recon, rebased, state);
    xc_masking_weights(r.lambda_weight, r.recon.dsp, r.copy ? r.copy : source);
    /* The frame's own probabilities are nearer to those that it will send than the state's. */
    xc_residue_coder_fill(&r.coder, &r.recon, r.copy ? r.copy : source, &rebased->header.probabilities, lambda,
                          r.lambda_weight);
    xc_choice_fill(&r.choice, &r.coder, rebased);
    r.is_repeat = xc_frame_is_repeat(rebased, XC_ALTREF);
    status = rebase_rows(&r, state, err);
    const enum xc_status read = use_up(frame, status ? NULL : err);
    status = status ? status : read;
    if (!status && !(status = xc_state_follow_header(state, rebased, err))) {
        xc_state_follow_picture(state, &rebased->header, r.recon.picture);
    }
    if (status) {
        xc_frame_make_empty(rebased);
    }
    end(&r);
    return status;
}
