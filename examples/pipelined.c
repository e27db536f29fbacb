/*
 * pipelined.c - many calls at once: submit them all, then let the client work.
 *
 *     pipelined shards.yaml 10000
 *
 * Takes that many locks, each with a key of its own, so they spread over the shards. What is queued
 * for one shard goes out together; replies come back through `taken`, in any order between shards.
 */
#include <evalshard/evalshard.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct tally {
    size_t free;   /* we have the lock now */
    size_t held;   /* somebody else has it */
    size_t failed; /* did not run */
    size_t unsure; /* may have run: the reply was lost */
} tally;

static void taken(void *arg, const evs_result *result)
{
    tally *count = arg;
    if (result->status == EVS_OK && evs_reply_kind(result->reply) == EVS_REPLY_NIL)
        count->held++;
    else if (result->status == EVS_OK)
        count->free++;
    else if (result->outcome == EVS_MAYBE_EXECUTED)
        count->unsure++;
    else
        count->failed++;
}

/* Keys and arguments are borrowed only until evs_submit returns. */
static evs_status submit(evs_client *client, const evs_script *script, size_t number, tally *count,
                         evs_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "lock:%zu", number);
    evs_bytes key = evs_text(name);
    evs_bytes args[] = {evs_text("30"), evs_text("pipelined")};
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .args = args, .nargs = 2};
    return evs_submit(client, &call, taken, count, err);
}

/* A queue per shard has a limit (evs_client_options): when one is full, work until there is room.
 */
static evs_status submit_all(evs_client *client, const evs_script *script, size_t calls,
                             tally *count, evs_error *err)
{
    for (size_t i = 0; i < calls;) {
        evs_status status = submit(client, script, i, count, err);
        if (status == EVS_OK)
            i++;
        else if (status == EVS_E_QUEUE_FULL)
            status = evs_client_process(client, -1, err);
        if (status != EVS_OK)
            return status;
    }
    return EVS_OK;
}

static evs_status run(evs_client *client, const evs_script *script, size_t calls, tally *count,
                      evs_error *err)
{
    evs_status status = submit_all(client, script, calls, count, err);
    while (status == EVS_OK && evs_client_pending(client) > 0)
        status = evs_client_process(client, -1, err);

    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    printf("%zu taken, %zu held, %zu failed, %zu unsure\n", count->free, count->held, count->failed,
           count->unsure);
    printf("%zu calls in %zu writes\n", (size_t)stats.calls, (size_t)stats.writes);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: pipelined MAP CALLS\n");
        return 2;
    }
    evs_error err = {0};
    tally count = {0}; /* outlives the client: freeing it completes what is still in flight */
    evs_shardmap *map = NULL;
    evs_registry *registry = NULL;
    evs_client *client = NULL;

    evs_status status = evs_shardmap_load(&map, argv[1], NULL, &err);
    if (status == EVS_OK)
        status = evs_registry_new(&registry, NULL, &err);
    if (status == EVS_OK)
        status = evs_script_load_shipped(registry, &err);
    if (status == EVS_OK)
        status = evs_client_open(&client, map, registry, NULL, &err);
    if (status == EVS_OK)
        status = run(client, evs_script_find(registry, "lock/acquire"), strtoul(argv[2], NULL, 10),
                     &count, &err);
    if (status != EVS_OK)
        fprintf(stderr, "pipelined: %s: %s\n", evs_status_name(status), err.message);

    evs_client_free(client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
    return status == EVS_OK ? 0 : 1;
}
