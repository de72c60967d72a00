/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures whose padding may be missing. */
#ifndef XC_STATE_PICTURE_H
#define XC_STATE_PICTURE_H

#include "excamera/picture.h"

/* *copy becomes a padded copy of a picture that is not complete, owned by the caller, and otherwise NULL: then the
 * picture itself will do. pool may be NULL. */
enum xc_status xc_picture_copy_unless_complete(struct xc_picture **copy, const struct xc_picture *picture,
                                               struct xc_picture_pool *pool, struct xc_error *err);

#endif
