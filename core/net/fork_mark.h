/*
 * fork_mark.h - noticing fork() without a system call per look: a page that the kernel clears in
 * the child.
 */
#ifndef EVS_CORE_NET_FORK_MARK_H
#define EVS_CORE_NET_FORK_MARK_H

#include <stddef.h>
#include <sys/types.h>

typedef struct evs__fork_mark {
    volatile char *page; /* ours; its first byte is 1 here and 0 in a child; NULL without support */
    size_t size;
    pid_t pid;
} evs__fork_mark;

/* NULL when out of memory. */
evs__fork_mark *evs__fork_mark_new(void);
void evs__fork_mark_free(evs__fork_mark *mark);

int evs__fork_mark_ask(const evs__fork_mark *mark); /* for evs__fork_mark_is_child */

/* 1 in every process but the one that made the mark. */
static inline int evs__fork_mark_is_child(const evs__fork_mark *mark)
{
    return mark->page != NULL ? mark->page[0] == 0 : evs__fork_mark_ask(mark);
}

#endif
