/*
 * kernel.h - what the kernel takes of a client's requests, and no more than that.
 *
 * Kernels take whatever fits their buffers, so to cut a request in the middle, and to know for sure
 * what was taken, the client's send() is ours. A test that wants it writes once, at file level:
 *
 *     ssize_t send(int fd, const void *data, size_t len, int flags)
 *     {
 *         return kernel_send(fd, data, len, flags);
 *     }
 *
 * Only connections to one port of 127.0.0.1 are looked at. Any thread may send.
 */
#ifndef EVS_TESTS_SUPPORT_KERNEL_H
#define EVS_TESTS_SUPPORT_KERNEL_H

#include <evalshard/base.h>
#include <sys/types.h>

ssize_t kernel_send(int fd, const void *data, size_t len, int flags);

/* Forgets all there was, and looks at connections to `port` from now on. */
void kernel_watch(int port);

/* The newest connection, or the next when there is none, is taken `bytes` of in all, from its
 * beginning. Later ones have no limit. */
void kernel_limit(size_t bytes);

/* What was taken of each connection, in their order; empty when there is no such. Valid until the
 * next send or kernel_watch. */
evs_bytes kernel_taken(size_t connection);
size_t kernel_connections(void);

#endif
