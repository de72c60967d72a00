/* SPDX-License-Identifier: BSD-2-Clause */
/* Uploads of the workstation: hundreds of wrappers have something to send at the same time. Those in one directory send
 * at most 16 files at once, in the order of their chunks, so that the functions of the first chunks can begin early. Of
 * the same data, which several chunks may need, only one wrapper sends anything.
 *
 * The wrappers arrange that by locks on bytes of .xc-lambda/uploads, which are free again when their holder ends,
 * however it ends. A wrapper that waits sleeps, except for the next one in turn. */
#ifndef XC_LAMBDA_UPLOADS_H
#define XC_LAMBDA_UPLOADS_H

/* Waits until no other wrapper sends these data. digest: SHA-256, in hexadecimal. A wrapper takes one at a time. */
void uploads_take_data(const char *digest);
/* Then, if there is something to send: waits for the turn of this file. output: a file that the task writes, whose name
 * begins with the number of the chunk; a task of no chunk comes first. */
void uploads_take_turn(const char *output);
/* Gives back what has been taken. */
void uploads_end(void);

#endif
