/*
 * sentinel_conf.c - groups of sentinels, and shards that are where those say.
 *
 * A group inherits nothing: the password of the servers is not that of their sentinels, and the
 * time limits of calls are no help where several are asked at once, of which some may be dead.
 * Addresses are looked at in any case, secrets and files only when some shard uses the group.
 */
#include "conf/address.h"
#include "conf/building.h"
#include "conf/kinds.h"
#include "conf/quoted.h"
#include "core/mem.h"
#include "core/similar.h"

#include <strings.h>

enum {
    MOST_SENTINELS = 64,
    FEW_SENTINELS = 3, /* fewer cannot agree on a failover when one is gone */
    SHORTEST_REFRESH_MS = 1000,
    LONGEST_REFRESH_MS = 60 * 60 * 1000,
    LONGEST_MASTER_NAME = 255
};

typedef struct sentinel_conf {
    const evs__yaml *addresses;
    evs__connection_conf connection;
    unsigned refresh_ms;
    uint64_t quorum_reads;
} sentinel_conf;

typedef struct evs__sentinel_group {
    struct evs__sentinel_group *next;
    const evs__yaml *node;
    const char *name;
    sentinel_conf conf;
    const evs__yaml **at; /* where each address stands */
    evs__login *hosts;
    size_t nhosts;
    evs__sentinel_plan *plan; /* NULL until a shard uses it */
    int used;
} evs__sentinel_group;

#define AT(member) offsetof(sentinel_conf, member)

static const evs__field fields[] = {
    {.name = "addresses", .read = evs__read_node, .offset = AT(addresses)},
    {.name = "tls", .read = evs__read_tls, .offset = AT(connection.tls)},
    {.name = "auth", .read = evs__read_auth, .offset = AT(connection.auth)},
    {.name = "refresh",
     .read = evs__read_duration,
     .offset = AT(refresh_ms),
     .min = SHORTEST_REFRESH_MS,
     .max = LONGEST_REFRESH_MS},
    {.name = "quorum_reads",
     .read = evs__read_integer,
     .offset = AT(quorum_reads),
     .min = 1,
     .max = MOST_SENTINELS},
};

