/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes a stream and saves the state after its last frame, from which another machine can go on. */
#include "example.h"

int main(int argc, char **argv)
{
    must_have(argc, 2, "save-state FILM.ivf OUT.state");
    FILE *in = must_open(argv[1], "rb"), *out = must_open(argv[2], "wb");
    struct xc_workspace *workspace;
    struct xc_state state = XC_STATE_INIT;
    struct xc_ivf ivf;
    must(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err));
    must(xc_ivf_read(&ivf, in, &err));
    for (uint32_t i = 0; i < ivf.header.frame_count; i++) {
        must(xc_decode(workspace, &state, ivf.frames[i].data, ivf.frames[i].size, NULL, &err));
    }
    must(xc_state_write(&state, out, &err));
    xc_state_clear(&state);
    xc_ivf_clear(&ivf);
    xc_workspace_free(workspace);
    must_close(in);
    must_close(out);
}
