/*
 * stats.h - what calls of each script came to on each shard.
 *
 * A snapshot is a copy: it never changes and belongs to whoever took it. Only scripts that were
 * called on a shard have a row.
 */
#ifndef EVALSHARD_STATS_H
#define EVALSHARD_STATS_H

#include <evalshard/base.h>
#include <evalshard/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_stats evs_stats;

typedef struct evs_status_count {
    evs_status status;
    uint64_t count;
} evs_status_count;

/* One script on one shard. Names of scripts are borrowed from the client's registry, other text
 * from the snapshot. */
typedef struct evs_stats_row {
    const char *script; /* "" for plain commands */
    const char *shard;
    const char *pool;
    uint64_t calls;                    /* completed, errors included */
    uint64_t in_flight;                /* submitted and not completed */
    uint64_t bytes;                    /* of their requests, each sending counted */
    uint64_t heals;                    /* sent again after NOSCRIPT */
    uint64_t resends;                  /* sent again on a new connection */
    uint64_t retries;                  /* sent again because the shard could not at first */
    uint64_t redirects;                /* sent to another node of the cluster from here */
    uint64_t errors;                   /* completed with anything but EVS_OK */
    const evs_status_count *by_status; /* the errors; borrowed from the snapshot */
    size_t nby_status;
} evs_stats_row;

/* Takes a snapshot. `*out` is yours to free; it may outlive the client, but not its
 * registry. Also in completions and after closing; of a threaded client from any thread.
 * Fails with EVS_E_NOMEM, or EVS_E_STATE in a forked child. */
EVS_API evs_status evs_stats_snapshot(evs_stats **out, const evs_client *client, evs_error *err);

/* Accepts NULL. */
EVS_API void evs_stats_free(evs_stats *stats);

/* The rows, shard by shard in the order of the map, then those of shards that are in the map no
 * more and have calls in flight; on a shard plain commands first, then scripts in the order in
 * which they were loaded. */
EVS_API size_t evs_stats_count(const evs_stats *stats);

/* Row number `index`, borrowed; NULL past the end. */
EVS_API const evs_stats_row *evs_stats_at(const evs_stats *stats, size_t index);

#ifdef __cplusplus
}
#endif

#endif
