/* SPDX-License-Identifier: BSD-2-Clause */
/* How a wrapper reaches xc-requests, the process that makes its requests.
 *
 * All wrappers of a run of make, which XC_LAMBDA_RUN names, have one process together. Its socket is
 * .xc-lambda/requests/RUN in the directory where make runs, and no other user can come to it. The first wrapper starts
 * the process; it ends by itself soon after the last wrapper. A wrapper that belongs to no run has a process of its own
 * instead, and so has one that cannot reach the common one. */
#ifndef XC_LAMBDA_REQUESTER_H
#define XC_LAMBDA_REQUESTER_H

#include <stdbool.h>

/* Returns a socket for messages (message.h), which the caller closes. Sets *alone: whether the process is the wrapper's
 * own; if it is set before, it will be. Ends the program if there can be none. */
int requester_connect(bool *alone);

#endif
