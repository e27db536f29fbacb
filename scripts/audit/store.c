#include "scripts/audit/store.h"

#include "core/mem.h"
#include "scripts/audit/draft.h"

#include <assert.h>
#include <string.h>

void evs__store_init(evs__store *store, evs__pool *pool)
{
    memset(store, 0, sizeof *store);
    store->pool = pool;
}

void evs__store_free(evs__store *store)
{
    evs__free(store->cells);
    evs__free(store->many);
    evs__free(store->known);
    evs__free(store->seen);
    evs__free(store->journal);
    memset(store, 0, sizeof *store);
}

static int grow_array(void *array, size_t old, size_t cap, size_t size)
{
    void **at = array;
    void *block = evs__realloc_array(*at, cap, size);
    if (block == NULL)
        return 0;
    memset((char *)block + old * size, 0, (cap - old) * size);
    *at = block;
    return 1;
}

/* Slot 0 always exists once there are slots: it takes what has no room after a failure. */
size_t evs__store_slots(evs__store *store, size_t count)
{
    size_t first = store->nslots;
    if (first + count > store->cap) {
        size_t cap = (first + count) * 2 + 64;
        if (!grow_array(&store->cells, store->cap, cap, sizeof *store->cells) ||
            !grow_array(&store->many, store->cap, cap, sizeof *store->many) ||
            !grow_array(&store->known, store->cap, cap, sizeof *store->known) ||
            !grow_array(&store->seen, store->cap, cap, sizeof *store->seen)) {
            store->pool->failed = 1;
            return 0;
        }
        store->cap = cap;
    }
    store->nslots = first + count;
    return first;
}

/* After a failure slots may be missing; the audit is lost then, but must not crash. */
static int exists(const evs__store *store, size_t slot)
{
    assert(slot < store->nslots || store->pool->failed);
    return slot < store->nslots;
}

const evs__value *evs__store_value(const evs__store *store, size_t slot)
{
    return exists(store, slot) ? store->cells[slot].value : NULL;
}

const evs__object *evs__store_object(const evs__store *store, size_t slot)
{
    return exists(store, slot) ? store->cells[slot].object : NULL;
}

static void remember(evs__store *store, const evs__change *change)
{
    evs__changes *writes = store->writes;
    if (writes == NULL)
        return;
    if (writes->count == store->writes_cap) {
        size_t cap = store->writes_cap * 2 + 64;
        evs__change *items = evs__pool_room(store->pool, cap, sizeof *items);
        if (items == NULL)
            return;
        if (writes->count > 0)
            memcpy(items, writes->items, writes->count * sizeof *items);
        writes->items = items;
        store->writes_cap = cap;
    }
    writes->items[writes->count++] = *change;
}

static void write(evs__store *store, size_t slot, evs__cell after)
{
    if (!exists(store, slot))
        return;
    if (store->njournal == store->journal_cap) {
        size_t cap = store->journal_cap * 2 + 256;
        if (!grow_array(&store->journal, store->journal_cap, cap, sizeof *store->journal)) {
            store->pool->failed = 1;
            return;
        }
        store->journal_cap = cap;
    }
    evs__change *entry = &store->journal[store->njournal++];
    entry->slot = slot;
    entry->before = store->cells[slot];
    entry->after = after;
    store->cells[slot] = after;
    remember(store, entry);
}

void evs__store_set(evs__store *store, size_t slot, const evs__value *value)
{
    evs__cell cell = {value, NULL};
    if (exists(store, slot) && store->cells[slot].value != value)
        write(store, slot, cell);
}

void evs__store_set_object(evs__store *store, size_t slot, const evs__object *object)
{
    evs__cell cell = {NULL, object};
    if (exists(store, slot) && store->cells[slot].object != object)
        write(store, slot, cell);
}

void evs__store_make(evs__store *store, size_t slot)
{
    if (!exists(store, slot))
        return;
    if (store->known[slot])
        evs__store_promote(store, slot);
    store->known[slot] = 1;
}

void evs__store_promote(evs__store *store, size_t slot)
{
    if (!exists(store, slot) || store->many[slot])
        return;
    store->many[slot] = 1;
    store->promotions++;
}

