/* SPDX-License-Identifier: BSD-2-Clause */
/* The linker replaces the allocator's functions by these, libvpx's included where it is linked from its archive
 * (mk/build.mk). */
#include "allocator.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_long allocations_left = -1; /* until one fails; below 0: none will */
static atomic_long failures, live;        /* live: blocks that are not freed */

void allocator_let_fail(long number)
{
    atomic_store(&failures, 0);
    atomic_store(&allocations_left, number);
}

bool allocator_has_failed(void)
{
    atomic_store(&allocations_left, -1);
    return atomic_load(&failures) != 0;
}

long allocator_live(void)
{
    return atomic_load(&live);
}

static bool is_the_one(void)
{
    if (atomic_load(&allocations_left) < 0 || atomic_fetch_sub(&allocations_left, 1) > 0) {
        return false;
    }
    atomic_fetch_add(&failures, 1);
    return true;
}

static void *counted(void *block)
{
    atomic_fetch_add(&live, block != NULL);
    return block;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_the_one() ? NULL : counted(__real_malloc(size));
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_the_one() ? NULL : counted(__real_calloc(count, size));
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
    if (is_the_one()) {
        return NULL;
    }
    void *moved = __real_realloc(block, size);
    return block ? moved : counted(moved);
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_the_one() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
    atomic_fetch_sub(&live, block != NULL);
    __real_free(block);
}

/* A thread needs memory, too. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context)
{
    return is_the_one() ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}
