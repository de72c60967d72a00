/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-vpxenc's command line, which is vpxenc's. */
#ifndef XC_TOOLS_VPXENC_OPTIONS_H
#define XC_TOOLS_VPXENC_OPTIONS_H

#include "excamera/vpxenc.h"
#include "vpxenc_film.h"

struct vpxenc_job {
    struct film_options film;
    const char *output, *statistics; /* statistics: a file for those of the first pass, or NULL */
    int passes, only_pass;           /* only_pass: the one to run, or 0 for all */
    bool verbose;
    struct xc_vpxenc_settings settings;
};

/* Ends the program if the command line makes no sense. */
void vpxenc_parse(struct vpxenc_job *job, int argc, char **argv);

#endif
