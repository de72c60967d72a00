/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures of the workstation's programs. */
#ifndef XC_LAMBDA_FAIL_H
#define XC_LAMBDA_FAIL_H

/* Prints "xc-lambda: WHAT: MESSAGE" on standard error and ends the program with status 1. */
_Noreturn void fail_about(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
