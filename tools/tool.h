/* SPDX-License-Identifier: BSD-2-Clause */
/* What all tools share: command line, errors, files. A function declared here that fails prints "tool: file: what is
 * wrong" and ends the program, so that main() needs no error handling. Exit codes: 2 for a wrong command line, 1 for
 * everything else. However the program ends, it leaves no half-written output. */
#ifndef XC_TOOLS_TOOL_H
#define XC_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "atomic-file.h"
#include "excamera/decode.h"
#include "excamera/ivf.h"
#include "excamera/y4m.h"

/* ---- The command line: tool.c ---- */

struct xc_tool_option {
    char letter; /* 0: the option has only a long name */
    const char *name;
    const char *argument; /* its name in --help; NULL: the option takes no argument */
    const char *help;  /* --help adds the default: the variable's value beforehand, if that is allowed and not NULL */
    const char *group; /* a heading above this option in --help, for it and those after it; NULL: none */
    /* Where the value is stored; exactly one of these is set. */
    bool *flag;
    const char **text;
    int64_t *integer;
    double *real;
    double minimum, maximum; /* of a number; both are allowed */
};

struct xc_tool {
    const char *name;
    const char *synopsis;                 /* operands, as --help shows them; a line for each form of the command */
    const char *description;              /* for --help; paragraphs are apart by "\n\n" */
    const char *examples;                 /* commands, each on a line; NULL: none */
    const struct xc_tool_option *options; /* ended by one without a name; --help and --version are added */
    int minimum_operands, maximum_operands;
};

/* An option of the tools that decode or encode, for their xc_tool_workspace. */
#define XC_TOOL_THREADS_OPTION(variable)                                                                               \
    {                                                                                                                  \
        0, "threads", "N", "threads, 1 to 64; the result is the same with any number of them",                         \
            .integer = &(variable), .minimum = 1, .maximum = 64                                                        \
    }

/* Whether the program was started under this name, which is another one than the tool's: a link to it. */
bool xc_tool_called(const char *program, const char *name);

/* Stores the options' values and returns the operands, ended by NULL. Options and operands may be mixed. */
char **xc_tool_start(const struct xc_tool *tool, int argc, char **argv);

/* Whether an option that sets this variable was on the command line. */
bool xc_tool_given(const void *variable);
/* Whether the tool has an option of that long name. */
bool xc_tool_has_option(const char *name);

_Noreturn void xc_tool_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void xc_tool_fail(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fails with err's text unless status is XC_OK. file: what the message is about, or NULL. */
void xc_tool_check(enum xc_status status, const char *file, const struct xc_error *err);

/* ---- Outputs: tool-output.c ---- */

/* "-" is standard output. A regular file appears under its name when it is complete, not before. */
struct xc_tool_output {
    FILE *stream;
    const char *name;
    bool replaceable; /* to be set before the commit: it can be made again, so that it need not survive a power cut */
    /* private */
    struct xc_tool_atomic_file file; /* zeroed for standard output, devices and pipes */
    char *buffer;
};

void xc_tool_output_open(struct xc_tool_output *output, const char *name);
/* Closes the outputs, at most XC_TOOL_ATOMIC_MAX_FILES. When all of them are on the disk, notes
 * their checksums (tool-sums.h) and gives them their names. */
void xc_tool_output_commit(struct xc_tool_output *outputs, int count);

/* ---- Inputs: tool-input.c ---- */

/* "-" is standard input. */
struct xc_tool_input {
    FILE *stream;
    const char *name;
    char *buffer; /* private */
};

void xc_tool_input_open(struct xc_tool_input *input, const char *name);
/* Whether this file has been opened as an input. */
bool xc_tool_is_input(const struct stat *status);
void xc_tool_input_close(struct xc_tool_input *input);

struct xc_tool_y4m {
    struct xc_tool_input input;
    struct xc_y4m_header header;
    uint64_t frames; /* read so far */
};

void xc_tool_y4m_open(struct xc_tool_y4m *y4m, const char *name);
/* Reads the next frame into picture, which has the header's size; false: there is none. */
bool xc_tool_y4m_next(struct xc_tool_y4m *y4m, struct xc_picture *picture);

struct xc_tool_ivf {
    const char *name;
    struct xc_ivf ivf;
};

void xc_tool_ivf_read(struct xc_tool_ivf *file, const char *name);
/* Fails unless the file expects this state. For the message: before is the name of the file that gives the state, and
 * option is that which names this file, for a user who has left it out; NULL: there is no such option. */
void xc_tool_ivf_check_state(const struct xc_tool_ivf *file, const struct xc_state *state, const char *before,
                             const char *option);
/* Decodes one frame as xc_decode does. The caller owns the picture; NULL: the frame shows none. */
struct xc_picture *xc_tool_ivf_decode(const struct xc_tool_ivf *file, uint32_t frame, struct xc_state *state,
                                      struct xc_workspace *workspace);

/* ---- States: tool-state.c ---- */

/* name NULL: there is no file, and the state is the one before the first key frame. */
void xc_tool_state_read(struct xc_state *state, struct xc_picture_pool *pool, const char *name);
/* Writes a state, compressed if that is wanted here or, by XC_COMPRESS_STATES=1, in the environment. name: for
 * messages. */
void xc_tool_state_write(const struct xc_state *state, bool compress, FILE *stream, const char *name);

/* ---- The machine: tool-input.c ---- */

/* A workspace for this machine. For tests, the environment variable XC_CPU (c, sse2, ssse3, avx2, neon) names the
 * highest instruction set to be used. */
struct xc_workspace *xc_tool_workspace(int64_t threads);

#endif