int evs__store_is_many(const evs__store *store, size_t slot)
{
    return !exists(store, slot) || store->many[slot];
}

size_t evs__store_mark(const evs__store *store)
{
    return store->njournal;
}

void evs__store_undo(evs__store *store, size_t mark)
{
    while (store->njournal > mark) {
        const evs__change *change = &store->journal[--store->njournal];
        store->cells[change->slot] = change->before;
    }
}

/* How many slots were written since `mark`. */
static size_t slots_since(evs__store *store, size_t mark)
{
    size_t count = 0;
    store->diffs++;
    for (size_t i = mark; i < store->njournal; i++) {
        size_t slot = store->journal[i].slot;
        count += store->seen[slot] != store->diffs;
        store->seen[slot] = store->diffs;
    }
    return count;
}

evs__changes evs__store_diff(evs__store *store, size_t mark)
{
    evs__changes changes = {NULL, 0, 0};
    if (store->njournal <= mark)
        return changes;
    size_t count = slots_since(store, mark);
    changes.items = evs__pool_room(store->pool, count, sizeof *changes.items);
    if (changes.items == NULL)
        return changes;
    store->diffs++;
    store->work += store->njournal - mark;
    for (size_t i = mark; i < store->njournal; i++) {
        const evs__change *entry = &store->journal[i];
        if (store->seen[entry->slot] == store->diffs)
            continue;
        store->seen[entry->slot] = store->diffs;
        changes.items[changes.count] = *entry;
        changes.items[changes.count++].after = store->cells[entry->slot];
    }
    return changes;
}

void evs__store_apply(evs__store *store, const evs__changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        write(store, changes->items[i].slot, changes->items[i].after);
}

static evs__cell join(evs__pool *pool, evs__cell a, evs__cell b)
{
    evs__cell cell = {evs__value_join(pool, a.value, b.value),
                      evs__object_join(pool, a.object, b.object)};
    return cell;
}

static int same(evs__cell a, evs__cell b)
{
    return a.value == b.value && a.object == b.object;
}

/* A slot that only one side changed has, on the other side, what it had at the mark. */
void evs__store_merge(evs__store *store, size_t mark, const evs__changes *other)
{
    evs__changes mine = evs__store_diff(store, mark);
    for (size_t i = 0; i < other->count; i++) {
        const evs__change *change = &other->items[i];
        evs__cell now = store->cells[change->slot];
        evs__cell both = join(store->pool, now, change->after);
        if (!same(both, now))
            write(store, change->slot, both);
    }
    if (mine.count == 0)
        return;
    store->diffs++;
    for (size_t i = 0; i < other->count; i++)
        store->seen[other->items[i].slot] = store->diffs;
    for (size_t i = 0; i < mine.count; i++) {
        const evs__change *change = &mine.items[i];
        if (store->seen[change->slot] == store->diffs)
            continue;
        evs__cell both = join(store->pool, change->after, change->before);
        if (!same(both, change->after))
            write(store, change->slot, both);
    }
}

static void join_missing(evs__store *store, evs__changes *into, const evs__changes *from)
{
    store->diffs++;
    for (size_t i = 0; i < from->count; i++)
        store->seen[from->items[i].slot] = store->diffs;
    for (size_t i = 0; i < into->count; i++) {
        evs__change *change = &into->items[i];
        if (store->seen[change->slot] != store->diffs)
            change->after = join(store->pool, change->after, change->before);
    }
}

/* From now on seen[slot] - base is where a slot is in `changes`, from 1; the others' seen[slot] is
 * not more than base. Returns base. */
static size_t see(evs__store *store, const evs__changes *changes)
{
    size_t base = store->diffs;
    store->diffs += changes->count + 1;
    for (size_t i = 0; i < changes->count; i++)
        store->seen[changes->items[i].slot] = base + 1 + i;
    return base;
}

