/*
 * slab.c - scratch memory of imported batches, used again.
 *
 * What an import rewrites (text views, booleans) takes up to 16 bytes per row and column. Taken from
 * the heap for each batch, that would be page faults over and over; so released slabs are kept, a few
 * per size class (powers of two from 64 KiB to 1 MiB), for whichever batch comes next. Their contents
 * are undefined. A batch may be released on any thread: one mutex per class, held for a few
 * instructions.
 */
#include "engine/source/internal.h"

#define SMALLEST ((size_t)64 << 10)
#define CLASSES  5
#define KEPT     8

static struct {
    pthread_mutex_t lock;
    uint32_t count;
    Slab *kept[KEPT];
} classes[CLASSES] = {{.lock = PTHREAD_MUTEX_INITIALIZER},
                      {.lock = PTHREAD_MUTEX_INITIALIZER},
                      {.lock = PTHREAD_MUTEX_INITIALIZER},
                      {.lock = PTHREAD_MUTEX_INITIALIZER},
                      {.lock = PTHREAD_MUTEX_INITIALIZER}};

Slab *slab_take(size_t bytes) {
    uint32_t class = 0;
    while (class < CLASSES && SMALLEST << class < bytes) class ++;
    if (class == CLASSES) return NULL;
    Slab *slab = NULL;
    /* A lock that is busy costs more than memory from the heap. */
    if (pthread_mutex_trylock(&classes[class].lock) == 0) {
        if (classes[class].count > 0) slab = classes[class].kept[--classes[class].count];
        pthread_mutex_unlock(&classes[class].lock);
    }
    if (!slab) {
        slab = heap_resize(NULL, sizeof(Slab) + (SMALLEST << class));
        if (!slab) return NULL;
        slab->class = class;
        slab->size = SMALLEST << class;
    }
    slab->used = 0;
    return slab;
}

void slab_give(Slab *slab) {
    if (!slab) return;
    uint32_t class = slab->class;
    if (pthread_mutex_trylock(&classes[class].lock) == 0) {
        if (classes[class].count < KEPT) {
            classes[class].kept[classes[class].count++] = slab;
            slab = NULL;
        }
        pthread_mutex_unlock(&classes[class].lock);
    }
    heap_free(slab);
}
