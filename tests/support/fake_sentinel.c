#include "tests/support/fake_sentinel.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_PEERS = 64, MOST_NAMES = 8, MOST_REPLICAS = 4, MOST_WORDS = 16, ROOM = 16 * 1024 };

typedef struct peer {
    int fd;                  /* -1: gone */
    int subscribed, listens; /* to switches; to what happens to replicas */
    int looks, missed;       /* at the sentinel itself; one of its questions */
    char in[ROOM];
    size_t len;
} peer;

typedef struct primary {
    char name[64];
    int port, epoch;
    struct {
        int port;
        char flags[32], link[16];
    } replicas[MOST_REPLICAS];
    size_t nreplicas;
} primary;

struct fake_sentinel {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    int listener, port;
    int stopping;
    int mute, refuses;
    primary names[MOST_NAMES];
    peer *peers[MOST_PEERS];
    size_t npeers, connections, asked, subscribers, listeners, missing;
};

static void die(const char *what)
{
    perror(what);
    abort();
}

/* ---- answers; the lock is held ---- */

static void say(const peer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const peer *to, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (send(to->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        return; /* the client has gone */
}

static primary *find(fake_sentinel *one, const char *name)
{
    for (size_t i = 0; i < MOST_NAMES; i++)
        if (strcmp(one->names[i].name, name) == 0)
            return &one->names[i];
    return NULL;
}

static void say_text(const peer *to, const char *text)
{
    say(to, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void tell_address(fake_sentinel *one, const peer *to, const char *name)
{
    char port[16];
    const primary *known = find(one, name);
    one->asked++;
    if (known == NULL || known->port == 0) {
        say(to, "*-1\r\n");
        return;
    }
    snprintf(port, sizeof port, "%d", known->port);
    say(to, "*2\r\n$9\r\n127.0.0.1\r\n");
    say_text(to, port);
}

static void tell_epoch(fake_sentinel *one, const peer *to, const char *name)
{
    char epoch[16];
    const primary *known = find(one, name);
    if (known == NULL || known->port == 0) {
        say(to, "-ERR No such master with that name\r\n");
        return;
    }
    snprintf(epoch, sizeof epoch, "%d", known->epoch);
    say(to, "*4\r\n$4\r\nname\r\n");
    say_text(to, name);
    say(to, "$12\r\nconfig-epoch\r\n");
    say_text(to, epoch);
}

static void tell_replicas(fake_sentinel *one, const peer *to, const char *name)
{
    const primary *known = find(one, name);
    size_t count = known == NULL ? 0 : known->nreplicas;
    say(to, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        char port[16];
        snprintf(port, sizeof port, "%d", known->replicas[i].port);
        const char *words[] = {"ip",
                               "127.0.0.1",
                               "port",
                               port,
                               "flags",
                               known->replicas[i].flags,
                               "role-reported",
                               "slave",
                               "master-link-status",
                               known->replicas[i].link};
        say(to, "*10\r\n");
        for (size_t k = 0; k < 10; k++)
            say_text(to, words[k]);
    }
}

/* To more than one channel; the first is answered. */
static void listen_to_more(fake_sentinel *one, peer *to, char **words, size_t count)
{
    to->listens = 1;
    one->listeners++;
    for (size_t i = 1; i < count; i++) {
        say(to, "*3\r\n$9\r\nsubscribe\r\n");
        say_text(to, words[i]);
        say(to, ":%zu\r\n", i + 1);
    }
}

static void subscribe(fake_sentinel *one, peer *to)
{
    if (one->refuses) {
        say(to, "-NOPERM this user has no permissions to access one of the channels\r\n");
        return;
    }
    to->subscribed = 1;
    one->subscribers++;
    say(to, "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n");
}

/* Is it a question to miss, or one behind that? */
static int misses(fake_sentinel *one, peer *from, char **words, size_t count)
{
    if (one->missing > 0 && !from->looks && count == 3 &&
        strcmp(words[1], "GET-MASTER-ADDR-BY-NAME") == 0) {
        one->missing--;
        from->missed = 1;
    }
    return from->missed;
}

static void answer(fake_sentinel *one, peer *to, char **words, size_t count)
{
    to->looks |= strcmp(words[0], "INFO") == 0;
    if (strcmp(words[0], "CLIENT") == 0)
        say(to, "+OK\r\n");
    else if (one->mute || misses(one, to, words, count))
        return;
    else if (strcmp(words[0], "SUBSCRIBE") == 0 && count > 2)
        listen_to_more(one, to, words, count);
    else if (strcmp(words[0], "SUBSCRIBE") == 0)
        subscribe(one, to);
    else if (count == 3 && strcmp(words[1], "REPLICAS") == 0)
        tell_replicas(one, to, words[2]);
    else if (count == 3 && strcmp(words[1], "GET-MASTER-ADDR-BY-NAME") == 0)
        tell_address(one, to, words[2]);
    else if (count == 3 && strcmp(words[1], "MASTER") == 0)
        tell_epoch(one, to, words[2]);
    else
        say(to, "-ERR unknown command\r\n");
}

/* ---- requests ---- */

/* One whole request at the beginning of the text; its length, 0 when it is not all there. */
static size_t take(char *text, size_t len, char **words, size_t *count)
{
    char *at = text, *end = text + len;
    text[len] = '\0';
    *count = (size_t)strtoul(at + 1, &at, 10);
    at += 2;
    for (size_t i = 0; i < *count && i < MOST_WORDS; i++) {
        if (at >= end)
            return 0;
        size_t size = (size_t)strtoul(at + 1, &at, 10);
        words[i] = at + 2;
        at += 2 + size + 2;
        if (at > end)
            return 0;
    }
    for (size_t i = 0; i < *count; i++)
        words[i][strcspn(words[i], "\r")] = '\0';
    return (size_t)(at - text);
}

static void drop(peer *from)
{
    close(from->fd);
    from->fd = -1;
}

static void hear(fake_sentinel *one, peer *from)
{
    char *words[MOST_WORDS];
    size_t count, used;
    ssize_t n = recv(from->fd, from->in + from->len, ROOM - 1 - from->len, 0);
    if (n <= 0) {
        drop(from);
        return;
    }
    from->len += (size_t)n;
    char before[ROOM];
    while (from->len > 0) {
        memcpy(before, from->in, from->len); /* taking one apart leaves marks */
        used = take(from->in, from->len, words, &count);
        if (used == 0) {
            memcpy(from->in, before, from->len);
            return;
        }
        answer(one, from, words, count);
        memmove(from->in, from->in + used, from->len - used);
        from->len -= used;
    }
}

/* For one more connection: that of somebody who has gone, or a new one. */
static peer *take_peer(fake_sentinel *one)
{
    for (size_t i = 0; i < one->npeers; i++)
        if (one->peers[i]->fd == -1)
            return one->peers[i];
    if (one->npeers == MOST_PEERS) {
        fprintf(stderr, "fake sentinel: more than %d connections at the same time\n", MOST_PEERS);
        abort();
    }
    peer *made = calloc(1, sizeof *made);
    if (made == NULL)
        die("fake sentinel: memory");
    return one->peers[one->npeers++] = made;
}

static void meet(fake_sentinel *one)
{
    int fd = accept(one->listener, NULL, NULL);
    if (fd == -1)
        die("fake sentinel: accept");
    *take_peer(one) = (peer){.fd = fd};
    one->connections++;
}

static void *serve(void *arg)
{
    fake_sentinel *one = arg;
    for (;;) {
        struct pollfd fds[MOST_PEERS + 1] = {{.fd = one->listener, .events = POLLIN}};
        pthread_mutex_lock(&one->lock);
        size_t count = one->npeers;
        int stopping = one->stopping;
        for (size_t i = 0; i < count; i++)
            fds[i + 1] = (struct pollfd){.fd = one->peers[i]->fd, .events = POLLIN};
        pthread_mutex_unlock(&one->lock);
        if (stopping)
            return NULL;
        poll(fds, count + 1, 10);
        pthread_mutex_lock(&one->lock);
        for (size_t i = 0; i < count; i++)
            if (fds[i + 1].revents != 0 && one->peers[i]->fd != -1)
                hear(one, one->peers[i]);
        if (fds[0].revents != 0)
            meet(one);
        pthread_mutex_unlock(&one->lock);
    }
}

/* ---- for tests ---- */

fake_sentinel *fake_sentinel_start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    fake_sentinel *one = calloc(1, sizeof *one);
    if (one == NULL)
        die("fake sentinel");
    one->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one->listener == -1 || bind(one->listener, (struct sockaddr *)&at, len) != 0 ||
        listen(one->listener, 64) != 0 ||
        getsockname(one->listener, (struct sockaddr *)&at, &len) != 0)
        die("fake sentinel: socket");
    one->port = ntohs(at.sin_port);
    pthread_mutex_init(&one->lock, NULL);
    if (pthread_create(&one->thread, NULL, serve, one) != 0)
        die("fake sentinel: thread");
    return one;
}

void fake_sentinel_stop(fake_sentinel *one)
{
    pthread_mutex_lock(&one->lock);
    one->stopping = 1;
    pthread_mutex_unlock(&one->lock);
    pthread_join(one->thread, NULL);
    for (size_t i = 0; i < one->npeers; i++) {
        if (one->peers[i]->fd != -1)
            close(one->peers[i]->fd);
        free(one->peers[i]);
    }
    close(one->listener);
    pthread_mutex_destroy(&one->lock);
    free(one);
}

int fake_sentinel_port(const fake_sentinel *one)
{
    return one->port;
}

void fake_sentinel_know(fake_sentinel *one, const char *name, int port, int epoch)
{
    pthread_mutex_lock(&one->lock);
    primary *known = find(one, name);
    if (known == NULL)
        known = find(one, "");
    if (known == NULL)
        die("fake sentinel: too many names");
    snprintf(known->name, sizeof known->name, "%s", name);
    known->port = port;
    known->epoch = epoch;
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_list(fake_sentinel *one, const char *name, int port, const char *flags,
                        const char *link)
{
    pthread_mutex_lock(&one->lock);
    primary *known = find(one, name);
    if (known == NULL || known->nreplicas == MOST_REPLICAS)
        die("fake sentinel: no such primary, or too many replicas");
    size_t at = port == 0 ? 0 : known->nreplicas++;
    known->nreplicas = port == 0 ? 0 : known->nreplicas;
    known->replicas[at].port = port;
    snprintf(known->replicas[at].flags, sizeof known->replicas[at].flags, "%s", flags);
    snprintf(known->replicas[at].link, sizeof known->replicas[at].link, "%s", link);
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_mute(fake_sentinel *one, int mute)
{
    pthread_mutex_lock(&one->lock);
    one->mute = mute;
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_refuse_subscribers(fake_sentinel *one, int refuse)
{
    pthread_mutex_lock(&one->lock);
    one->refuses = refuse;
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_miss(fake_sentinel *one, size_t count)
{
    pthread_mutex_lock(&one->lock);
    one->missing = count;
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_publish(fake_sentinel *one, const char *name, int before, int after)
{
    char text[200];
    snprintf(text, sizeof text, "%s 127.0.0.1 %d 127.0.0.1 %d", name, before, after);
    pthread_mutex_lock(&one->lock);
    for (size_t i = 0; i < one->npeers; i++) {
        if (one->peers[i]->fd == -1 || !one->peers[i]->subscribed)
            continue;
        say(one->peers[i], "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$%zu\r\n%s\r\n",
            strlen(text), text);
    }
    pthread_mutex_unlock(&one->lock);
}

void fake_sentinel_publish_replica(fake_sentinel *one, const char *channel, const char *name,
                                   int replica, int primary_port)
{
    char text[200];
    snprintf(text, sizeof text, "slave 127.0.0.1:%d 127.0.0.1 %d @ %s 127.0.0.1 %d", replica,
             replica, name, primary_port);
    pthread_mutex_lock(&one->lock);
    for (size_t i = 0; i < one->npeers; i++) {
        if (one->peers[i]->fd == -1 || !one->peers[i]->listens)
            continue;
        say(one->peers[i], "*3\r\n$7\r\nmessage\r\n");
        say_text(one->peers[i], channel);
        say_text(one->peers[i], text);
    }
    pthread_mutex_unlock(&one->lock);
}

static size_t look(fake_sentinel *one, const size_t *number)
{
    pthread_mutex_lock(&one->lock);
    size_t found = *number;
    pthread_mutex_unlock(&one->lock);
    return found;
}

size_t fake_sentinel_asked(fake_sentinel *one)
{
    return look(one, &one->asked);
}

size_t fake_sentinel_connections(fake_sentinel *one)
{
    return look(one, &one->connections);
}

size_t fake_sentinel_subscribers(fake_sentinel *one)
{
    return look(one, &one->subscribers);
}

size_t fake_sentinel_listeners(fake_sentinel *one)
{
    return look(one, &one->listeners);
}