void evs__changes_join(evs__store *store, evs__changes *into, const evs__changes *more)
{
    if (more->dead)
        return;
    if (into->dead) {
        *into = *more;
        return;
    }
    evs__changes all = {NULL, 0, 0};
    all.items = evs__pool_room(store->pool, into->count + more->count + 1, sizeof *all.items);
    if (all.items == NULL)
        return;
    store->work += into->count + more->count;
    join_missing(store, into, more);
    if (into->count > 0)
        memcpy(all.items, into->items, into->count * sizeof *all.items);
    all.count = into->count;
    size_t base = see(store, into);
    for (size_t i = 0; i < more->count; i++) {
        evs__change change = more->items[i];
        size_t at = store->seen[change.slot];
        if (at > base) {
            all.items[at - base - 1].after = join(store->pool, all.items[at - base - 1].after,
                                                  change.after);
            continue;
        }
        change.after = join(store->pool, change.after, change.before);
        all.items[all.count++] = change;
    }
    *into = all;
}

static evs__cell grown(evs__store *store, evs__cell old, evs__cell tail, int widen)
{
    if (!widen)
        return join(store->pool, old, tail);
    evs__cell cell = {evs__value_widen(store->pool, old.value, tail.value),
                      evs__object_widen(store->pool, old.object, tail.object)};
    return cell;
}

int evs__changes_widen(evs__store *store, evs__changes *into, evs__changes *more)
{
    size_t base = see(store, into), count = 0;
    for (size_t i = 0; i < more->count; i++) {
        evs__change change = more->items[i];
        size_t at = store->seen[change.slot];
        evs__cell old = at > base ? into->items[at - base - 1].after : change.before;
        if (same(old, change.after))
            continue;
        evs__cell both = grown(store, old, change.after, 1);
        if (same(both, old))
            continue;
        change.after = both;
        more->items[count++] = change;
    }
    more->count = count;
    if (count > 0)
        evs__changes_join(store, into, more);
    return count > 0;
}

/* Is widening `old` by `now` surely `old`? */
static int covers(evs__cell old, evs__cell now)
{
    if (same(old, now))
        return 1;
    if (now.object != NULL && now.object != old.object)
        return 0;
    return now.value == NULL || now.value == old.value ||
           (old.value != NULL && evs__value_covers(old.value, now.value));
}

int evs__changes_cover(evs__store *store, const evs__changes *into, size_t mark)
{
    size_t base = see(store, into);
    for (size_t i = mark; i < store->njournal; i++) {
        const evs__change *entry = &store->journal[i];
        size_t at = store->seen[entry->slot];
        if (at == store->diffs)
            continue; /* met already */
        store->seen[entry->slot] = store->diffs;
        evs__cell old = at > base ? into->items[at - base - 1].after : entry->before;
        if (!covers(old, store->cells[entry->slot]))
            return 0;
    }
    store->work += store->njournal > mark ? store->njournal - mark : 0;
    return 1;
}

int evs__store_grow(evs__store *store, const evs__changes *tail, int widen)
{
    int changed = 0;
    for (size_t i = 0; i < tail->count; i++) {
        size_t slot = tail->items[i].slot;
        evs__cell now = store->cells[slot];
        evs__cell both = grown(store, now, tail->items[i].after, widen);
        if (same(both, now))
            continue;
        write(store, slot, both);
        changed = 1;
    }
    return changed;
}

void evs__store_collect(evs__store *store, evs__collection *collection)
{
    memset(collection, 0, sizeof *collection);
    collection->outer = store->writes;
    collection->outer_cap = store->writes_cap;
    store->writes = &collection->writes;
    store->writes_cap = 0;
}

/* The writes of this collection count for the one around it too, whose own end may be an error. */
void evs__store_collected(evs__store *store, evs__collection *collection)
{
    store->writes = collection->outer;
    store->writes_cap = collection->outer_cap;
    for (size_t i = 0; i < collection->writes.count; i++) {
        const evs__change *change = &collection->writes.items[i];
        remember(store, change);
        evs__cell now = store->cells[change->slot];
        evs__cell both = join(store->pool, now, join(store->pool, change->before, change->after));
        if (!same(both, now))
            write(store, change->slot, both);
    }
}
