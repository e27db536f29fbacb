#include "sharding/conns.h"

#include "core/error.h"
#include "core/mem.h"

struct evs__conns {
    evs_shardmap *map; /* our reference */
    evs__loop *loop;   /* the client's */
    evs__conn_limits limits;
    evs__conn **slots; /* one per shard, NULL until first used */
    size_t count;
    evs__conn **privates; /* ours */
    size_t nprivates;
};

evs_status evs__conns_new(evs__conns **out, evs_shardmap *map, evs__loop *loop,
                          const evs__conn_limits *limits, evs_error *err)
{
    evs__conns *conns = evs__zalloc_array(1, sizeof *conns);
    if (conns == NULL)
        return evs__fail_nomem(err);
    conns->map = evs_shardmap_ref(map);
    conns->loop = loop;
    conns->limits = *limits;
    conns->count = evs_shardmap_count(map);
    conns->slots = evs__zalloc_array(conns->count, sizeof(evs__conn *));
    if (conns->slots == NULL) {
        evs__conns_free(conns);
        return evs__fail_nomem(err);
    }
    *out = conns;
    return EVS_OK;
}

static void end(evs__conns *conns, void (*each)(evs__conn *conn))
{
    if (conns == NULL)
        return;
    for (size_t i = 0; conns->slots != NULL && i < conns->count; i++) {
        evs__conn *conn = conns->slots[i];
        each(conn); /* completions may ask for statistics meanwhile */
        conns->slots[i] = NULL;
    }
    for (size_t i = 0; i < conns->nprivates; i++) {
        evs__conn *conn = conns->privates[i];
        each(conn);
        conns->privates[i] = NULL;
    }
    evs__free(conns->slots);
    evs__free(conns->privates);
    evs_shardmap_free(conns->map);
    evs__free(conns);
}

void evs__conns_free(evs__conns *conns)
{
    end(conns, evs__conn_free);
}

void evs__conns_abandon(evs__conns *conns)
{
    end(conns, evs__conn_abandon);
}

static evs_status make(evs__conn **out, const evs__conns *conns, size_t shard, evs_error *err)
{
    const evs__login *login = &conns->map->shards[shard].login;
    return evs__conn_new(out, conns->loop, login, &conns->limits, err);
}

evs_status evs__conns_get(evs__conn **out, evs__conns *conns, size_t shard, evs_error *err)
{
    evs__conn **slot = &conns->slots[shard];
    if (*slot == NULL) {
        evs_status status = make(slot, conns, shard, err);
        if (status != EVS_OK)
            return status;
    }
    *out = *slot;
    return EVS_OK;
}

evs_status evs__conns_private(evs__conn **out, evs__conns *conns, const evs__login *login,
                              evs_error *err)
{
    size_t count = conns->nprivates;
    evs__conn **more = evs__realloc_array(conns->privates, count + 1, sizeof *more);
    if (more == NULL)
        return evs__fail_nomem(err);
    conns->privates = more;
    evs_status status = evs__conn_new(&more[count], conns->loop, login, &conns->limits, err);
    if (status != EVS_OK)
        return status;
    conns->nprivates++;
    *out = more[count];
    return EVS_OK;
}

evs__conn_stats evs__conns_stats(const evs__conns *conns)
{
    evs__conn_stats sum = {0, 0};
    for (size_t i = 0; i < conns->count; i++)
        if (conns->slots[i] != NULL)
            evs__conn_stats_add(conns->slots[i], &sum);
    for (size_t i = 0; i < conns->nprivates; i++)
        if (conns->privates[i] != NULL)
            evs__conn_stats_add(conns->privates[i], &sum);
    return sum;
}
