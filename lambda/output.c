/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fail.h"

void output_open(struct output *output, const char *name)
{
    *output = (struct output){ .name = name };
    const int descriptor = xc_tool_atomic_open(&output->file, name);
    output->stream = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (!output->stream) {
        fail_about(name, "%s", strerror(errno));
    }
}

void output_close(struct output *output)
{
    const bool failed = ferror(output->stream);
    errno = EIO; /* for a failure before this one, whose errno is lost */
    if (fclose(output->stream) || failed) {
        fail_about(output->name, "%s", strerror(errno));
    }
}

void output_commit(struct output *output)
{
    struct xc_tool_atomic_file *const files[] = { &output->file };
    if (xc_tool_atomic_commit(files, 1) != 1) {
        fail_about(output->name, "%s", strerror(errno));
    }
}
