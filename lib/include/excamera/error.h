/* SPDX-License-Identifier: BSD-2-Clause */
/* How the library reports failure. It never prints, exits or sets errno on purpose: every function that can fail
 * returns an xc_status, and says in words what was wrong in the xc_error that the caller hands in. What the function's
 * other results are then is told once, in excamera/excamera.h. */
#ifndef EXCAMERA_ERROR_H
#define EXCAMERA_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* An initializer with which every struct of the library is all zeros, in C and in C++. */
#ifdef __cplusplus
#define XC_ZEROS                                                                                                       \
    {                                                                                                                  \
    }
#else
#define XC_ZEROS                                                                                                       \
    {                                                                                                                  \
        0                                                                                                              \
    }
#endif

enum xc_status {
    XC_OK = 0,
    XC_ERR_ARGUMENT,    /* the caller asked for something that makes no sense */
    XC_ERR_MEMORY,      /* an allocation failed */
    XC_ERR_IO,          /* reading or writing a file failed */
    XC_ERR_FORMAT,      /* the input is malformed or truncated */
    XC_ERR_UNSUPPORTED, /* the input is well-formed, but nothing this library handles */
    XC_ERR_MISMATCH,    /* two inputs that are fine by themselves do not belong together */
};

/* What was wrong: one line, without a newline and without the name of the file that it is about. The caller, who knows
 * the name, puts it in front. */
struct xc_error {
    char text[512];
    /* The name of the input that it is about, where a call has several and they have names (excamera/chunk.h); NULL
     * otherwise. It is the caller's pointer, not a copy. */
    const char *about;
};

/* Formats the message into *err (which may be NULL) and returns status, so that a failing function can end with
 * "return xc_fail(err, XC_ERR_FORMAT, ...)". */
/* err->about becomes NULL. */
enum xc_status xc_fail(struct xc_error *err, enum xc_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, about the input of this name. */
enum xc_status xc_fail_about(struct xc_error *err, const char *name, enum xc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says which input a failure is about, unless *err says so already; returns status. */
enum xc_status xc_blame(struct xc_error *err, const char *name, enum xc_status status);

#ifdef __cplusplus
}
#endif

#endif
