#include "scripts/engine/lane.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/exec.h"
#include "scripts/engine/heal.h"
#include "scripts/engine/lease.h"
#include "scripts/engine/note.h"
#include "scripts/engine/primary.h"
#include "scripts/render.h"

#include <stddef.h>

enum { MOST_LOADED_BYTES = 1024 * 1024 };

typedef struct evs__load {
    evs__request request; /* first */
    evs__ring ring;       /* in the lane's loads */
    evs__lane *lane;
    const evs_script *script;
    int nobodys; /* no call asked for it: evs__lane_preload */
} evs__load;

/* ---- life ---- */

static evs__tallies *share(const evs__lane *lane)
{
    lane->tallies->holders++;
    return lane->tallies;
}

/* What the map says of calls. */
static void take_rules(evs__lane *lane)
{
    int waits = lane->at->login.link.waits;
    lane->attempts = (unsigned char)lane->at->attempts;
    lane->patience = 0;
    lane->careful = lane->client->options.order == EVS_ORDER_STRICT ||
                    lane->at->state != EVS__STATE_ACTIVE;
    if (lane->client->options.patience == EVS_PATIENCE_NONE)
        return;
    if (lane->attempts > 0)
        lane->patience |= EVS__MAY_REST;
    if (lane->attempts > 0 || waits)
        lane->patience |= EVS__MAY_AWAIT;
}

int evs__lane_init(evs__lane *lane, evs_client *client, const evs__shard *at,
                   const evs__lane *heir_of)
{
    lane->client = client;
    lane->at = at;
    take_rules(lane);
    lane->home = lane;
    lane->known = &lane->few;
    lane->nwords = 1;
    evs__ring_init(&lane->loads);
    evs__ring_init(&lane->heals);
    evs__ring_init(&lane->execs);
    evs__ring_init(&lane->waiting);
    lane->watched = client->options.order == EVS_ORDER_STRICT;
    lane->tallies = heir_of != NULL ? share(heir_of) : evs__tallies_new();
    return lane->tallies != NULL;
}

