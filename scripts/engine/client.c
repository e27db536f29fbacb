/* Opening and freeing a client, and its deadlines; close.c: closing, drive.c: waiting, room.c: what
 * fits. */
#include "scripts/engine/client.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/spread.h"

static const evs_client_options defaults = {
    .struct_size = sizeof(evs_client_options),
    .max_in_flight = 65536,
    .max_queued_bytes = (size_t)256 << 20,
    .max_reply_bytes = (size_t)64 << 20,
    .max_reply_depth = 128,
    .protocol = 2,
    .max_watching = 16,
};

enum { SMALLEST_REPLY_LIMIT = 4096 }; /* errors of a server always fit: they decide outcomes */

/* A program built against an older header gives a shorter struct. */
static evs_client_options complete_options(const evs_client_options *given)
{
    evs_client_options options = {0};
    if (given != NULL) {
        size_t size = given->struct_size < sizeof options ? given->struct_size : sizeof options;
        memcpy(&options, given, size);
    }
    if (options.max_in_flight == 0)
        options.max_in_flight = defaults.max_in_flight;
    if (options.max_queued_bytes == 0)
        options.max_queued_bytes = defaults.max_queued_bytes;
    if (options.max_reply_bytes == 0)
        options.max_reply_bytes = defaults.max_reply_bytes;
    if (options.max_reply_bytes < SMALLEST_REPLY_LIMIT)
        options.max_reply_bytes = SMALLEST_REPLY_LIMIT;
    if (options.max_reply_depth == 0)
        options.max_reply_depth = defaults.max_reply_depth;
    if (options.max_watching == 0)
        options.max_watching = defaults.max_watching;
    if (options.protocol == 0)
        options.protocol = defaults.protocol;
    return options;
}

static evs_status check_options(const evs_client_options *options, evs_error *err)
{
    if (options->protocol != 2 && options->protocol != 3)
        return evs__fail(err, EVS_E_INVALID, "protocol %u; there is RESP2 and RESP3",
                         options->protocol);
    if (options->on_full == EVS_FULL_SIGNAL && options->room == NULL)
        return evs__fail(err, EVS_E_INVALID, "EVS_FULL_SIGNAL without a function to be called");
    const struct {
        const char *name;
        unsigned value, last;
    } choices[] = {{"order", options->order, EVS_ORDER_STRICT},
                   {"patience", options->patience, EVS_PATIENCE_NONE},
                   {"on_full", options->on_full, EVS_FULL_SIGNAL},
                   {"completions", options->completions, EVS_COMPLETIONS_QUEUED}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i].value > choices[i].last)
            return evs__fail(err, EVS_E_INVALID, "%s is %u, which there is not; the last one is %u",
                             choices[i].name, choices[i].value, choices[i].last);
    return EVS_OK;
}

/* Nothing is pending: what a burst needed goes back. */
static void trim(evs_client *client)
{
    evs__calls_trim(&client->calls);
    evs__loop_trim(client->loop);
}

/* A call that is answered in time costs nothing here: the timer fires when the first deadline there
 * ever was is reached, and is then set for the first one there is. */
static void sweep(void *owner)
{
    evs_client *client = owner;
    uint64_t now = evs__loop_now_ms(client->loop);
    evs__due *due;
    client->sweep_at = 0; /* what is started meanwhile is seen below */
    while (client->conns != NULL && (due = evs__wheel_pop(&client->wheel, now)) != NULL)
        evs__call_expire(due);
    uint64_t next = evs__wheel_next(&client->wheel);
    client->sweep_at = UINT64_MAX;
    if (next != 0)
        evs__client_watch(client, next);
    else
        trim(client);
}

void evs__client_watch(evs_client *client, uint64_t deadline)
{
    uint64_t now = evs__loop_now_ms(client->loop);
    client->sweep_at = deadline;
    evs__timer_start(client->sweep, deadline > now ? deadline - now : 0);
}

static void tell_log(void *owner, const evs__login *login, evs_status status, const char *text)
{
    const evs_client_options *options = &((const evs_client *)owner)->options;
    evs_log_event event = {status == EVS_OK ? EVS_LOG_INFO : EVS_LOG_WARNING, status, login->name,
                           "", text};
    options->log(options->log_arg, &event);
}