const evs__kind evs__kind_sentinel = {
    .where = "in a group of sentinels",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

/* ---- addresses ---- */

static void complain_count(evs__building *b, evs__range at, size_t count)
{
    evs__complain(b->r.diags, "E270", at, "a group has 1 to %d addresses of sentinels, found %zu%s",
                  MOST_SENTINELS, count, evs__where(&b->r));
    evs__hint(b->r.diags, "addresses: [sentinel-1:26379, sentinel-2:26379, sentinel-3:26379]");
}

static int is_new(evs__building *b, const evs__sentinel_group *group, const evs__endpoint *address,
                  const evs__yaml *at)
{
    for (size_t i = 0; i < group->nhosts; i++) {
        if (!evs__endpoint_same(&group->hosts[i].endpoint, address))
            continue;
        evs__complain(b->r.diags, "E254", at->at, "the sentinel %s is there twice%s",
                      evs__found(&b->r, at), evs__where(&b->r));
        return 0;
    }
    return 1;
}

static int make_room(evs__building *b, evs__sentinel_group *group, size_t count)
{
    group->hosts = evs__arena_zalloc(b->r.arena, count, sizeof *group->hosts);
    group->at = evs__arena_zalloc(b->r.scratch, count, sizeof *group->at);
    if (group->hosts != NULL && group->at != NULL)
        return 1;
    evs__diagnostics_nomem(b->r.diags);
    return 0;
}

static void read_addresses(evs__building *b, evs__sentinel_group *group, const evs__yaml *list)
{
    if (list->kind == EVS__YAML_BAD)
        return;
    if (list->kind != EVS__YAML_LIST) {
        evs__complain(b->r.diags, "E215", list->at,
                      "addresses must be a list of addresses, found %s%s", evs__found(&b->r, list),
                      evs__where(&b->r));
        evs__hint(b->r.diags, "addresses: [sentinel-1:26379, sentinel-2:26379, sentinel-3:26379]");
        return;
    }
    if (list->count == 0 || list->count > MOST_SENTINELS) {
        complain_count(b, list->key->at, list->count);
        return;
    }
    if (!make_room(b, group, list->count))
        return;
    for (const evs__yaml *one = list->first; one != NULL; one = one->next) {
        evs__endpoint address;
        if (!evs__read_address(&b->r, one, &address) || !is_new(b, group, &address, one))
            continue;
        group->hosts[group->nhosts].endpoint = address;
        group->at[group->nhosts++] = one;
    }
    if (list->count >= FEW_SENTINELS)
        return;
    evs__complain(b->r.diags, "W350", list->key->at,
                  "%zu sentinel%s: with one gone, the rest may not agree on a new primary%s",
                  list->count, list->count == 1 ? "" : "s", evs__where(&b->r));
    evs__hint(b->r.diags, "name all sentinels; there should be three at least");
}

/* ---- groups ---- */

static void check_quorum(evs__building *b, const evs__sentinel_group *group)
{
    const evs__yaml *at = evs__yaml_get(group->node, "quorum_reads");
    if (at == NULL || group->nhosts == 0 || group->conf.quorum_reads <= group->nhosts)
        return;
    evs__complain(b->r.diags, "E216", at->at, "quorum_reads %llu of %zu sentinels%s",
                  (unsigned long long)group->conf.quorum_reads, group->nhosts, evs__where(&b->r));
    evs__hint(b->r.diags, "a majority of them is %zu", group->nhosts / 2 + 1);
}

static void read_group(evs__building *b, evs__sentinel_group *group)
{
    group->conf = (sentinel_conf){
        .connection = evs__connection_default(), .refresh_ms = 10 * 1000, .quorum_reads = 1};
    if (!evs__read_mapping(&b->r, &evs__kind_sentinel, group->node, &group->conf))
        return;
    if (group->conf.addresses != NULL)
        read_addresses(b, group, group->conf.addresses);
    else if (evs__yaml_get(group->node, "addresses") == NULL)
        complain_count(b, group->node->key->at, 0);
    check_quorum(b, group);
}

static void build_group(evs__building *b, const evs__yaml *node)
{
    evs__reading outer = b->r;
    evs__sentinel_group *group = evs__arena_zalloc(b->r.scratch, 1, sizeof *group);
    if (group == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    evs__check_name(&b->r, node->key);
    group->node = node;
    group->name = evs__keep(&b->r, node->key->text);
    group->next = b->sentinels;
    b->sentinels = group;
    b->r.noun = "sentinels";
    b->r.name = evs__name_of(node->key);
    if (group->name != NULL)
        read_group(b, group);
    b->r = outer;
}

void evs__build_sentinels(evs__building *b, const evs__yaml *sentinels)
{
    if (sentinels->kind == EVS__YAML_BAD || evs__yaml_empty(sentinels))
        return;
    if (sentinels->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(&b->r, sentinels);
        return;
    }
    for (const evs__yaml *node = sentinels->first; node != NULL; node = node->next)
        build_group(b, node);
}

void evs__check_sentinels(evs__building *b)
{
    for (const evs__sentinel_group *group = b->sentinels; group != NULL; group = group->next) {
        if (group->used)
            continue;
        evs__complain(b->r.diags, "W301", group->node->key->at, "no shard uses the sentinels %s",
                      evs__quoted(b->r.scratch, group->node->key->text));
        evs__hint(b->r.diags, "a shard does by \"sentinel: %s\" and \"master_name: ...\"",
                  evs__name_of(group->node->key));
    }
}

/* ---- the plan ---- */

static void log_in(evs__building *b, evs__sentinel_group *group)
{
    evs__reading outer = b->r;
    b->r.noun = "sentinels";
    b->r.name = group->name;
    for (size_t i = 0; i < group->nhosts; i++) {
        evs__login *login = &group->hosts[i];
        evs__connection_login(&b->r, &group->conf.connection, login);
        login->noun = "sentinel of";
        login->name = group->name;
        evs__tls_login(&b->r, &group->conf.connection.tls, group->at[i], login);
    }
    b->r = outer;
}

static const evs__sentinel_plan *plan_of(evs__building *b, evs__sentinel_group *group)
{
    group->used = 1;
    if (group->plan != NULL)
        return group->plan;
    group->plan = evs__arena_zalloc(b->r.arena, 1, sizeof *group->plan);
    if (group->plan == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return NULL;
    }
    log_in(b, group);
    *group->plan = (evs__sentinel_plan){.name = group->name,
                                        .hosts = group->hosts,
                                        .nhosts = group->nhosts,
                                        .refresh_ms = group->conf.refresh_ms,
                                        .quorum_reads = (unsigned)group->conf.quorum_reads};
    return group->plan;
}

/* ---- shards ---- */

static void hint_groups(evs__building *b, evs_bytes wanted)
{
    size_t count = 0;
    for (const evs__sentinel_group *group = b->sentinels; group != NULL; group = group->next)
        count++;
    const char **names = evs__alloc_array(count + 1, sizeof *names);
    if (names == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    count = 0;
    for (const evs__sentinel_group *group = b->sentinels; group != NULL; group = group->next)
        names[count++] = evs__name_of(group->node->key);
    const char *near = evs__most_similar(wanted, names, count);
    if (count == 0)
        evs__hint(b->r.diags, "add \"sentinels: {NAME: {addresses: [...]}}\" at the top level");
    else if (near != NULL)
        evs__hint(b->r.diags, "did you mean \"%s\"?", near);
    else
        evs__hint(b->r.diags, "groups: %s", evs__join_sorted(&b->r, names, count));
    evs__free(names);
}

static evs__sentinel_group *find_group(evs__building *b, const evs__yaml *name)
{
    if (!evs__want_text(&b->r, name))
        return NULL;
    for (evs__sentinel_group *group = b->sentinels; group != NULL; group = group->next)
        if (group->name != NULL && strcmp(group->name, name->text.data) == 0)
            return group;
    evs__complain(b->r.diags, "E255", name->at, "there are no sentinels %s%s",
                  evs__found(&b->r, name), evs__where(&b->r));
    hint_groups(b, name->text);
    return NULL;
}

static int complain_half(evs__building *b, const evs__yaml *shard, const evs__yaml *group,
                         const evs__yaml *master_name)
{
    const char *missing = group == NULL ? "sentinel" : "master_name";
    const evs__yaml *there = group == NULL ? master_name : group;
    if (evs__yaml_get(shard, missing) != NULL)
        return 0;
    evs__complain(b->r.diags, "E255", there->key->at, "%s without %s%s", there->key->text.data,
                  missing, evs__where(&b->r));
    evs__hint(b->r.diags, "write both: the group of sentinels, and the name of the shard there");
    return 0;
}

int evs__shard_by_sentinel(evs__building *b, const evs__yaml *shard, const evs__yaml *group_name,
                           const evs__yaml *master_name, evs__shard *out)
{
    static const evs__field name = {.name = "master_name", .min = 1, .max = LONGEST_MASTER_NAME};
    if (group_name == NULL || master_name == NULL)
        return complain_half(b, shard, group_name, master_name);
    evs__sentinel_group *group = find_group(b, group_name);
    evs__read_text(&b->r, &name, master_name, &out->master_name);
    if (group == NULL || out->master_name == NULL)
        return 0;
    out->sentinel = plan_of(b, group);
    out->login.primary = 1;
    out->login.endpoint.text = evs__arena_format(b->r.arena, "sentinel:%s/%s", group->name,
                                                 out->master_name);
    if (out->login.endpoint.text == NULL)
        evs__diagnostics_nomem(b->r.diags);
    return out->sentinel != NULL && out->login.endpoint.text != NULL;
}
