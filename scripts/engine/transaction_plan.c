/*
 * All elements to one shard. Each is checked and routed for itself, so that messages name it; then
 * all keys are routed together, for the pool's rule about hash tags.
 */
#include "core/error.h"
#include "scripts/engine/plain.h"
#include "scripts/engine/state.h"
#include "scripts/engine/submit.h"
#include "scripts/engine/transaction.h"

#include <stdio.h>

/* Where elements go; `number` is the first that said so, from 1. */
typedef struct found {
    evs__target target;
    size_t number; /* 0: nobody has; WATCHED: the watched keys have */
} found;

static const size_t WATCHED = SIZE_MAX;

evs__subject evs__transaction_subject(const evs_transaction *tx, size_t index)
{
    const evs__element *element = &tx->elements[index];
    evs__subject subject = {NULL, {NULL, 0}, tx->map->shards[tx->target.shard].name};
    if (element->script != NULL) {
        subject.script = element->script->name;
        if (element->call.nkeys > 0)
            subject.key = element->call.keys[0];
    }
    return subject;
}

/* "element 2 (incr)", "element 3 (SET)", "the watched keys". */
static void describe(char *out, size_t cap, const evs_transaction *tx, size_t number)
{
    if (number == WATCHED) {
        snprintf(out, cap, "what is watched");
        return;
    }
    const evs__element *element = &tx->elements[number - 1];
    if (element->script != NULL)
        snprintf(out, cap, "element %zu (%s)", number, element->script->name);
    else if (element->cmd.args == NULL)
        snprintf(out, cap, "element %zu", number);
    else
        snprintf(out, cap, "element %zu (%.*s)", number,
                 element->cmd.args[0].len > 64 ? 64 : (int)element->cmd.args[0].len,
                 element->cmd.args[0].len == 0 ? "" : element->cmd.args[0].data);
}

static evs_status blame(const evs_transaction *tx, size_t number, evs_error *err)
{
    char what[256], why[sizeof err->message];
    describe(what, sizeof what, tx, number);
    memcpy(why, err->message, sizeof why);
    if (strlen(what) + strlen(why) + 3 <= sizeof err->message)
        snprintf(err->message, sizeof err->message, "%s: %.*s", what,
                 (int)(sizeof why - sizeof what - 2), why);
    return err->status;
}

static void name_key(char *out, size_t cap, const evs_transaction *tx, size_t number)
{
    size_t nkeys = 0;
    evs_bytes keys[EVS__PLAIN_MOST_KEYS];
    const evs__element *element = number == WATCHED ? NULL : &tx->elements[number - 1];
    out[0] = '\0';
    if (element == NULL)
        return;
    if (element->script != NULL && element->call.nkeys > 0)
        keys[nkeys++] = element->call.keys[0];
    else if (element->script == NULL &&
             evs__plain_keys(keys, &nkeys, &element->cmd, element->known, NULL) != EVS_OK)
        return;
    if (nkeys > 0) {
        char key[96];
        evs__key_text(key, sizeof key, keys[0]);
        snprintf(out, cap, ", key \"%s\",", key);
    }
}

static evs_status apart(const evs_transaction *tx, const found *first, const found *other,
                        evs_error *err)
{
    char a[256], b[256], a_key[128], b_key[128];
    const evs_shardmap *map = tx->map;
    describe(a, sizeof a, tx, first->number);
    describe(b, sizeof b, tx, other->number);
    name_key(a_key, sizeof a_key, tx, first->number);
    name_key(b_key, sizeof b_key, tx, other->number);
    if (first->target.shard == other->target.shard)
        return evs__fail(err, EVS_E_CROSS_SLOT,
                         "a transaction runs in one slot of a cluster, but %s%s is in slot %u and "
                         "%s%s in slot %u",
                         a, a_key, first->target.slot, b, b_key, other->target.slot);
    return evs__fail(
        err, EVS_E_CROSS_SHARD,
        "a transaction runs on one shard, but %s%s is on shard %s and %s%s on shard %s", a, a_key,
        map->shards[first->target.shard].name, b, b_key, map->shards[other->target.shard].name);
}

/* `*has` is 0 for an element that goes wherever the others go. */
static evs_status plan_script(evs_transaction *tx, evs__element *element, found *out, int *has,
                              evs_error *err)
{
    evs_invocation call = element->call;
    evs__job job = {.client = tx->client, .invocation = &call};
    *has = call.nkeys > 0 || call.shard != NULL || call.pool != NULL;
    if (!*has) /* any shard will do to find the script and check its arity */
        call.shard = tx->map->shards[out->target.shard].name;
    evs_status status = evs__job_plan_by(&job, tx->map, tx->map_serial, err);
    element->script = job.script;
    if (status == EVS_OK && *has)
        out->target = job.target;
    return status;
}

static evs_status plan_command(evs_transaction *tx, evs__element *element, found *out, int *has,
                               evs_error *err)
{
    size_t nkeys = 0;
    evs_bytes keys[EVS__PLAIN_MOST_KEYS];
    const evs_plain_command *cmd = &element->cmd;
    const evs_shardmap *map = tx->map;
    evs_status status = evs__plain_check(cmd, err);
    if (status != EVS_OK)
        return status;
    element->known = evs__plain_find(cmd);
    *has = 1;
    if (cmd->shard != NULL)
        return evs__route_no_keys(&out->target, map, cmd->shard, NULL, err);
    status = evs__plain_keys(keys, &nkeys, cmd, element->known, err);
    *has = nkeys > 0;
    if (status == EVS_OK && nkeys > 0)
        status = evs__route_keys(&out->target, map, keys, nkeys, err);
    return status;
}

