/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodes the first three pictures of a film as interframes that predict from a saved state. */
#include "example.h"

int main(int argc, char **argv)
{
    must_have(argc, 3, "encode IN.state FILM.y4m OUT.ivf");
    FILE *saved = must_open(argv[1], "rb"), *in = must_open(argv[2], "rb"), *out = must_open(argv[3], "wb");
    struct xc_workspace *workspace;
    struct xc_encoder *encoder;
    struct xc_picture *picture;
    struct xc_state state;
    struct xc_y4m_header film;
    struct xc_bytes frame = XC_BYTES_INIT;
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = xc_quantizer_of_level(22);
    must(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err));
    must(xc_state_read(&state, NULL, saved, &err));
    must(xc_y4m_read_header(&film, in, &err));
    must(xc_picture_new(&picture, NULL, film.width, film.height, &err));

    const struct xc_encoder_options options = { film.width, film.height, 3, false };
    const struct xc_ivf_header header = xc_ivf_header_after(&state, film.rate_num, film.rate_den, 3);
    must(xc_encoder_new(&encoder, workspace, &options, &err));
    must(xc_encoder_set_state(encoder, &state, &err));
    must(xc_ivf_write_header(out, &header, &err));
    for (unsigned i = 0; i < 3; i++) {
        bool end;
        must(xc_y4m_read_frame(picture, &end, in, &err));
        must(end ? xc_fail(&err, XC_ERR_FORMAT, "the film has fewer than three pictures") : XC_OK);
        must(xc_encode(encoder, picture, &params, &frame, &err));
        must(xc_ivf_write_frame(out, i, frame.data, frame.size, &err));
    }
    xc_bytes_clear(&frame);
    xc_state_clear(&state);
    xc_picture_unref(picture);
    xc_encoder_free(encoder);
    xc_workspace_free(workspace);
    must_close(saved);
    must_close(in);
    must_close(out);
}
