/*
 * shardmap.h - which shard a key lives on.
 *
 * A map is read from YAML (docs/shard-map.md) and never changes once made. Placement is decided by
 * names and the file alone: a dead shard moves no key. Maps are counted: evs_shardmap_ref adds a
 * holder, evs_shardmap_free drops one. Any thread may read a map it holds; the count is atomic.
 *
 * Shards are numbered from 0 over all pools, in the order of the file.
 */
#ifndef EVALSHARD_SHARDMAP_H
#define EVALSHARD_SHARDMAP_H

#include <evalshard/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_shardmap evs_shardmap;
typedef struct evs_diagnostics evs_diagnostics;

/* Where one shard is. All text is borrowed from the map. */
typedef struct evs_shard_info {
    const char *name;
    const char *pool;
    const char *address; /* as in the map: host:port, [v6]:port or unix:/path; of a shard that
                          * sentinels watch, sentinel:GROUP/NAME */
    const char *note;    /* "" when there is none */
    unsigned weight;
    int db;
    const char *state;     /* "active", "draining" or "readonly" */
    const char *read_from; /* of its pool: "primary", "prefer_replica" or "replica" */
} evs_shard_info;

/* Where one key goes. Text is borrowed from the map, `tag` from the key. */
typedef struct evs_route {
    size_t shard;  /* number of the shard */
    evs_bytes tag; /* the part of the key that was hashed: the hash tag, or the whole key */
} evs_route;

/* Reads the YAML shard map at `path`. `*out` is yours to free.
 *
 * Fails with EVS_E_YAML when the file cannot be read or is not YAML, EVS_E_CONFIG when it is not a
 * usable map, EVS_E_SECRET when only a secret is missing; `err` then has the first problem. With
 * `diags` not NULL, `*diags` gets every problem and warning, also when the map is usable, and is
 * yours to free in both cases. */
EVS_API evs_status evs_shardmap_load(evs_shardmap **out, const char *path, evs_diagnostics **diags,
                                     evs_error *err);

/* The same from memory. `name` stands for the file name in messages. */
EVS_API evs_status evs_shardmap_parse(evs_shardmap **out, evs_bytes yaml, const char *name,
                                      evs_diagnostics **diags, evs_error *err);

/* As evs_shardmap_load, and looks at no file and environment variable that the map names: for a
 * check far from where the map is used. The map has no passwords then. */
EVS_API evs_status evs_shardmap_load_bare(evs_shardmap **out, const char *path,
                                          evs_diagnostics **diags, evs_error *err);
EVS_API evs_status evs_shardmap_parse_bare(evs_shardmap **out, evs_bytes yaml, const char *name,
                                           evs_diagnostics **diags, evs_error *err);

/* The shard map `yaml` in its canonical form: two blanks a level, one behind ":" and ",", comments
 * of neighbouring lines below each other, no more than one blank line in a row. Nothing else
 * changes: texts, quotes, comments and the order of keys stay. Formatting twice is formatting once.
 * `*out` is NUL-terminated, yours to free with evs_text_free (audit.h). `name` and `diags` are as
 * of evs_shardmap_parse; files that the map names are not looked at.
 * Fails as evs_shardmap_parse does, and with EVS_E_INVALID for a map that cannot be formatted
 * without a risk. */
EVS_API evs_status evs_shardmap_format(char **out, evs_bytes yaml, const char *name,
                                       evs_diagnostics **diags, evs_error *err);

/* A JSON Schema (draft 7) of shard maps, for editors: every key with its words, limits and a
 * sentence. Every usable map is valid; a valid one may still be unusable. `*out` is NUL-terminated,
 * yours to free with evs_text_free (audit.h). Fails with EVS_E_NOMEM. */
EVS_API evs_status evs_shardmap_schema(char **out, evs_error *err);

/* Writes the shard map that places keys as the pool `pool` of the twemproxy configuration at `path`
 * does; NULL: the only pool. `*out` is NUL-terminated YAML, yours to free with evs_text_free
 * (audit.h). What has no counterpart in a map is a warning in `*diags`, which is yours to free.
 * Fails as evs_shardmap_load does, and leaves `*out` alone then. */
EVS_API evs_status evs_shardmap_import_twemproxy(char **out, const char *path, const char *pool,
                                                 evs_diagnostics **diags, evs_error *err);

/* A map of other servers, which are reached like shard number `shard` of `map`: with its login,
 * TLS, db and time limits. `addresses` are separated by commas, as those of a cluster are in
 * evs_shard_info. The new map has one pool with the name of the shard's own; its shards are called
 * "1", "2", ... It is for asking servers that no map names, such as the nodes of a cluster: where
 * it puts keys means nothing. `*out` is yours to free.
 * Fails with EVS_E_INVALID for a number past the end, EVS_E_CONFIG for what is no address. */
EVS_API evs_status evs_shardmap_elsewhere(evs_shardmap **out, const evs_shardmap *map, size_t shard,
                                          const char *addresses, evs_error *err);