evs__lane *evs__lane_new(evs_client *client, evs_shardmap *map, size_t shard,
                         const evs__lane *heir_of)
{
    evs__lane *lane = evs__zalloc_lines(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    if (!evs__lane_init(lane, client, &map->shards[shard], heir_of)) {
        evs__lane_free(lane);
        return NULL;
    }
    lane->map = evs_shardmap_ref(map);
    return lane;
}

void evs__lane_renew(evs__lane *lane, evs_shardmap *map)
{
    take_rules(lane);
    if (lane->conn != NULL)
        evs__conn_set_login(lane->conn, &lane->at->login);
    for (evs__lease *lease = lane->leases; lease != NULL; lease = lease->next) {
        evs_shardmap *before = lease->lane.map;
        lease->lane.map = evs_shardmap_ref(map);
        evs__lane_renew(&lease->lane, map);
        evs_shardmap_free(before);
    }
}

void evs__lane_set_map(evs__lane *lane, evs_shardmap *map, size_t shard)
{
    evs_shardmap *before = lane->map;
    lane->map = evs_shardmap_ref(map);
    lane->at = &map->shards[shard];
    take_rules(lane);
    if (lane->primary != NULL && lane->primary->lane == lane)
        evs__primary_set_shard(lane->primary);
    if (lane->conn != NULL && lane->primary == NULL)
        evs__conn_set_login(lane->conn, &lane->at->login);
    for (evs__lease *lease = lane->leases; lease != NULL; lease = lease->next)
        evs__lane_set_map(&lease->lane, map, shard);
    evs_shardmap_free(before);
}

void evs__lane_forget_calls(evs__lane *lane)
{
    lane->busy = 0;
    for (evs__lease *lease = lane->leases; lease != NULL; lease = lease->next)
        lease->lane.busy = 0;
}

int evs__lane_is_in_use(const evs__lane *lane)
{
    int used = lane->busy;
    for (const evs__lease *lease = lane->leases; lease != NULL; lease = lease->next)
        used |= lease->taken || lease->lane.busy;
    return used;
}

void evs__lane_close(evs__lane *lane)
{
    evs__conns *conns = lane->client->conns;
    for (const evs__lease *lease = lane->leases; lease != NULL; lease = lease->next)
        evs__conns_close(conns, lease->lane.conn);
    if (lane->conn != NULL)
        evs__conns_close(conns, lane->conn);
}

static void forget(evs__lane *lane)
{
    lane->preloaded = 0;
    memset(lane->known, 0, lane->nwords * sizeof *lane->known);
    evs__free(lane->loading);
    lane->loading = NULL;
    evs__refusals_free(&lane->refusals);
}

static void drop_load(evs__load *load)
{
    evs__lane *lane = load->lane;
    evs__ring_remove(&load->ring);
    lane->npreloads -= (uint32_t)load->nobodys;
    evs__free(load);
    if (!evs__ring_empty(&lane->loads))
        return;
    evs__free(lane->loading);
    lane->loading = NULL;
}

static evs__load *load_of(evs__ring *ring)
{
    return (evs__load *)((char *)ring - offsetof(evs__load, ring));
}

void evs__lane_clear(evs__lane *lane)
{
    while (!evs__ring_empty(&lane->loads))
        drop_load(load_of(lane->loads.next));
    evs__heals_drop(lane);
    evs__execs_drop(lane);
    evs__leases_free(lane);
    evs__tallies_free(lane->tallies);
    if (lane->primary != NULL && lane->primary->lane == lane)
        evs__primary_free(lane->primary);
    forget(lane);
    if (lane->known != &lane->few)
        evs__free(lane->known);
    evs_shardmap_free(lane->map);
}

void evs__lane_free(evs__lane *lane)
{
    if (lane != NULL)
        evs__lane_clear(lane);
    evs__free(lane);
}

evs_status evs__lane_connect(evs__lane *lane, evs_error *err)
{
    const evs__login *login = lane->primary == NULL ? &lane->at->login : &lane->primary->login;
    evs_status made = evs__conns_make(&lane->conn, lane->client->conns, login, err);
    if (made != EVS_OK)
        return made;
    if (lane->primary != NULL)
        evs__primary_watch(lane->primary, lane->conn);
    lane->epoch = evs__conn_epoch(lane->conn);
    return EVS_OK;
}

/* Before a call asks for it. */
static void load_for_nobody(evs__lane *lane, const evs_script *script)
{
    if (!evs__lane_load(lane, script))
        return;
    load_of(lane->loads.prev)->nobodys = 1;
    lane->npreloads++;
}

/* The next server may be another one, which has replaced the first: what was in use goes there in
 * front of the first call, up to a bound; the rest with the first call of each. */
static void start_anew(evs__lane *lane)
{
    size_t nwords = lane->nwords;
    uint64_t *known = nwords == 0 ? NULL : evs__alloc_array(nwords, sizeof *known);
    if (known != NULL)
        memcpy(known, lane->known, nwords * sizeof *known);
    forget(lane);
    for (size_t id = 0; known != NULL && id < nwords * 64; id++) {
        const evs_script *script = evs_registry_at(lane->client->registry, id);
        if (evs__bits_have(known, nwords, id) &&
            evs__conn_queued_bytes(lane->conn) < MOST_LOADED_BYTES)
            load_for_nobody(lane, script);
    }
    evs__free(known);
}

evs_status evs__lane_prepare(evs__lane *lane, uint64_t until, evs_error *err)
{
    evs_status status = EVS_OK;
    if (lane->conn == NULL)
        status = evs__lane_connect(lane, err);
    if (status != EVS_OK)
        return status;
    if (lane->primary != NULL)
        evs__primary_check(lane->primary, lane->conn);
    status = until == 0 ? evs__conn_prepare(lane->conn, err)
                        : evs__conn_await(lane->conn, until, err);
    uint64_t epoch = evs__conn_epoch(lane->conn);
    if (epoch == lane->epoch)
        return status;
    lane->epoch = epoch;
    if (status == EVS_OK && lane->primary != NULL)
        start_anew(lane);
    else
        forget(lane);
    return status;
}

/* Being full is what a connection looks at last. */
evs_status evs__lane_readmit(evs__lane *lane, uint64_t until, evs_error *err)
{
    evs_error why;
    evs_status status = evs__lane_prepare(lane, until, &why);
    if (status == EVS_OK || status == EVS_E_QUEUE_FULL)
        return EVS_OK;
    if (err != NULL)
        *err = why;
    return status;
}

/* ---- marks ---- */

static size_t loading_words(const evs__lane *lane)
{
    return lane->loading == NULL ? 0 : lane->nwords;
}

/* The first word may be in the lane itself. */
static int grow_known(evs__lane *lane, size_t to)
{
    uint64_t *bits = lane->known == &lane->few ? NULL : lane->known;
    if (!evs__bits_grow(&bits, bits == NULL ? 0 : lane->nwords, to))
        return 0;
    if (lane->known == &lane->few)
        bits[0] = lane->few;
    lane->known = bits;
    return 1;
}

/* Makes room for every script there is. */
static int reserve(evs__lane *lane, const evs_script *script)
{
    if (script->id / 64 < lane->nwords)
        return 1;
    size_t nwords = evs_registry_count(lane->client->registry) / 64 + 1;
    if (lane->loading != NULL && !evs__bits_grow(&lane->loading, lane->nwords, nwords))
        return 0;
    if (!grow_known(lane, nwords))
        return 0;
    lane->nwords = (uint32_t)nwords;
    return 1;
}

void evs__lane_set_unknown(evs__lane *lane, const evs_script *script)
{
    evs__bits_clear(lane->known, lane->nwords, script->id);
    evs__bits_clear(lane->loading, loading_words(lane), script->id);
}

void evs__lane_set_known(evs__lane *lane, const evs_script *script)
{
    if (!reserve(lane, script))
        return;
    evs__bits_set(lane->known, script->id);
    evs__bits_clear(lane->loading, loading_words(lane), script->id);
}

static int set_loading(evs__lane *lane, const evs_script *script)
{
    if (!reserve(lane, script))
        return 0;
    if (lane->loading == NULL && !evs__bits_grow(&lane->loading, 0, lane->nwords))
        return 0;
    evs__bits_set(lane->loading, script->id);
    evs__bits_clear(lane->known, lane->nwords, script->id);
    return 1;
}

evs__mark evs__lane_mark(const evs__lane *lane, const evs_script *script)
{
    if (evs__lane_knows(lane, script))
        return EVS__MARK_KNOWN;
    if (evs__bits_have(lane->loading, loading_words(lane), script->id))
        return EVS__MARK_LOADING;
    const evs__refusal *refusal = evs__refusal_find(lane->refusals, script);
    return refusal != NULL && refusal->status == EVS_E_COMPILE ? EVS__MARK_BROKEN
                                                               : EVS__MARK_UNKNOWN;
}

/* ---- SCRIPT LOAD ---- */

/* An error reply to SCRIPT LOAD decides no call: EVALSHA's own reply does. */
void evs__lane_refuse(evs__lane *lane, const evs_script *script, evs_bytes text)
{
    evs__note(lane, script, evs__refusal_status(text), "SCRIPT LOAD refused: %.*s", (int)text.len,
              text.data);
    evs__refusal_keep(&lane->refusals, script, text); /* or calls fail without a reason */
    if (evs__refusal_status(text) == EVS_E_COMPILE || !evs__lane_knows(lane, script))
        evs__lane_set_unknown(lane, script);
}

static void loaded(evs__request *request, const evs__answer *answer)
{
    evs__load *load = (evs__load *)request;
    if (answer->got == EVS__GOT_REPLY) {
        evs_bytes text = evs_reply_bytes(answer->reply);
        if (evs_reply_kind(answer->reply) == EVS_REPLY_ERROR)
            evs__lane_refuse(load->lane, load->script, text);
        else if (text.len == 40 && memcmp(text.data, load->script->sha1, 40) == 0)
            evs__lane_set_known(load->lane, load->script);
    }
    drop_load(load);
}

int evs__lane_load(evs__lane *lane, const evs_script *script)
{
    evs__load *load = evs__zalloc_array(1, sizeof *load);
    if (load == NULL)
        return 0;
    load->request.done = loaded;
    load->request.servant = 1;
    load->lane = lane;
    load->script = script;

    evs_bytes args[] = {evs_text("SCRIPT"), evs_text("LOAD"), evs_script_source(script)};
    evs__render_command(evs__conn_begin(lane->conn, &load->request), args, 3);
    if (!evs__conn_end(lane->conn, &load->request)) {
        evs__free(load);
        return 0;
    }
    evs__ring_append(&lane->loads, &load->ring);
    evs__refusal_drop(&lane->refusals, script);
    lane->client->stats.loads++;
    return set_loading(lane, script);
}

/* The pool lets it run. */
static int is_allowed(const evs__lane *lane, const evs_script *script)
{
    return !script->use.denied ||
           lane->home->map->pools[lane->at->pool].audit != EVS__POOL_AUDIT_DENY;
}

void evs__lane_preload(evs__lane *lane)
{
    const evs_registry *registry = lane->client->registry;
    if (!lane->at->preload || lane->preloaded)
        return;
    lane->preloaded = 1;
    for (size_t i = 0; i < evs_registry_count(registry); i++) {
        const evs_script *script = evs_registry_at(registry, i);
        if (is_allowed(lane, script) && evs__lane_mark(lane, script) == EVS__MARK_UNKNOWN)
            load_for_nobody(lane, script);
    }
}
