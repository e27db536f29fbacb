/*
 * reload.c - one map after another in a running client.
 *
 * What can fail happens first, then map and lanes change together. A lane whose shard is in the
 * next map, at the same server, goes on with connection and marks; so does one that stands for a
 * cluster, with its nodes (cluster_map.c). Any other is retired: no new call comes to it, and it is
 * freed when the last of its calls is finished, from a timer, so never below a completion that
 * still uses it.
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/followers.h"
#include "scripts/engine/lease.h"
#include "scripts/engine/note.h"
#include "scripts/engine/primary.h"

/* ---- retired lanes ---- */

static void retire(evs_client *client, evs__lane *lane)
{
    lane->retired = lane->watched = 1;
    for (evs__lease *lease = lane->leases; lease != NULL; lease = lease->next)
        lease->lane.retired = lease->lane.watched = 1;
    lane->next = client->retired;
    client->retired = lane;
}

void evs__client_retire_soon(evs_client *client)
{
    evs__timer_start(client->retiring, 0);
}

static void forget_calls(evs__lane *lane)
{
    evs__lane_forget_calls(lane);
    if (lane->cluster != NULL)
        evs__cluster_forget_calls(lane->cluster);
    if (evs__followers_of(lane) != NULL)
        evs__followers_forget_calls(evs__followers_of(lane));
}

static int is_in_use(const evs__lane *lane)
{
    return evs__lane_is_in_use(lane) ||
           (lane->cluster != NULL && evs__cluster_is_in_use(lane->cluster)) ||
           (evs__followers_of(lane) != NULL && evs__followers_are_in_use(evs__followers_of(lane)));
}

static void free_lane(evs__lane *lane)
{
    evs__cluster *cluster = lane->cluster;
    if (cluster != NULL)
        evs__cluster_stop(cluster);
    evs__lane_clear(lane);
    if (cluster != NULL)
        evs__cluster_free(cluster);
    evs__free(lane);
}

/* What is still queued belongs to calls whose callers have been released. */
static void end_lane(evs__lane *lane)
{
    if (lane->cluster != NULL)
        evs__cluster_close(lane->cluster);
    if (evs__followers_of(lane) != NULL)
        evs__followers_close(evs__followers_of(lane));
    evs__lane_close(lane);
    free_lane(lane);
}

/* Of lanes that are in use; replicas come and go there. */
static void each_followers(const evs_client *client, void (*each)(evs__followers *followers))
{
    for (size_t i = 0; i < client->nlanes; i++)
        if (evs__followers_of(client->lanes[i]) != NULL)
            each(evs__followers_of(client->lanes[i]));
}

/* Of the retired lanes those that are not in use, in a list of their own. */
static evs__lane *take_finished(evs_client *client)
{
    evs__lane *finished = NULL, **at = &client->retired;
    while (*at != NULL) {
        evs__lane *lane = *at;
        if (is_in_use(lane)) {
            at = &lane->next;
            continue;
        }
        *at = lane->next;
        lane->next = finished;
        finished = lane;
    }
    return finished;
}

/* Ends run callbacks, in which others may retire. */
static void end_all(evs__lane *lane)
{
    while (lane != NULL) {
        evs__lane *next = lane->next;
        end_lane(lane);
        lane = next;
    }
}

static void free_finished(void *owner)
{
    evs_client *client = owner;
    if (client->conns == NULL)
        return;
    for (evs__lane *lane = client->retired; lane != NULL; lane = lane->next)
        forget_calls(lane);
    each_followers(client, evs__followers_forget_calls);
    evs__calls_mark_lanes(&client->calls);
    each_followers(client, evs__followers_prune);
    end_all(take_finished(client));
}

void evs__client_free_lanes(evs_client *client)
{
    for (size_t i = 0; client->lanes != NULL && i < client->nlanes; i++)
        free_lane(client->lanes[i]);
    evs__free(client->lanes);
    while (client->retired != NULL) {
        evs__lane *lane = client->retired;
        client->retired = lane->next;
        free_lane(lane);
    }
}

/* ---- from lanes to lanes ---- */

/* The lane of the same pool and name in the map there is; NULL when there is none. */
static evs__lane *lane_before(const evs_client *client, const evs_shardmap *map, size_t shard)
{
    size_t number;
    const evs__shard *now = &map->shards[shard];
    evs_bytes pool = evs_text(map->pools[now->pool].name);
    if (client->map == NULL || !evs__shardmap_lookup(&number, client->map, pool, now->name))
        return NULL;
    return client->lanes[number];
}

static int stays(const evs__lane *before, const evs_shardmap *map, size_t shard)
{
    int is_cluster = map->pools[map->shards[shard].pool].cluster != NULL;
    if (before->cluster != NULL)
        return is_cluster && evs__cluster_stays(before->cluster, map, shard);
    return !is_cluster && evs__login_same(&before->at->login, &map->shards[shard].login);
}

