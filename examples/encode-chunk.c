/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodes a film as one chunk that goes on from a saved state, each picture with an SSIM of 0.95 or more, and saves the
 * state after it. */
#include "example.h"

int main(int argc, char **argv)
{
    must_have(argc, 4, "encode-chunk IN.state FILM.y4m OUT.ivf OUT.state");
    FILE *saved = must_open(argv[1], "rb"), *in = must_open(argv[2], "rb");
    FILE *out = must_open(argv[3], "wb"), *after = must_open(argv[4], "wb");
    struct xc_workspace *workspace;
    struct xc_state state;
    struct xc_picture_source film;
    struct xc_chunk_job job = { NULL, NULL, NULL, NULL, NULL, 0 };
    struct xc_chunk chunk;
    struct xc_primary_options options = xc_primary_defaults;
    options.ssim = 0.95;
    must(xc_workspace_new(&workspace, 2, XC_CPU_ALL, &err));
    must(xc_state_read(&state, NULL, saved, &err));
    must(xc_source_open_y4m(&film, in, NULL, &err));
    job.workspace = workspace;
    job.source = &film;
    job.state = &state;
    must(xc_chunk_encode_primary(&chunk, &job, &options, &err));
    must(xc_chunk_write(&chunk, out, &err));
    must(xc_state_write(&state, after, &err));
    xc_chunk_clear(&chunk);
    xc_source_close(&film);
    xc_state_clear(&state);
    xc_workspace_free(workspace);
    must_close(saved);
    must_close(in);
    must_close(out);
    must_close(after);
}
