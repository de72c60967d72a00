#include "excamera/error.h"

#include <stdarg.h>
#include <stdio.h>

enum xc_status xc_fail(struct xc_error *err, enum xc_status status, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(err->text, sizeof err->text, format, arguments);
        va_end(arguments);
    }
    return status;
}