/* Replicas that the map lets be read from are followed. 0 when out of memory. */
static int follow(evs__primary *primary, const evs_shardmap *map, size_t shard)
{
    if (map->pools[map->shards[shard].pool].read_from != EVS__READ_PRIMARY &&
        primary->followers == NULL)
        primary->followers = evs__followers_new(primary);
    return map->pools[map->shards[shard].pool].read_from == EVS__READ_PRIMARY ||
           primary->followers != NULL;
}

/* The sentinels of the lane's shard are asked where it is. 0 when out of memory. */
static int watch(evs__lane *lane, evs_shardmap *map, size_t shard)
{
    evs__sentinels *group = evs__sentinels_hold(lane->client, map, lane->at->sentinel);
    if (group == NULL)
        return 0;
    lane->primary = evs__primary_new(lane, group);
    if (lane->primary == NULL)
        evs__sentinels_drop(group);
    return lane->primary != NULL && follow(lane->primary, map, shard);
}

/* A lane that stays may get other sentinels, or seeds. 0 when out of memory. */
static int keep(evs__lane *lane, evs_shardmap *map, size_t shard)
{
    lane->kept = 1;
    if (lane->cluster != NULL)
        return evs__cluster_expect(lane->cluster, map, shard);
    if (lane->primary == NULL)
        return 1;
    lane->primary->later = evs__sentinels_hold(lane->client, map, map->shards[shard].sentinel);
    return lane->primary->later != NULL && follow(lane->primary, map, shard);
}

/* It stays as it is. */
static void unkeep(evs__lane *lane)
{
    lane->kept = 0;
    if (lane->primary == NULL || lane->primary->later == NULL)
        return;
    evs__sentinels_drop(lane->primary->later);
    lane->primary->later = NULL;
}

/* A new lane; that of a cluster's pool with its cluster. NULL when out of memory. */
static evs__lane *new_lane(evs_client *client, evs_shardmap *map, size_t shard,
                           const evs__lane *before)
{
    const evs__pool *pool = &map->pools[map->shards[shard].pool];
    evs__lane *lane = evs__lane_new(client, map, shard, before);
    if (lane != NULL && lane->at->sentinel != NULL && !watch(lane, map, shard)) {
        evs__lane_free(lane);
        return NULL;
    }
    if (lane == NULL || pool->cluster == NULL)
        return lane;
    lane->cluster = evs__cluster_new(lane, pool, before == NULL ? NULL : before->cluster);
    if (lane->cluster != NULL)
        return lane;
    evs__lane_free(lane);
    return NULL;
}

/* A lane per shard: those that stay, else new ones. */
static int make_lanes(evs__lane **lanes, evs_client *client, evs_shardmap *map)
{
    for (size_t i = 0; i < map->nshards; i++) {
        evs__lane *before = lane_before(client, map, i);
        if (before != NULL && stays(before, map, i)) {
            lanes[i] = before;
            if (!keep(before, map, i))
                return 0;
            continue;
        }
        lanes[i] = new_lane(client, map, i, before);
        if (lanes[i] == NULL)
            return 0;
    }
    return 1;
}

static void unmake_lanes(evs__lane **lanes, size_t count)
{
    for (size_t i = 0; lanes != NULL && i < count && lanes[i] != NULL; i++) {
        int kept = lanes[i]->kept;
        if (kept)
            unkeep(lanes[i]);
        else
            free_lane(lanes[i]);
    }
    evs__free(lanes);
}

static void take_lanes(evs_client *client, evs__lane **lanes, evs_shardmap *map)
{
    for (size_t i = 0; i < map->nshards; i++) {
        evs__lane *before = lane_before(client, map, i);
        if (before != NULL && !before->kept)
            before->inherited = 1;
    }
    for (size_t i = 0; i < client->nlanes; i++)
        if (!client->lanes[i]->kept)
            retire(client, client->lanes[i]);
    for (size_t i = 0; i < map->nshards; i++) {
        if (lanes[i]->kept && lanes[i]->cluster != NULL)
            evs__cluster_set_map(lanes[i]->cluster, map, i);
        else if (lanes[i]->kept)
            evs__lane_set_map(lanes[i], map, i);
        lanes[i]->kept = 0;
    }
    evs__free(client->lanes);
    client->lanes = lanes;
    client->nlanes = map->nshards;
}

static void take_map(evs_client *client, evs_shardmap *map)
{
    evs_shardmap *before = client->map;
    client->map_serial += before != NULL;
    client->map = evs_shardmap_ref(map);
    int usual = map->nroutes == 0 && !client->closing && !client->shut &&
                map->pools[0].read_from == EVS__READ_PRIMARY;
    client->usual = usual ? &map->pools[0] : NULL;
    evs__maps_publish(&client->maps, map, client->map_serial);
    evs_shardmap_free(before);
    if (client->thread != NULL)
        evs__thread_set_shards(client->thread, map->nshards);
    if (client->retired != NULL)
        evs__client_retire_soon(client);
}