/* A map of the sentinels that watch shard number `shard` of `map`, for asking each of them on its
 * own: by the login and TLS of their group, with the time limits of the shard. The new map has one
 * pool with the name of the group; its shards are called "1", "2", ... in the order of the group.
 * `*out` is yours to free.
 * Fails with EVS_E_INVALID for a number past the end, and for a shard that none watch. */
EVS_API evs_status evs_shardmap_sentinels(evs_shardmap **out, const evs_shardmap *map, size_t shard,
                                          evs_error *err);

/* Adds a holder; returns `map`. */
EVS_API evs_shardmap *evs_shardmap_ref(evs_shardmap *map);

/* Drops a holder; the last one frees the map. */
EVS_API void evs_shardmap_free(evs_shardmap *map);

/* The map's own name (its key `name`, else the stem of the file's name). */
EVS_API const char *evs_shardmap_name(const evs_shardmap *map);

/* The number ops raise when keys may move; 0 when the file has none. */
EVS_API uint64_t evs_shardmap_generation(const evs_shardmap *map);

/* XXH64 over everything that enters placement: equal fingerprints place every key alike. */
EVS_API uint64_t evs_shardmap_fingerprint(const evs_shardmap *map);

/* May a running client take `next` in place of `old`? EVS_OK when no key moves unless that is
 * meant.
 *
 * Fails with EVS_E_CONFIG: E111 when the generation of `next` is smaller; E110 when it is the same
 * and `next` moves keys, because placement differs (the message has the share of keys of a sample),
 * or because a server of one shard belongs to a shard of another name or ring name. The message
 * begins with file, line and column of `generation` when `next` has a file or a name. */
EVS_API evs_status evs_shardmap_may_follow(const evs_shardmap *old, const evs_shardmap *next,
                                           evs_error *err);

/* The number of shards over all pools, and of pools. */
EVS_API size_t evs_shardmap_count(const evs_shardmap *map);
EVS_API size_t evs_shardmap_pool_count(const evs_shardmap *map);

/* How one pool places keys. Text is borrowed from the map. */
typedef struct evs_pool_info {
    const char *name;
    const char *distribution; /* as in the map: "rendezvous" */
    const char *hash;         /* of keys; a variant has a name of its own */
    uint32_t fingerprint;     /* of this pool alone: what expect_fingerprint is compared with */
    size_t first_shard;       /* its shards are first_shard .. first_shard + shards - 1 */
    size_t shards;
} evs_pool_info;

/* Pool number `pool`, from 0. Fails with EVS_E_INVALID past the end. */
EVS_API evs_status evs_shardmap_pool(evs_pool_info *out, const evs_shardmap *map, size_t pool,
                                     evs_error *err);

/* Shard number `shard`. Fails with EVS_E_INVALID past the end. */
EVS_API evs_status evs_shardmap_shard(evs_shard_info *out, const evs_shardmap *map, size_t shard,
                                      evs_error *err);

/* The number of the shard called `name`, or `pool/name` when several pools have one of that name.
 * Fails with EVS_E_INVALID: unknown, or ambiguous without its pool. */
EVS_API evs_status evs_shardmap_find(size_t *out, const evs_shardmap *map, const char *name,
                                     evs_error *err);

/* Where `key` goes: route, then pool, then tag, then hash, then shard.
 * Fails with EVS_E_NO_ROUTE when no route takes the key. */
EVS_API evs_status evs_shardmap_route(evs_route *out, const evs_shardmap *map, evs_bytes key,
                                      evs_error *err);

/* How many problems there are of each kind; NULL has none. */
EVS_API size_t evs_diagnostics_errors(const evs_diagnostics *diags);
EVS_API size_t evs_diagnostics_warnings(const evs_diagnostics *diags);

/* One problem of a map. Text is borrowed from the diagnostics. */
typedef struct evs_diagnostic {
    const char *severity; /* "error", "warning" or "note" */
    const char *code;     /* "E204" */
    const char *message;
    const char *hint; /* "" when there is none */
    int line;         /* from 1; 0 when it concerns no line */
    int column;       /* in characters, from 1 */
} evs_diagnostic;

/* All of them in the order of the file: errors, warnings and notes; NULL has none. `at` fails with
 * EVS_E_INVALID past the end. */
EVS_API size_t evs_diagnostics_count(const evs_diagnostics *diags);
EVS_API evs_status evs_diagnostics_at(evs_diagnostic *out, const evs_diagnostics *diags,
                                      size_t index, evs_error *err);

/* All problems as text for a person: `file:line:col: error[E204]: ...`, source line, caret, hint.
 * Borrowed from `diags`, NUL-terminated, "" when there are none. */
EVS_API const char *evs_diagnostics_text(const evs_diagnostics *diags);

EVS_API void evs_diagnostics_free(evs_diagnostics *diags);

#ifdef __cplusplus
}
#endif

#endif
