/* SPDX-License-Identifier: BSD-2-Clause */
/* A clock that only goes forward, whatever is done to the time of day. */
#ifndef XC_LAMBDA_CLOCK_H
#define XC_LAMBDA_CLOCK_H

/* Seconds since some moment. */
double clock_now(void);

#endif
