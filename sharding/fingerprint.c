/*
 * fingerprint.c - XXH64 over a canonical text of a map.
 *
 *     routes N
 *     <prefix in hexadecimal>\t<pool>        one line each, sorted
 *     pool <name> <placement> <hash> <tag characters, or off>    pools sorted by name
 *     db <ring name>\t<db>                   shards whose db is not 0, sorted
 *     <ring name>\t<weight>                  one line each, sorted
 *
 * Sorting is by bytes, so the order in which the file was written does not matter. Addresses,
 * timeouts, secrets and notes are not in it: a shard may move to another host and keep its keys.
 * The text is frozen, as the recipes are; new kinds of content get lines of their own.
 */
#include "sharding/fingerprint.h"

#include "core/buf.h"
#include "core/hash64.h"
#include "core/mem.h"

#include <stdlib.h>

static int text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines collected for sorting; their text is one buffer each. */
typedef struct lines {
    char **at;
    size_t count;
    int failed;
} lines;

static void add(lines *to, evs__buf *line)
{
    char *text = evs__buf_take(line);
    if (text == NULL)
        to->failed = 1;
    else
        to->at[to->count++] = text;
}

/* Appends the sorted lines to `out` and frees them. */
static void drain(evs__buf *out, lines *from)
{
    if (from->count > 0)
        qsort(from->at, from->count, sizeof *from->at, text_order);
    for (size_t i = 0; i < from->count; i++) {
        evs__buf_text(out, from->at[i]);
        evs__free(from->at[i]);
    }
    from->count = 0;
    if (from->failed)
        out->failed = 1;
}

static void put_hex(evs__buf *out, evs_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        evs__buf_format(out, "%02x", (unsigned)(unsigned char)bytes.data[i]);
}

static void put_routes(evs__buf *out, const evs_shardmap *map, lines *work)
{
    evs__buf_format(out, "routes %zu\n", map->nroutes);
    for (size_t i = 0; i < map->nroutes; i++) {
        evs__buf line = EVS__BUF_INIT;
        put_hex(&line, map->routes[i].prefix);
        evs__buf_format(&line, "\t%s\n", map->pools[map->routes[i].pool].name);
        add(work, &line);
    }
    drain(out, work);
}

/* Numbers and slots of shards, where the pool has them. */
static void put_numbers(evs__buf *out, const evs__pool *pool, const evs__shard *shards, lines *work)
{
    for (size_t i = 0; i < pool->nshards; i++) {
        evs__buf line = EVS__BUF_INIT;
        if (!pool->layout.numbered && shards[i].nslots == 0)
            continue;
        evs__buf_format(&line, "at %s\t%u", shards[i].ring_name, shards[i].index);
        for (size_t k = 0; k < shards[i].nslots; k++)
            evs__buf_format(&line, " %u-%u", shards[i].slots[k].first, shards[i].slots[k].last);
        evs__buf_text(&line, "\n");
        add(work, &line);
    }
    drain(out, work);
}

static void put_shards(evs__buf *out, const evs_shardmap *map, const evs__pool *pool, lines *work)
{
    const evs__shard *shards = &map->shards[pool->first_shard];
    for (size_t i = 0; i < pool->nshards; i++) {
        evs__buf line = EVS__BUF_INIT;
        if (shards[i].login.db == 0)
            continue;
        evs__buf_format(&line, "db %s\t%d\n", shards[i].ring_name, shards[i].login.db);
        add(work, &line);
    }
    drain(out, work);
    for (size_t i = 0; i < pool->nshards; i++) {
        evs__buf line = EVS__BUF_INIT;
        evs__buf_format(&line, "%s\t%u\n", shards[i].ring_name, shards[i].weight);
        add(work, &line);
    }
    drain(out, work);
    put_numbers(out, pool, shards, work);
}

/* What only some placements have. */
static void put_recipe(evs__buf *out, const evs__pool *pool)
{
    static const char *const styles[] = {"redis", "codis", "jedis"};
    const evs__layout *layout = &pool->layout;
    if (pool->tag_style != EVS__TAGS_REDIS)
        evs__buf_format(out, "tags %s\n", styles[pool->tag_style]);
    if (layout->points > 0)
        evs__buf_format(out, "points %u\n", layout->points);
    if (layout->size > 0)
        evs__buf_format(out, "size %u\n", layout->size);
    if (layout->ring_hash != NULL)
        evs__buf_format(out, "ring %s\n", layout->ring_hash->name);
    if (layout->point_names == EVS__POINT_NAMES_WEIGHED)
        evs__buf_text(out, "names weighed\n");
}

static void put_pool(evs__buf *out, const evs__pool *pool)
{
    evs__buf_format(out, "pool %s %s %s ", pool->name, pool->placement->name,
                    pool->layout.hash->name);
    if (pool->tag_open == '\0' && pool->tag_close == '\0')
        evs__buf_text(out, "off\n");
    else
        evs__buf_format(out, "%c%c\n", pool->tag_open, pool->tag_close);
    put_recipe(out, pool);
}

static int pool_order(const void *a, const void *b)
{
    return strcmp((*(const evs__pool *const *)a)->name, (*(const evs__pool *const *)b)->name);
}

static void put_pools(evs__buf *out, evs_shardmap *map, lines *work)
{
    evs__pool **sorted = evs__alloc_array(map->npools, sizeof *sorted);
    if (sorted == NULL) {
        out->failed = 1;
        return;
    }
    for (size_t i = 0; i < map->npools; i++)
        sorted[i] = &map->pools[i];
    qsort(sorted, map->npools, sizeof *sorted, pool_order);
    for (size_t i = 0; i < map->npools; i++) {
        size_t start = out->len;
        put_pool(out, sorted[i]);
        put_shards(out, map, sorted[i], work);
        if (evs__buf_ok(out))
            sorted[i]->fingerprint =
                (uint32_t)(evs__xxh64((evs_bytes){out->data + start, out->len - start}, 0) >> 32);
    }
    evs__free(sorted);
}

int evs__fingerprint(evs_shardmap *map)
{
    size_t most = map->nshards > map->nroutes ? map->nshards : map->nroutes;
    lines work = {evs__alloc_array(most, sizeof *work.at), 0, 0};
    if (work.at == NULL)
        return 0;

    evs__buf text = EVS__BUF_INIT;
    put_routes(&text, map, &work);
    put_pools(&text, map, &work);
    int ok = evs__buf_ok(&text);
    if (ok)
        map->fingerprint = evs__xxh64((evs_bytes){text.data, text.len}, 0);
    evs__buf_free(&text);
    evs__free(work.at);
    return ok;
}
