/* SPDX-License-Identifier: BSD-2-Clause */
/* Outputs of the tools: buffered streams, and for regular files a temporary file until everything is written
 * (atomic-file.h). */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool-sums.h"

enum { BUFFER_SIZE = 256 * 1024 };

static void open_temporary(struct xc_tool_output *output)
{
    const int descriptor = xc_tool_atomic_open(&output->file, output->name);
    if (descriptor < 0) {
        xc_tool_fail(output->name, "%s", errno == EBUSY ? "named for two outputs" : strerror(errno));
    }
    output->stream = fdopen(descriptor, "wb");
}

static FILE *take_stdout(void)
{
    static bool taken;
    if (taken) {
        xc_tool_fail("-", "named for two outputs");
    }
    taken = true;
    return stdout;
}

void xc_tool_output_open(struct xc_tool_output *output, const char *name)
{
    *output = (struct xc_tool_output){ .name = name };
    xc_tool_atomic_catch_signals();
    struct stat existing = { 0 };
    const bool exists = strcmp(name, "-") && stat(name, &existing) == 0;
    if (exists && S_ISREG(existing.st_mode) && xc_tool_is_input(&existing)) {
        xc_tool_fail(name, "is an input, which would be lost; choose another name for the output");
    }
    if (!strcmp(name, "-")) {
        output->stream = take_stdout();
    } else if (exists && !S_ISREG(existing.st_mode)) { /* a device or a FIFO */
        output->stream = fopen(name, "wb");
    } else {
        open_temporary(output);
    }

    output->buffer = malloc(BUFFER_SIZE);
    if (!output->stream || !output->buffer || setvbuf(output->stream, output->buffer, _IOFBF, BUFFER_SIZE)) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
}

static void finish_writing(struct xc_tool_output *output)
{
    bool failed = ferror(output->stream);
    errno = EIO; /* for a failure before this one, whose errno is lost */
    if (output->file.temporary && !output->replaceable) {
        failed |= fflush(output->stream) || fsync(fileno(output->stream));
    }
    if (fclose(output->stream) || failed) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    output->stream = NULL;
    free(output->buffer);
}

void xc_tool_output_commit(struct xc_tool_output *outputs, int count)
{
    struct xc_tool_atomic_file *files[XC_TOOL_ATOMIC_MAX_FILES];
    for (int i = 0; i < count; i++) {
        finish_writing(&outputs[i]);
        if (outputs[i].file.temporary) {
            xc_tool_sums_note(outputs[i].file.temporary, outputs[i].file.target);
        }
        files[i] = &outputs[i].file;
    }
    const int done = xc_tool_atomic_commit(files, count);
    if (done < count) {
        xc_tool_fail(outputs[done].name, "%s", strerror(errno));
    }
}
