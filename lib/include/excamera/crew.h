/* Threads that share work.
 *
 * A job consists of pieces, numbered from 0, which the members of a crew take in order, each as soon as it is free. A
 * piece may wait for what pieces before it have reached, for they are under way or done; never for one behind it. So
 * rows of macroblocks can be pieces, each waiting column by column for the row above, and one member alone gets through
 * as well as many.
 *
 * The caller is a member, too, but works only inside xc_crew_finish. Only the caller starts and finishes jobs. */
#ifndef EXCAMERA_CREW_H
#define EXCAMERA_CREW_H

#include "excamera/error.h"

struct xc_crew;

/* size: how many members there are, 1 or more, the caller included. */
enum xc_status xc_crew_new(struct xc_crew **out, unsigned size, struct xc_error *err);
void xc_crew_free(struct xc_crew *crew); /* no job may be under way; NULL is fine */
unsigned xc_crew_size(const struct xc_crew *crew);

struct xc_job {
    void (*run)(void *context, unsigned piece, unsigned member); /* member: 0, the caller, to size - 1 */
    void *context;
    unsigned pieces;
    /* private */
    unsigned taken, done;
    struct xc_job *next;
};

/* Lets the other members begin. The job stays where it is until it is finished. Jobs started earlier go first. */
void xc_crew_start(struct xc_crew *crew, struct xc_job *job);
/* Lends a hand, while others are at the last pieces with other jobs, and returns when all pieces are done. */
void xc_crew_finish(struct xc_crew *crew, struct xc_job *job);

#endif
