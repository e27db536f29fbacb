/*
 * route_message.c - messages that name every key of a refused call.
 *
 *     key 1 is on users-a but key 2 is on users-c: 1 "user:1" on users-a, 2 "{b}x" (tag "b") on ...
 *
 * A list that does not fit in a message is cut in the middle. The key that does not fit in with the
 * first one is shown even then.
 */
#include "sharding/route_message.h"

#include "core/error.h"
#include "sharding/route.h"

#include <stdio.h>

enum {
    KEY_ROOM = 80,   /* bytes of a key's text, cut behind that */
    ENTRY_ROOM = 360 /* key, tag, pool and shard, and the words between */
};

/* Writes byte `c` as it is or as \xNN; returns how many characters that takes, without a NUL. */
static size_t put_byte(char out[5], unsigned char c)
{
    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    return (size_t)snprintf(out, 5, "\\x%02x", c);
}

void evs__key_text(char *out, size_t cap, evs_bytes key)
{
    size_t len = 0, fits = 0; /* `fits`: where "..." can still be written */
    for (size_t i = 0; i < key.len; i++) {
        char piece[5];
        size_t n = put_byte(piece, (unsigned char)key.data[i]);
        if (len + n + 1 > cap) {
            snprintf(out + fits, cap - fits, "...");
            return;
        }
        memcpy(out + len, piece, n);
        len += n;
        if (len + 4 <= cap)
            fits = len;
    }
    if (cap > 0)
        out[len] = '\0';
}

/* `shard`, or `pool/shard` when there are several pools. */
static void shard_text(char *out, size_t cap, const evs_shardmap *map, const evs__placing *at)
{
    if (map->npools > 1)
        snprintf(out, cap, "%s/%s", at->pool->name, map->shards[at->shard].name);
    else
        snprintf(out, cap, "%s", map->shards[at->shard].name);
}

/* "on <shard>", or "in slot <number>" of a cluster, with its pool when there are several. */
static void place_text(char *out, size_t cap, const evs_shardmap *map, const evs__placing *at)
{
    char shard[140];
    if (at->pool->cluster == NULL) {
        shard_text(shard, sizeof shard, map, at);
        snprintf(out, cap, "on %s", shard);
    } else if (map->npools > 1) {
        snprintf(out, cap, "in slot %u of %s", at->slot, at->pool->name);
    } else {
        snprintf(out, cap, "in slot %u", at->slot);
    }
}

/* One key of the list: number, text, tag, shard or slot, in ENTRY_ROOM bytes. Returns its length.
 */
static size_t entry(char *out, const evs_shardmap *map, evs__keys keys, size_t index)
{
    char text[KEY_ROOM], tag[KEY_ROOM + 10] = "", where[160] = "on no shard (no route takes it)";
    evs__placing at;
    evs_bytes key = keys.at[index];
    evs__key_text(text, sizeof text, key);
    if (evs__route_place(&at, map, key)) {
        char name[KEY_ROOM];
        evs__key_text(name, sizeof name, at.tag);
        if (at.tag.len != key.len)
            snprintf(tag, sizeof tag, " (tag \"%s\")", name);
        place_text(where, sizeof where, map, &at);
    }
    int n = snprintf(out, ENTRY_ROOM, "%zu \"%s\"%s %s", index + 1, text, tag, where);
    return n < ENTRY_ROOM ? (size_t)n : ENTRY_ROOM - 1;
}

static void append(char *out, size_t cap, const char *text)
{
    size_t len = strlen(out);
    snprintf(out + len, cap - len, "%s", text);
}

/* How many keys fit in front of and behind the cut, taken in turn from both ends. */
typedef struct cut {
    size_t head, tail;
} cut;

