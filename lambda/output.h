/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that appears whole or not at all (tools/atomic-file.h), as a stream. Failures end the program. */
#ifndef XC_LAMBDA_OUTPUT_H
#define XC_LAMBDA_OUTPUT_H

#include <stdio.h>

#include "../tools/atomic-file.h"

struct output {
    FILE *stream;
    const char *name;
    struct xc_tool_atomic_file file;
};

void output_open(struct output *output, const char *name);
/* Closes the stream. The file still has its temporary name, output->file.temporary. */
void output_close(struct output *output);
/* Gives the file, which is closed, its name. */
void output_commit(struct output *output);

#endif
