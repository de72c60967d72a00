/* A file that is written under another name and takes its own when it is whole. If the program ends before that, or is
 * ended by a signal, the file goes away. */
#ifndef XC_LAMBDA_TEMPORARY_H
#define XC_LAMBDA_TEMPORARY_H

/* The name to write it under; one file at a time. */
const char *temporary_for(const char *path);
/* It is whole. */
void temporary_becomes(const char *path);

#endif
