/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk's pictures in sections: runs that share an anchor. A section ends where a scene cut comes, where its mini-GOP
 * is full, and with the chunk. */
#ifndef XC_CHUNK_SECTIONS_H
#define XC_CHUNK_SECTIONS_H

#include "excamera/scene.h"
#include "chunk/lookahead.h"
#include "chunk/policy.h"
#include "excamera/state.h"

struct xc_section {
    struct xc_mini_gop gop; /* its first picture is the key frame, if facts.key */
    uint64_t index;         /* of the first picture in the chunk */
    struct xc_section_facts facts;
};

struct xc_sections {
    struct xc_lookahead *source, *after;
    struct xc_scene *scene;
    struct xc_picture *first; /* of the next section; NULL: there is none */
    bool key;                 /* that picture is a key frame */
};

/* after: of the pictures after the chunk, which may have no source. state: before the chunk. Its last picture tells
 * whether the first section begins with a cut. Reads the first picture; a source without one is refused. The workspace
 * must outlive the sections. */
enum xc_status xc_sections_begin(struct xc_sections *sections, struct xc_lookahead *source, struct xc_lookahead *after,
                                 const struct xc_state *state, const struct xc_workspace *workspace,
                                 struct xc_error *err);
/* The next section; one of no picture after the last one. Whatever *section holds is let go. */
enum xc_status xc_sections_next(struct xc_sections *sections, struct xc_section *section, struct xc_error *err);
void xc_sections_end(struct xc_sections *sections);

#endif