static cut choose(const evs_shardmap *map, evs__keys keys, size_t odd, size_t room)
{
    char one[ENTRY_ROOM];
    cut c = {0, 0};
    size_t used = 60 + entry(one, map, keys, odd); /* the words at the cut, and the odd key */
    while (c.head + c.tail < keys.count) {
        int front = c.head <= c.tail;
        size_t index = front ? c.head : keys.count - 1 - c.tail;
        used += entry(one, map, keys, index) + 2;
        if (used > room)
            break;
        if (front)
            c.head++;
        else
            c.tail++;
    }
    return c;
}

/* Stands for the keys inside the cut, and shows the odd one if it is among them. */
static void left_out(char *out, const evs_shardmap *map, evs__keys keys, size_t odd, cut c)
{
    char one[ENTRY_ROOM];
    size_t from = c.head, to = keys.count - c.tail;
    int has_odd = odd >= from && odd < to;
    if (has_odd)
        entry(one, map, keys, odd);
    snprintf(out, ENTRY_ROOM + 64, "... %zu keys left out ...%s%s",
             to - from - (size_t)(has_odd != 0), has_odd ? ", " : "", has_odd ? one : "");
}

/* Appends the keys to `out`, as many as fit; key `odd` in any case. */
static void list(char *out, size_t cap, const evs_shardmap *map, evs__keys keys, size_t odd)
{
    char words[ENTRY_ROOM + 64];
    cut c = choose(map, keys, odd, cap - strlen(out) - 1);

    for (size_t i = 0; i < keys.count; i++) {
        append(out, cap, i == 0 ? ": " : ", ");
        if (i == c.head && c.head + c.tail < keys.count) {
            left_out(words, map, keys, odd, c);
            i = keys.count - c.tail - 1;
        } else {
            entry(words, map, keys, i);
        }
        append(out, cap, words);
    }
}

evs_status evs__fail_no_route(evs_error *err, const evs_shardmap *map, evs_bytes key)
{
    char text[KEY_ROOM];
    evs__key_text(text, sizeof text, key);
    return evs__fail(err, EVS_E_NO_ROUTE,
                     "no route takes the key \"%s\" (%zu route%s, none of them default)", text,
                     map->nroutes, map->nroutes == 1 ? "" : "s");
}

evs_status evs__fail_cross_shard(evs_error *err, const evs_shardmap *map, evs__keys keys,
                                 size_t odd)
{
    evs__placing here, there;
    char message[sizeof err->message], first[140], other[140];
    evs__route_place(&here, map, keys.at[0]);
    evs__route_place(&there, map, keys.at[odd]);
    shard_text(first, sizeof first, map, &here);
    shard_text(other, sizeof other, map, &there);
    snprintf(message, sizeof message, "key 1 is on shard %s but key %zu is on shard %s", first,
             odd + 1, other);
    list(message, sizeof message, map, keys, odd);
    return evs__fail(err, EVS_E_CROSS_SHARD, "%s", message);
}

evs_status evs__fail_cross_slot(evs_error *err, const evs_shardmap *map, evs__keys keys, size_t odd)
{
    evs__placing here, there;
    char message[sizeof err->message];
    evs__route_place(&here, map, keys.at[0]);
    evs__route_place(&there, map, keys.at[odd]);
    snprintf(message, sizeof message,
             "key 1 is in slot %u but key %zu is in slot %u of the cluster \"%s\"", here.slot,
             odd + 1, there.slot, here.pool->name);
    list(message, sizeof message, map, keys, odd);
    return evs__fail(err, EVS_E_CROSS_SLOT, "%s", message);
}

evs_status evs__fail_mixed_tags(evs_error *err, const evs_shardmap *map, evs__keys keys)
{
    evs__placing at;
    char message[sizeof err->message];
    evs__route_place(&at, map, keys.at[0]);
    snprintf(message, sizeof message,
             "keys with different hash tags share a shard only by luck (pool \"%s\" has "
             "require_same_tag: error)",
             at.pool->name);
    list(message, sizeof message, map, keys, 0);
    return evs__fail(err, EVS_E_TAG, "%s", message);
}