evs_status evs__client_set_map(evs_client *client, evs_shardmap *map, evs_error *err)
{
    if (client->retiring == NULL)
        client->retiring = evs__timer_new(client->loop, free_finished, client);
    evs__lane **lanes = evs__zalloc_array(map->nshards, sizeof *lanes);
    if (client->retiring == NULL || lanes == NULL || !evs__maps_reserve(&client->maps) ||
        !make_lanes(lanes, client, map)) {
        unmake_lanes(lanes, map->nshards);
        return evs__fail_nomem(err);
    }
    take_lanes(client, lanes, map);
    take_map(client, map);
    return EVS_OK;
}

/* ---- reloading ---- */

/* What a map changes, for the log. */
typedef struct changes {
    size_t same, elsewhere, added, removed;
    uint64_t generation;
} changes;

static changes compare(const evs_client *client, const evs_shardmap *map)
{
    changes c = {.generation = client->map->generation};
    for (size_t i = 0; i < map->nshards; i++) {
        const evs__lane *before = lane_before(client, map, i);
        c.added += before == NULL;
        c.same += before != NULL && stays(before, map, i);
    }
    c.elsewhere = map->nshards - c.same - c.added;
    c.removed = client->nlanes - c.same - c.elsewhere;
    return c;
}

static evs_status replace(evs_client *client, evs_shardmap *map, evs_error *err)
{
    evs_status status = evs_shardmap_may_follow(client->map, map, err);
    changes c = compare(client, map);
    if (status == EVS_OK)
        status = evs__client_set_map(client, map, err);
    if (status != EVS_OK)
        return status;
    evs__free(client->refusal);
    client->refusal = NULL;
    evs__note_client(client, EVS_OK,
                     "map taken, generation %llu after %llu: %zu shards as before, %zu at "
                     "another server, %zu added, %zu removed",
                     (unsigned long long)map->generation, (unsigned long long)c.generation, c.same,
                     c.elsewhere, c.added, c.removed);
    return EVS_OK;
}

evs_status evs__client_reload(evs_client *client, evs_shardmap *map, const char *name,
                              evs_error *err)
{
    evs_error why;
    evs_status status = replace(client, map, &why);
    return status == EVS_OK ? EVS_OK : evs__client_refuse_map(client, name, &why, err);
}

/* For evs_client_map_error. Without memory there is none. */
static void keep_refusal(evs_client *client, const evs_error *why)
{
    if (client->refusal == NULL)
        client->refusal = evs__zalloc_array(1, sizeof *client->refusal);
    if (client->refusal != NULL)
        *client->refusal = *why;
}

evs_status evs__client_refuse_map(evs_client *client, const char *name, const evs_error *why,
                                  evs_error *err)
{
    int says_file = strncmp(why->message, name, strlen(name)) == 0;
    client->stats.reload_failures++;
    keep_refusal(client, why);
    evs__note_client(client, why->status, "the map stays as it was: %s%s%s", says_file ? "" : name,
                     says_file ? "" : ": ", why->message);
    evs__fail_with(err, why);
    return why->status;
}

typedef struct reloading {
    evs_client *client;
    evs_shardmap *map;
} reloading;

static evs_status reload(void *job, evs_error *err)
{
    const reloading *self = job;
    evs_status status = evs__client_check(self->client, 0, err);
    return status == EVS_OK ? evs__client_reload(self->client, self->map, "", err) : status;
}

evs_status evs_client_reload(evs_client *client, evs_shardmap *map, evs_error *err)
{
    reloading self = {client, map};
    evs__start what = {.start = reload, .job = &self};
    if (map == NULL)
        return evs__fail(err, EVS_E_INVALID, "a client needs a map");
    return evs__client_is_elsewhere(client) ? evs__thread_run(client, &what, err)
                                            : reload(&self, err);
}

evs_shardmap *evs_client_map(evs_client *client)
{
    evs__view view = evs__client_view(client);
    evs_shardmap *map = evs_shardmap_ref(view.map);
    evs__view_end(&view);
    return map;
}

typedef struct asking {
    const evs_client *client;
    evs_error *out;
} asking;

static evs_status look_at_refusal(void *job, evs_error *err)
{
    const asking *self = job;
    (void)err;
    return self->client->refusal == NULL ? EVS_OK
                                         : evs__fail_with(self->out, self->client->refusal);
}

evs_status evs_client_refusal(const evs_client *client, evs_error *out)
{
    asking self = {client, out};
    if (evs__fork_mark_is_child(client->fork_mark))
        return evs__client_refuse(client, out);
    return evs__client_look(client, look_at_refusal, &self, NULL);
}
