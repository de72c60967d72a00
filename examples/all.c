/* SPDX-License-Identifier: BSD-2-Clause */
/* All of it in one program, which leaves the cleaning up to the system: decodes a stream, saves the state after it,
 * goes on from what was saved, and encodes a still of three pictures like the last one. */
#include "example.h"

int main(int argc, char **argv)
{
    must_have(argc, 3, "all FILM.ivf OUT.state OUT.ivf");
    FILE *in = must_open(argv[1], "rb"), *saved = must_open(argv[2], "w+b"), *out = must_open(argv[3], "wb");
    struct xc_workspace *workspace;
    struct xc_encoder *encoder;
    struct xc_state state = XC_STATE_INIT, again;
    struct xc_ivf ivf;
    struct xc_bytes frame = XC_BYTES_INIT;
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = xc_quantizer_of_level(22);
    must(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err));
    must(xc_ivf_read(&ivf, in, &err));
    for (uint32_t i = 0; i < ivf.header.frame_count; i++) {
        must(xc_decode(workspace, &state, ivf.frames[i].data, ivf.frames[i].size, NULL, &err));
    }
    must(xc_state_write(&state, saved, &err));
    rewind(saved);
    must(xc_state_read(&again, NULL, saved, &err));
    const struct xc_encoder_options options = { again.width, again.height, 3, false };
    const struct xc_ivf_header header = xc_ivf_header_after(&again, ivf.header.rate_num, ivf.header.rate_den, 3);
    must(xc_encoder_new(&encoder, workspace, &options, &err));
    must(xc_encoder_set_state(encoder, &again, &err));
    must(xc_ivf_write_header(out, &header, &err));
    for (unsigned i = 0; i < 3; i++) {
        must(xc_encode(encoder, again.reference[XC_LAST], &params, &frame, &err));
        must(xc_ivf_write_frame(out, i, frame.data, frame.size, &err));
    }
}
