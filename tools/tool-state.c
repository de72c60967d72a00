/* SPDX-License-Identifier: BSD-2-Clause */
/* States as files of the tools. */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

void xc_tool_state_read(struct xc_state *state, struct xc_picture_pool *pool, const char *name)
{
    *state = (struct xc_state)XC_STATE_INIT;
    if (!name) {
        return;
    }
    struct xc_tool_input input;
    struct xc_error err;
    xc_tool_input_open(&input, name);
    xc_tool_check(xc_state_read(state, pool, input.stream, &err), name, &err);
    xc_tool_input_close(&input);
}

/* What XC_COMPRESS_STATES in the environment says: engines set it where states travel. */
static bool is_compression_wanted(void)
{
    static const char variable[] = "XC_COMPRESS_STATES";
    const char *value = getenv(variable);
    if (value && *value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
        xc_tool_fail(variable, "'%s' is neither 0 nor 1", value);
    }
    return value && !strcmp(value, "1");
}

void xc_tool_state_write(const struct xc_state *state, bool compress, FILE *stream, const char *name)
{
    struct xc_error err;
    xc_tool_check(compress || is_compression_wanted() ? xc_state_write_compressed(state, stream, &err)
                                                      : xc_state_write(state, stream, &err),
                  name, &err);
}
