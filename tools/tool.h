/* What all tools share: command line, errors, files. An xc_tool_ function that fails prints "tool: file: what is wrong"
 * and ends the program, so that a main() reads as if nothing could go wrong. Exit codes: 2 for a command line that
 * makes no sense, 1 for everything else. However the program ends, no half-written output stays behind. */
#ifndef XC_TOOLS_TOOL_H
#define XC_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "excamera/decode.h"
#include "excamera/ivf.h"
#include "excamera/y4m.h"

/* ---- The command line: tool.c ---- */

struct xc_tool_option {
    char letter; /* 0: only the long name */
    const char *name;
    const char *argument; /* what --help calls it; NULL: the option takes none */
    const char *help; /* --help adds the default: the variable's value beforehand, if that is allowed and not NULL */
    /* Exactly one of these says where it goes. */
    bool *flag;
    const char **text;
    int64_t *integer;
    double *real;
    double minimum, maximum; /* of a number, both included */
};

struct xc_tool {
    const char *name;
    const char *synopsis;                 /* operands, as --help shows them; several forms are several lines */
    const char *description;              /* for --help */
    const struct xc_tool_option *options; /* the last one has no name; --help and --version come by themselves */
    int minimum_operands, maximum_operands;
};

/* An option of the tools that decode or encode, for their xc_tool_workspace. */
#define XC_TOOL_THREADS_OPTION(variable)                                                                               \
    {                                                                                                                  \
        0, "threads", "N", "threads, 1 to 64; the result is the same with any number of them",                         \
            .integer = &(variable), .minimum = 1, .maximum = 64                                                        \
    }

/* Parses the options into their variables and returns the operands, ended by NULL. They may stand in any order. */
char **xc_tool_start(const struct xc_tool *tool, int argc, char **argv);

/* Whether an option that sets this variable was on the command line. */
bool xc_tool_given(const void *variable);

_Noreturn void xc_tool_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void xc_tool_fail(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Goes on if status is XC_OK; fails with err's text if not. file: what it is about, or NULL. */
void xc_tool_check(enum xc_status status, const char *file, const struct xc_error *err);

/* ---- Outputs: tool-output.c ---- */

/* "-" is standard output. What is written to a regular file appears under its name when it is complete, not before. */
struct xc_tool_output {
    FILE *stream;
    const char *name;
    /* private */
    char *target, *temporary; /* NULL where there is nothing to rename */
    char *buffer;
};

void xc_tool_output_open(struct xc_tool_output *output, const char *name);
/* Closes the outputs, and only when the last byte of each is safely written, gives all of them their names. */
void xc_tool_output_commit(struct xc_tool_output *outputs, int count);
/* Removes what is not committed yet; every failure and every fatal signal comes by here. Async-signal-safe. */
void xc_tool_output_discard(void);

/* ---- Inputs: tool-input.c ---- */

/* "-" is standard input. */
struct xc_tool_input {
    FILE *stream;
    const char *name;
    char *buffer; /* private */
};

void xc_tool_input_open(struct xc_tool_input *input, const char *name);
void xc_tool_input_close(struct xc_tool_input *input);

struct xc_tool_y4m {
    struct xc_tool_input input;
    struct xc_y4m_header header;
    uint64_t frames; /* read so far */
};

void xc_tool_y4m_open(struct xc_tool_y4m *y4m, const char *name);
/* Reads the next frame into picture, which has the header's size; false: there is none. */
bool xc_tool_y4m_next(struct xc_tool_y4m *y4m, struct xc_picture *picture);

/* name NULL: no file, the state before the first key frame. */
void xc_tool_state_read(struct xc_state *state, struct xc_picture_pool *pool, const char *name);

struct xc_tool_ivf {
    const char *name;
    struct xc_ivf ivf;
};

void xc_tool_ivf_read(struct xc_tool_ivf *file, const char *name);
/* Fails unless the state is the one that the file is to be decoded in. option: the one that names the state's file, for
 * whoever has forgotten it; NULL: there is none. */
void xc_tool_ivf_check_state(const struct xc_tool_ivf *file, const struct xc_state *state, const char *option);
/* Decodes one frame, as xc_decode does; the caller owns the picture, which is NULL if there is nothing to show. */
struct xc_picture *xc_tool_ivf_decode(const struct xc_tool_ivf *file, uint32_t frame, struct xc_state *state,
                                      struct xc_workspace *workspace);

/* A workspace for this machine. The environment variable XC_CPU (c, sse2, ssse3, avx2, neon) makes it forget about any
 * instruction set beyond that, for tests. */
struct xc_workspace *xc_tool_workspace(int64_t threads);

#endif
