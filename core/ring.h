/*
 * ring.h - items linked to a circle through a head, so that each can leave without being searched.
 *
 * The link is the first member of an item, which makes it the item's address. An empty ring is a
 * head that points to itself.
 */
#ifndef EVS_CORE_RING_H
#define EVS_CORE_RING_H

typedef struct evs__ring {
    struct evs__ring *next;
    struct evs__ring *prev;
} evs__ring;

static inline void evs__ring_init(evs__ring *head)
{
    head->next = head;
    head->prev = head;
}

static inline int evs__ring_empty(const evs__ring *head)
{
    return head->next == head;
}

/* As the last one. */
static inline void evs__ring_append(evs__ring *head, evs__ring *item)
{
    evs__ring *last = head->prev;
    item->next = head;
    item->prev = last;
    last->next = item;
    head->prev = item;
}

static inline void evs__ring_remove(evs__ring *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
}

/* Moves everything from `from` behind what `to` has. */
static inline void evs__ring_move(evs__ring *to, evs__ring *from)
{
    if (evs__ring_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    evs__ring_init(from);
}

#endif
