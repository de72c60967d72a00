/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that appear whole or not at all. A file is written under a temporary name beside its place, and takes its own
 * name when it is complete. If the program ends before that, the temporary file is removed: at exit(), and on the
 * signals by which users and make stop a program. The module prints nothing and ends nothing; failures are told by
 * errno, so that the tools and the programs of lambda/ word them in their own way. */
#ifndef XC_TOOLS_ATOMIC_FILE_H
#define XC_TOOLS_ATOMIC_FILE_H

enum { XC_TOOL_ATOMIC_MAX_FILES = 8 /* that can be open at the same time */ };

/* Zeroed: no file. The structure owns both names. */
struct xc_tool_atomic_file {
    char *temporary; /* where to write, until the commit */
    char *target;    /* private: the path that the file will have, symbolic links resolved */
};

/* Makes an empty temporary file for name and returns its descriptor, open for writing; the caller closes it. A file
 * that exists keeps its mode, a symbolic link remains one, and a file that may not be written is refused (EACCES). -1
 * with errno on failure; EBUSY: this program is writing the same file already. */
int xc_tool_atomic_open(struct xc_tool_atomic_file *file, const char *name);

/* Gives all files their names; entries without a file are passed over. No signal comes between two of them. Returns
 * count, or the index of the file that could not be renamed, with errno. */
int xc_tool_atomic_commit(struct xc_tool_atomic_file *const *files, int count);

/* Removes every temporary file. Async-signal-safe. For a program that ends without exit(). */
void xc_tool_atomic_discard(void);

/* Removes the temporary files at exit() and on fatal signals from now on; xc_tool_atomic_open calls it. A signal that
 * is ignored, as under nohup, stays ignored. SIGXFSZ is ignored, so that a limit on file size is a write error like
 * others; a program that writes to other files, too, calls this for that. */
void xc_tool_atomic_catch_signals(void);

#endif
