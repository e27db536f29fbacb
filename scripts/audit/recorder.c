#include "scripts/audit/recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void evs__recorder_init(evs__recorder *recorder, evs__pool *pool)
{
    memset(recorder, 0, sizeof *recorder);
    recorder->pool = pool;
    evs__sights_init(&recorder->sights, pool);
}

void evs__recorder_free(evs__recorder *recorder)
{
    evs__table_free(&recorder->index);
    evs__table_free(&recorder->reached);
    evs__table_free(&recorder->names);
    evs__sights_free(&recorder->sights);
}

/* Room for one more in an array of the pool; NULL when out of memory. */
static void *room(evs__pool *pool, void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    size_t bigger = *cap * 2 + 16;
    void *copy = evs__pool_alloc(pool, bigger, size);
    if (copy == NULL)
        return NULL;
    if (count > 0)
        memcpy(copy, array, count * size);
    *cap = bigger;
    return copy;
}

/* The note at `place`, of the kind `tag`; NULL when there is none yet. */
static void *find(const evs__recorder *recorder, const evs__place *place, evs_bytes *key, char tag,
                  char room[sizeof(evs__place) + 1])
{
    memset(room, 0, sizeof(evs__place) + 1);
    memcpy(room, place, sizeof *place);
    room[sizeof *place] = tag;
    key->data = room;
    key->len = sizeof *place + 1;
    return evs__table_get(&recorder->index, *key);
}

static void add_index(evs__recorder *recorder, evs_bytes key, void *note)
{
    char *copy = evs__pool_alloc(recorder->pool, key.len, 1);
    if (copy == NULL)
        return;
    memcpy(copy, key.data, key.len);
    evs_bytes kept = {copy, key.len};
    if (!evs__table_set(&recorder->index, kept, note))
        recorder->pool->failed = 1;
}

void evs__record_visit(evs__recorder *recorder, const evs__visit *visit)
{
    char space[sizeof(evs__place) + 1];
    evs_bytes key;
    evs__visit *old = find(recorder, &visit->place, &key, 'v', space);
    if (old != NULL) {
        old->value = evs__value_join(recorder->pool, old->value, visit->value);
        old->unsure |= visit->unsure;
        return;
    }
    evs__visit *copy = evs__pool_alloc(recorder->pool, 1, sizeof *copy);
    evs__visit **visits = room(recorder->pool, recorder->visits, recorder->nvisits,
                               &recorder->visits_cap, sizeof *visits);
    if (copy == NULL || visits == NULL)
        return;
    *copy = *visit;
    recorder->visits = visits;
    visits[recorder->nvisits++] = copy;
    add_index(recorder, key, copy);
}

void evs__record_call(evs__recorder *recorder, const evs__called *called)
{
    char space[sizeof(evs__place) + 1];
    evs_bytes key;
    evs__called *old = find(recorder, &called->place, &key, 'c', space);
    if (old != NULL) {
        old->args = evs__seq_join(recorder->pool, &old->args, &called->args);
        old->doubtful |= called->doubtful;
        return;
    }
    evs__called *copy = evs__pool_alloc(recorder->pool, 1, sizeof *copy);
    evs__called **all = room(recorder->pool, recorder->called, recorder->ncalled,
                             &recorder->called_cap, sizeof *all);
    if (copy == NULL || all == NULL)
        return;
    *copy = *called;
    recorder->called = all;
    all[recorder->ncalled++] = copy;
    add_index(recorder, key, copy);
}

/* Is a note with this text as its key the first one? `format` and what follows make the key. */
static int is_first(evs__recorder *recorder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int is_first(evs__recorder *recorder, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    evs_bytes key = evs_text(text);
    if (evs__table_get(&recorder->index, key) != NULL)
        return 0;
    add_index(recorder, key, recorder);
    return !recorder->pool->failed;
}

void evs__record_gap(evs__recorder *recorder, evs_span at, const char *reason)
{
    if (!is_first(recorder, "g%d:%d:%s", at.line, at.column, reason))
        return;
    evs__gap *gaps = room(recorder->pool, recorder->gaps, recorder->ngaps, &recorder->gaps_cap,
                          sizeof *gaps);
    if (gaps == NULL)
        return;
    recorder->gaps = gaps;
    gaps[recorder->ngaps].at = at;
    gaps[recorder->ngaps++].reason = reason;
}

void evs__record_access(evs__recorder *recorder, const evs__noted_access *access)
{
    if (!is_first(recorder, "a%d:%d:%d:%zu", (int)access->given, (int)access->kind, access->index,
                  access->at.start))
        return;
    evs__noted_access *all = room(recorder->pool, recorder->accesses, recorder->naccesses,
                                  &recorder->accesses_cap, sizeof *all);
    if (all == NULL)
        return;
    recorder->accesses = all;
    all[recorder->naccesses++] = *access;
}

void evs__record_revival(evs__recorder *recorder, const evs__noted_revival *revival)
{
    if (!is_first(recorder, "r%d:%zu:%zu", revival->index, revival->deleted_at.start,
                  revival->at.start))
        return;
    evs__noted_revival *all = room(recorder->pool, recorder->revivals, recorder->nrevivals,
                                   &recorder->revivals_cap, sizeof *all);
    if (all == NULL)
        return;
    recorder->revivals = all;
    all[recorder->nrevivals++] = *revival;
}

void evs__record_never(evs__recorder *recorder, const evs__function *function)
{
    const evs__function **all = room(recorder->pool, recorder->never, recorder->nnever,
                                     &recorder->never_cap, sizeof *all);
    if (all == NULL)
        return;
    recorder->never = all;
    all[recorder->nnever++] = function;
}

static evs_bytes pointer_key(const void *const *node)
{
    evs_bytes key = {(const char *)node, sizeof *node};
    return key;
}

void evs__record_reached(evs__recorder *recorder, const void *node)
{
    if (evs__recorder_reached(recorder, node))
        return;
    const void **kept = evs__pool_alloc(recorder->pool, 1, sizeof *kept);
    if (kept == NULL)
        return;
    *kept = node;
    if (!evs__table_set(&recorder->reached, pointer_key(kept), recorder))
        recorder->pool->failed = 1;
}

int evs__recorder_reached(const evs__recorder *recorder, const void *node)
{
    return evs__table_get(&recorder->reached, pointer_key(&node)) != NULL;
}

const char *evs__recorder_name(evs__recorder *recorder, const char *name)
{
    if (name == NULL) {
        recorder->pool->failed = 1;
        return "";
    }
    char *copy = evs__table_get(&recorder->names, evs_text(name));
    if (copy != NULL)
        return copy;
    copy = evs__arena_text(&recorder->pool->arena, name, strlen(name));
    if (copy == NULL || !evs__table_set(&recorder->names, evs_text(copy), copy)) {
        recorder->pool->failed = 1;
        return "";
    }
    return copy;
}
