/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/error.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void set(struct xc_error *err, const char *name, const char *format,
                                                      va_list arguments)
{
    if (err) {
        vsnprintf(err->text, sizeof err->text, format, arguments);
        err->about = name;
    }
}

enum xc_status xc_fail(struct xc_error *err, enum xc_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, NULL, format, arguments);
    va_end(arguments);
    return status;
}

enum xc_status xc_fail_about(struct xc_error *err, const char *name, enum xc_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, name, format, arguments);
    va_end(arguments);
    return status;
}

enum xc_status xc_blame(struct xc_error *err, const char *name, enum xc_status status)
{
    if (status && err && !err->about) {
        err->about = name;
    }
    return status;
}
