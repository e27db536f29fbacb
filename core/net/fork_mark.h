/*
 * fork_mark.h - noticing fork() without a system call per look: a page that the kernel clears in
 * the child.
 */
#ifndef EVS_CORE_NET_FORK_MARK_H
#define EVS_CORE_NET_FORK_MARK_H

typedef struct evs__fork_mark evs__fork_mark;

/* NULL when out of memory. */
evs__fork_mark *evs__fork_mark_new(void);
void evs__fork_mark_free(evs__fork_mark *mark);

/* 1 in every process but the one that made the mark. */
int evs__fork_mark_is_child(const evs__fork_mark *mark);

#endif