static void stop_clusters(evs_client *client)
{
    for (size_t i = 0; client->lanes != NULL && i < client->nlanes; i++)
        if (client->lanes[i]->cluster != NULL)
            evs__cluster_stop(client->lanes[i]->cluster);
    for (evs__lane *lane = client->retired; lane != NULL; lane = lane->next)
        if (lane->cluster != NULL)
            evs__cluster_stop(lane->cluster);
}

static evs_status build(evs_client *client, evs_shardmap *map, evs_error *err)
{
    const evs_client_options *options = &client->options;
    evs__conn_limits limits = {
        .max_reply_bytes = options->max_reply_bytes,
        .max_reply_depth = options->max_reply_depth,
        .max_queued_bytes = options->max_queued_bytes,
        .protocol = options->protocol,
        .news = options->log == NULL ? NULL : tell_log,
        .news_owner = client,
    };
    evs_status status = evs__loop_new(&client->loop, err);
    if (status == EVS_OK)
        status = evs__conns_new(&client->conns, client->loop, &limits, err);
    if (status == EVS_OK)
        status = evs__client_set_map(client, map, err);
    if (status != EVS_OK)
        return status;
    client->fork_mark = evs__fork_mark_new();
    client->sweep = evs__timer_new(client->loop, sweep, client);
    client->cut_off = evs__client_new_cut_off(client);
    if (client->fork_mark == NULL || client->sweep == NULL || client->cut_off == NULL)
        return evs__fail_nomem(err);
    return EVS_OK;
}

evs_status evs_client_open(evs_client **out, evs_shardmap *map, const evs_registry *registry,
                           const evs_client_options *opts, evs_error *err)
{
    if (out == NULL || map == NULL || registry == NULL)
        return evs__fail(err, EVS_E_INVALID, "a client needs a map and a registry");
    if (opts != NULL && opts->struct_size == 0)
        return evs__fail(err, EVS_E_INVALID, "options without EVS_CLIENT_OPTIONS_INIT");
    evs_client_options options = complete_options(opts);
    evs_status fine = check_options(&options, err);
    if (fine != EVS_OK)
        return fine;
    evs_client *client = evs__zalloc_lines(1, sizeof *client);
    if (client == NULL)
        return evs__fail_nomem(err);
    client->registry = registry;
    evs__ring_init(&client->spreads);
    client->options = options;
    client->random = (uint64_t)(uintptr_t)client;
    client->sweep_at = UINT64_MAX;
    evs__clock_init(&client->clock);
    evs__wheel_init(&client->wheel, evs__loop_about_ms());

    evs_status status = build(client, map, err);
    if (status == EVS_OK && options.threaded)
        status = evs__thread_new(client, err);
    if (status != EVS_OK) {
        evs_client_free(client);
        return status;
    }
    *out = client;
    return EVS_OK;
}

static void free_memory(evs_client *client)
{
    evs__free(client->refusal);
    evs__client_free_lanes(client);
    evs__spreads_free(client);
    evs__calls_free(&client->calls);
    evs__fork_mark_free(client->fork_mark);
    evs__maps_free(&client->maps);
    evs_shardmap_free(client->map);
    evs__free(client);
}

static void get_stats(evs_client_stats *out, const evs_client *client)
{
    *out = client->stats;
    if (client->map != NULL) {
        out->map_generation = client->map->generation;
        out->map_fingerprint = client->map->fingerprint;
        out->reloads = client->map_serial;
    }
    evs__loop_counts counts = evs__loop_counted(client->loop);
    out->writes = counts.writes;
    out->connects = counts.connects;
    out->downs = counts.downs;
    out->ups = counts.ups;
    out->down_refusals = counts.refusals;
}

void evs__client_keep_counts(evs_client *client)
{
    get_stats(&client->stats, client);
}

/* The parent goes on using the sockets and the epoll set: nothing is said to either. Calls that
 * were in flight belong to the parent; their memory here goes without a completion. */
