/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes on from a saved state: decodes a stream that begins with an interframe, to raw pictures (I420). */
#include "example.h"

static void write_picture(const struct xc_picture *picture, FILE *out)
{
    size_t size = xc_picture_i420_size(picture);
    uint8_t *samples = (uint8_t *)malloc(size);
    must(samples ? XC_OK : xc_fail(&err, XC_ERR_MEMORY, "out of memory for a picture"));
    must(xc_picture_to_i420(picture, samples, size, &err));
    must(fwrite(samples, 1, size, out) == size ? XC_OK : xc_fail(&err, XC_ERR_IO, "cannot write"));
    free(samples);
}

int main(int argc, char **argv)
{
    must_have(argc, 3, "go-on IN.state NEXT.ivf OUT.yuv");
    FILE *saved = must_open(argv[1], "rb"), *in = must_open(argv[2], "rb"), *out = must_open(argv[3], "wb");
    struct xc_workspace *workspace;
    struct xc_picture *picture;
    struct xc_state state;
    struct xc_ivf ivf;
    must(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err));
    must(xc_state_read(&state, NULL, saved, &err));
    must(xc_ivf_read(&ivf, in, &err));
    if (!xc_state_satisfies(&state, ivf.header.expected_state)) {
        must(xc_fail(&err, XC_ERR_MISMATCH, "the stream goes on from another state"));
    }
    for (uint32_t i = 0; i < ivf.header.frame_count; i++) {
        must(xc_decode(workspace, &state, ivf.frames[i].data, ivf.frames[i].size, &picture, &err));
        if (picture) { /* one that is to be shown */
            write_picture(picture, out);
            xc_picture_unref(picture);
        }
    }
    xc_state_clear(&state);
    xc_ivf_clear(&ivf);
    xc_workspace_free(workspace);
    must_close(saved);
    must_close(in);
    must_close(out);
}
