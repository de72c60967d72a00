/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that operands of xc-png2y4m name. */
#ifndef XC_TOOLS_PNG2Y4M_NAMES_H
#define XC_TOOLS_PNG2Y4M_NAMES_H

#include <stddef.h>

/* Zeroed: none. */
struct png2y4m_names {
    char **paths; /* in the order of the film */
    size_t count, room;
};

/* Adds the file that operand names, or, if there is no such file and the last part of the operand has a %, all files
 * that match it as a pattern: one %d or %0Nd stands for a number, %% for a %. They are sorted by number. Fails, as
 * xc_tool_fail does, if no file matches, or if a number is missing between two that are there. */
void png2y4m_names_add(struct png2y4m_names *names, const char *operand);
void png2y4m_names_clear(struct png2y4m_names *names);

#endif
