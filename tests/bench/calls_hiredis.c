/*
 * calls_hiredis.c - hiredis: a connection per shard, all of them flushed, then the replies in
 * order.
 */
#include "tests/bench/calls_peer.h"

#include <hiredis/hiredis.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static redisContext *home_of(const bench *self, size_t call)
{
    redisContext *const *contexts = self->own;
    return contexts[self->homes[call % CALLS_KEYS]];
}

static void append(const bench *self, size_t call)
{
    evs_bytes key = calls_key(self, call);
    const char *argv[4 + CALLS_MOST_ARGS] = {"EVALSHA", self->sha, "1", key.data};
    size_t lengths[4 + CALLS_MOST_ARGS] = {7, 40, 1, key.len};
    for (size_t i = 0; i < self->args; i++) {
        argv[4 + i] = self->argv[i].data;
        lengths[4 + i] = self->argv[i].len;
    }
    redisAppendCommandArgv(home_of(self, call), (int)(4 + self->args), argv, lengths);
}

static void flush(redisContext *context)
{
    for (int done = 0; !done;)
        if (redisBufferWrite(context, &done) != REDIS_OK)
            calls_die("write", context->errstr);
}

static void take_reply(const bench *self, redisContext *context)
{
    redisReply *reply = NULL;
    if (redisGetReply(context, (void **)&reply) != REDIS_OK)
        calls_die("reply", context->errstr);
    if (reply->elements != self->elements || (self->elements == 0 && reply->integer != 1))
        calls_die("reply", reply->str);
    freeReplyObject(reply);
}

static void run(bench *self)
{
    redisContext *const *contexts = self->own;
    size_t depth = self->mode == CALLS_BLOCK ? 1 : self->depth;
    while (self->done < self->count) {
        size_t first = self->done, last = first + depth;
        if (last > self->count)
            last = self->count;
        for (size_t i = first; i < last; i++)
            append(self, i);
        for (size_t i = 0; i < self->shards; i++)
            flush(contexts[i]);
        for (size_t i = first; i < last; i++)
            take_reply(self, home_of(self, i));
        self->done = last;
    }
}

static redisContext *connect_to(char *address)
{
    char host[64], *port = strrchr(address, ':');
    redisContext *context;
    if (strncmp(address, "unix:", 5) == 0) {
        context = redisConnectUnix(address + 5);
    } else {
        snprintf(host, sizeof host, "%.*s", (int)(port - address), address);
        context = redisConnect(host, atoi(port + 1));
    }
    if (context == NULL || context->err != 0)
        calls_die(address, context == NULL ? "out of memory" : context->errstr);
    return context;
}

static void open_peer(bench *self)
{
    self->before = mallinfo2().uordblks;
    redisContext **contexts = calloc(self->shards, sizeof *contexts);
    self->own = contexts;
    for (size_t i = 0; i < self->shards; i++) {
        contexts[i] = connect_to(self->addresses[i]);
        freeReplyObject(redisCommand(contexts[i], "SCRIPT LOAD %s", CALLS_SCRIPT));
    }
}

static void rest(bench *self)
{
    (void)self; /* nothing is kept */
}

static void close_peer(bench *self)
{
    redisContext **contexts = self->own;
    for (size_t i = 0; i < self->shards; i++)
        redisFree(contexts[i]);
    free(contexts);
}

const calls_peer calls_hiredis = {"hiredis", open_peer, run, rest, close_peer};
