/* SPDX-License-Identifier: BSD-2-Clause */
/* An allocator that fails when told to. */
#ifndef UNIT_ALLOC_ALLOCATOR_H
#define UNIT_ALLOC_ALLOCATOR_H

#include <stdbool.h>

/* From now on, the allocation of this number fails, counted from 0; none if that is below 0. */
void allocator_let_fail(long number);

/* Whether it did. From now on, none fails. */
bool allocator_has_failed(void);

/* How many blocks are not freed. */
long allocator_live(void);

#endif