static void abandon(evs_client *client)
{
    stop_clusters(client);
    evs__sentinels_stop(client);
    evs__timer_free(client->sweep); /* else the loop would keep its descriptors */
    evs__timer_free(client->retiring);
    evs__timer_free(client->cut_off);
    evs__follow_abandon(client->follow);
    if (client->thread != NULL)
        evs__thread_abandon(client->thread);
    evs__loop_abandon(client->loop);
    free_memory(client);
}

static int is_in_child(const evs_client *client)
{
    return client->fork_mark != NULL && evs__fork_mark_is_child(client->fork_mark);
}

void evs__client_destroy(evs_client *client)
{
    if (is_in_child(client)) {
        abandon(client);
        return;
    }
    client->running++; /* what is freed cannot be freed by a completion */
    evs__client_end_calls(client);
    stop_clusters(client);
    evs__sentinels_stop(client);
    evs__timer_free(client->sweep);
    evs__timer_free(client->retiring);
    evs__timer_free(client->cut_off);
    evs__follow_free(client->follow);
    if (client->thread != NULL)
        evs__thread_free(client->thread);
    evs__loop_free(client->loop);
    free_memory(client);
}

/* In a completion, what is at work goes when that has returned, and reads nothing until then. */
static void free_in_child(evs_client *client)
{
    if (client->thread != NULL && !evs__thread_rested(client->thread))
        return;
    if (client->conns != NULL)
        evs__conns_abandon(client->conns);
    client->conns = NULL;
    client->closing = 1;
    client->usual = NULL;
    if (client->thread != NULL || !client->running)
        abandon(client);
}

void evs_client_free(evs_client *client)
{
    if (client == NULL)
        return;
    if (is_in_child(client)) {
        free_in_child(client);
        return;
    }
    if (evs__client_is_elsewhere(client)) {
        if (evs__thread_puts_off_free(client->thread))
            return;
        evs__thread_join(client);
    }
    client->closing = 1;
    client->usual = NULL;
    if (!client->running)
        evs__client_destroy(client);
}

evs_status evs__client_refuse(const evs_client *client, evs_error *err)
{
    if (evs__fork_mark_is_child(client->fork_mark))
        return evs__fail(err, EVS_E_STATE,
                         "the client belongs to the process that opened it; open one after fork");
    if (client->closing || client->shut)
        return evs__fail(err, EVS_E_STATE, "the client is closed");
    return evs__fail(err, EVS_E_STATE, "a completion may submit, but not wait");
}

typedef struct cancellation {
    evs_client *client;
    evs_ticket ticket;
} cancellation;

static evs_status cancel(void *job, evs_error *err)
{
    const cancellation *self = job;
    return evs_cancel(self->client, self->ticket, err);
}

static evs_status release(evs_client *client, evs_ticket ticket, evs_error *err)
{
    if (evs__spread_has(ticket))
        return evs__spread_cancel(client, ticket, err);
    evs__call *call = evs__calls_find(&client->calls, ticket);
    if (call == NULL)
        return evs__fail(err, EVS_E_STATE, "the call has completed already");
    evs__call_release(call, EVS_E_CANCELED);
    return EVS_OK;
}

evs_status evs_cancel(evs_client *client, evs_ticket ticket, evs_error *err)
{
    if (evs__client_is_elsewhere(client)) {
        cancellation self = {client, ticket};
        evs__start what = {.start = cancel, .job = &self};
        return evs__thread_run(client, &what, err);
    }
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    evs__client_enter(client);
    status = release(client, ticket, err);
    evs__client_leave(client);
    return status;
}

size_t evs_client_pending(const evs_client *client)
{
    if (client->thread != NULL)
        return evs__thread_pending(client->thread);
    return client->pending;
}

typedef struct asking {
    const evs_client *client;
    evs_client_stats *out;
} asking;

static evs_status ask_stats(void *job, evs_error *err)
{
    const asking *self = job;
    (void)err;
    get_stats(self->out, self->client);
    return EVS_OK;
}

void evs_client_stats_get(evs_client_stats *out, const evs_client *client)
{
    asking self = {client, out};
    evs__client_look(client, ask_stats, &self, NULL);
}