int evs__transaction_apart(const evs__target *a, const evs__target *b)
{
    return a->shard != b->shard ||
           (a->slot != b->slot && a->slot != EVS__ANY_SLOT && b->slot != EVS__ANY_SLOT);
}

static evs_status plan_element(evs_transaction *tx, size_t index, found *first, evs_error *err)
{
    int has;
    evs__element *element = &tx->elements[index];
    found here = {first->target, index + 1};
    evs_status status = element->cmd.args == NULL ? plan_script(tx, element, &here, &has, err)
                                                  : plan_command(tx, element, &here, &has, err);
    if (status != EVS_OK)
        return blame(tx, index + 1, err);
    if (has && first->number != 0 && evs__transaction_apart(&here.target, &first->target))
        return apart(tx, first, &here, err);
    if (has && (first->number == 0 ||
                (first->target.slot == EVS__ANY_SLOT && here.target.slot != EVS__ANY_SLOT)))
        *first = here;
    return EVS_OK;
}

static size_t count_keys(const evs_transaction *tx)
{
    size_t count = 0;
    for (size_t i = 0; i < tx->count; i++)
        count += tx->elements[i].cmd.args == NULL ? tx->elements[i].call.nkeys
                                                  : tx->elements[i].cmd.nargs;
    return count;
}

static size_t copy_keys(evs_bytes *out, const evs__element *element)
{
    size_t count = 0;
    if (element->cmd.args == NULL) {
        for (; count < element->call.nkeys; count++)
            out[count] = element->call.keys[count];
    } else if (element->cmd.shard == NULL) {
        evs_bytes keys[EVS__PLAIN_MOST_KEYS];
        if (evs__plain_keys(keys, &count, &element->cmd, element->known, NULL) != EVS_OK)
            return 0;
        memcpy(out, keys, count * sizeof *out);
    }
    return count;
}

static evs_status route_together(evs_transaction *tx, evs_error *err)
{
    size_t count = 0;
    evs_bytes *keys = evs__arena_alloc(&tx->arena, count_keys(tx) + 1, sizeof *keys);
    if (keys == NULL)
        return evs__fail_nomem(err);
    for (size_t i = 0; i < tx->count; i++)
        count += copy_keys(keys + count, &tx->elements[i]);
    evs__target all;
    if (count < 2)
        return EVS_OK;
    evs_status status = evs__route_keys(&all, tx->map, keys, count, err);
    if (status == EVS_OK)
        tx->target.mixed_tags = all.mixed_tags;
    return status;
}

/* Scripts that go along with the others: whether the pool lets them run is known only now. */
static evs_status check_followers(evs_transaction *tx, const found *where, evs_error *err)
{
    for (size_t i = 0; i < tx->count; i++) {
        int has;
        found here = *where;
        evs__element *element = &tx->elements[i];
        if (element->cmd.args != NULL || element->call.nkeys > 0)
            continue;
        if (plan_script(tx, element, &here, &has, err) != EVS_OK)
            return blame(tx, i + 1, err);
    }
    return EVS_OK;
}

/* What the map says of the shard. */
static evs_status check_state(const evs_transaction *tx, evs_error *err)
{
    const evs__shard *shard = &tx->map->shards[tx->target.shard];
    for (size_t i = 0; shard->state != EVS__STATE_ACTIVE && i < tx->count; i++) {
        const evs__element *element = &tx->elements[i];
        evs_status status = element->script != NULL
                                ? evs__state_take_script(shard, element->script, err)
                                : evs__state_take_command(shard, &element->cmd, element->known,
                                                          err);
        if (status != EVS_OK)
            return blame(tx, i + 1, err);
    }
    return EVS_OK;
}

static evs_status plan(evs_transaction *tx, evs_error *err)
{
    found first = {{0, 0, EVS__ANY_SLOT, 0}, 0};
    if (tx->lease != NULL)
        first = (found){tx->target, WATCHED};
    if (tx->count == 0)
        return evs__fail(err, EVS_E_INVALID, "the transaction has no elements");
    evs_status status = EVS_OK;
    for (size_t i = 0; status == EVS_OK && i < tx->count; i++)
        status = plan_element(tx, i, &first, err);
    if (status == EVS_OK && first.number == 0)
        status = evs__route_no_keys(&first.target, tx->map, tx->shard, NULL, err);
    if (status == EVS_OK)
        status = check_followers(tx, &first, err);
    if (status != EVS_OK)
        return status;
    tx->target = first.target;
    status = check_state(tx, err);
    return status == EVS_OK ? route_together(tx, err) : status;
}

void evs__transaction_take_map(evs_transaction *tx)
{
    if (tx->lease != NULL)
        return;
    evs__view view = evs__client_view(tx->client);
    evs_shardmap_free(tx->map);
    tx->map = evs_shardmap_ref(view.map);
    tx->map_serial = view.serial;
    evs__view_end(&view);
}

evs_status evs__transaction_fail_stale(const evs_transaction *tx, evs_error *err)
{
    return evs__fail(err, EVS_E_ABORTED,
                     "the shard map was replaced since keys of shard %s were watched",
                     tx->map->shards[tx->target.shard].name);
}

evs_status evs__transaction_plan(evs_transaction *tx, evs_error *err)
{
    evs_error own;
    evs__transaction_take_map(tx);
    evs_status status = plan(tx, &own); /* messages are put together from it */
    return status == EVS_OK ? EVS_OK : evs__fail_with(err, &own);
}
