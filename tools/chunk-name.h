/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk's files are named after its number: eight digits, then what the file is (00000012.y4m, 00000012-0.state). The
 * published command lines have it so. xcdriver/graph.py has the same limit. */
#ifndef XC_TOOLS_CHUNK_NAME_H
#define XC_TOOLS_CHUNK_NAME_H

enum { XC_TOOL_CHUNK_DIGITS = 8, XC_TOOL_LAST_CHUNK = 99999999 };

#endif
