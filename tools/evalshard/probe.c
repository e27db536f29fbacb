/*
 * probe.c - the questions to one server, each with what its answer means. The first silence ends
 * it; whatever else is refused leaves the other questions open.
 */
#include "tools/evalshard/probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/evalshard/info.h"
#include "tools/evalshard/term.h"

enum { MOST_SKEW_MS = 1000 };

void probe_complain(probe *p, probe_severity severity, const char *code, const char *hint,
                    const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&message, format, args);
    va_end(args);
    p->findings = need(reallocarray(p->findings, p->nfindings + 1, sizeof *p->findings));
    p->findings[p->nfindings++] = (probe_finding){severity, code, need(len == -1 ? NULL : message),
                                                  hint};
}

static void free_watch(probe_watch *w)
{
    for (size_t i = 0; i < w->nseen; i++)
        free(w->seen[i].address);
    free(w->seen);
    free(w->master);
    free(w->shard);
    free(w->place);
}

void probe_free(probe *p)
{
    for (size_t i = 0; i < p->nfindings; i++)
        free(p->findings[i].message);
    for (size_t i = 0; i < p->nnodes; i++) {
        free(p->nodes[i].id);
        free(p->nodes[i].address);
    }
    for (size_t i = 0; i < p->nwatches; i++)
        free_watch(&p->watches[i]);
    free(p->findings);
    free(p->watches);
    free(p->nodes);
    free(p->follows);
    free(p->shard);
    free(p->name);
    free(p->address);
}

evs_reply *probe_send(const probe *p, const char *const *words, size_t nwords, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes *bytes = need(calloc(nwords, sizeof *bytes));
    for (size_t i = 0; i < nwords; i++)
        bytes[i] = evs_text(words[i]);
    const evs_plain_command cmd = {.args = bytes, .nargs = nwords, .shard = p->shard};
    evs_status status = evs_command(&reply, p->client, &cmd, err);
    free(bytes);
    return status == EVS_OK ? reply : NULL;
}

static int is_error(const evs_reply *reply)
{
    return evs_reply_kind(reply) == EVS_REPLY_ERROR;
}

/* ---- no answer ---- */

static const struct {
    evs_status status;
    const char *code;
    const char *hint;
} troubles[] = {
    {EVS_E_CONNECT, "E500", "is the server running, and the address right?"},
    {EVS_E_TIMEOUT, "E500", "the server accepts connections and does not answer"},
    {EVS_E_CLOSED, "E500", ""},
    {EVS_E_TLS, "E501", "see \"Servers that speak TLS\" in docs/ops.md"},
    {EVS_E_AUTH, "E502", "look at auth in the map, and at ACL LIST on the server"},
    {EVS_E_PROTOCOL, "E503", "is this the port of a Redis or Valkey server?"},
    {EVS_E_LOADING, "E504", "wait until it has loaded its data"},
    {EVS_E_BUSY, "E505", "SCRIPT KILL ends a script that has written nothing"},
    {EVS_E_CONFIG, "E508", "look at db in the map, and at databases in the server's configuration"},
};

const char *probe_bare(const probe *p, const evs_error *err)
{
    const char *slash = strchr(p->name, '/'), *name = slash == NULL ? p->name : slash + 1;
    const char *noun = p->is_sentinel ? "sentinel of" : "shard";
    for (int i = 0; i < 2; i++) {
        char prefix[sizeof err->message];
        int len = i == 0 ? snprintf(prefix, sizeof prefix, "%s %s at %s: ", noun, name, p->address)
                         : snprintf(prefix, sizeof prefix, "%s %s: ", noun, name);
        if (len < (int)sizeof prefix && strncmp(err->message, prefix, (size_t)len) == 0)
            return err->message + len;
    }
    return err->message;
}

/* 1 when it was the first question of every connection that was refused. */
static int complain_role(probe *p, const evs_error *err)
{
    const char *text = strstr(err->message, "ROLE refused: "); /* behind where sentinels found it */
    if (text == NULL)
        return 0;
    probe_complain(p, PROBE_ERROR, "E533", "give the user +role", "%s", text);
    return 1;
}

/* 1 when there is no use in asking anything else. The map and the server contradict each other
 * about the db, or, where none is selected, about the name that sentinels know. */
static int complain_silence(probe *p, const evs_error *err)
{
    if (err->status == EVS_E_CONFIG && p->db == 0) {
        probe_complain(p, PROBE_ERROR, "E521",
                       "look at master_name in the map, and at SENTINEL "
                       "MASTERS on a sentinel",
                       "%s", probe_bare(p, err));
        return 1;
    }
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        if (troubles[i].status != err->status)
            continue;
        p->is_reachable = strcmp(troubles[i].code, "E500") != 0;
        probe_complain(p, PROBE_ERROR, troubles[i].code, troubles[i].hint, "%s",
                       probe_bare(p, err));
        return 1;
    }
    if (err->status == EVS_E_DENIED)
        return complain_role(p, err);
    probe_complain(p, PROBE_ERROR, "E503", "", "%s", probe_bare(p, err));
    return 1;
}

/* ---- INFO ---- */

static int says(evs_bytes info, const char *name, const char *value)
{
    evs_bytes text = info_text(info, name);
    return text.len == strlen(value) && memcmp(text.data, value, text.len) == 0;
}

static void read_version(probe *p, evs_bytes info)
{
    evs_bytes valkey = info_text(info, "valkey_version");
    evs_bytes redis = info_text(info, "redis_version");
    if (valkey.len > 0)
        snprintf(p->server, sizeof p->server, "Valkey %.*s", (int)valkey.len, valkey.data);
    else if (redis.len > 0)
        snprintf(p->server, sizeof p->server, "Redis %.*s", (int)redis.len, redis.data);
}

static void keep_primary(probe *p, evs_bytes host, int64_t port)
{
    int len = asprintf(&p->follows, "%.*s:%" PRId64, (int)host.len, host.data, port);
    need(len == -1 ? NULL : p->follows);
}

/* Clients have another server to read from when a replica has lost its primary. */
static void complain_lost(probe *p, evs_bytes host, int64_t port)
{
    int others = p->is_node || p->is_replica;
    probe_complain(p, others ? PROBE_WARNING : PROBE_ERROR, others ? "W507" : "E507",
                   "look at its log; with replica-serve-stale-data no it answers MASTERDOWN",
                   "it has lost its primary %.*s:%" PRId64, (int)host.len, host.data, port);
}

static void read_role(probe *p, evs_bytes info)
{
    evs_bytes host = info_text(info, "master_host"), replid = info_text(info, "master_replid");
    int64_t port = info_number(info, "master_port");
    if (replid.len < sizeof p->replid)
        snprintf(p->replid, sizeof p->replid, "%.*s", (int)replid.len, replid.data);
    snprintf(p->role, sizeof p->role, "%s",
             says(info, "role", "master")  ? "primary"
             : says(info, "role", "slave") ? "replica"
                                           : "");
    if (strcmp(p->role, "replica") != 0)
        return;
    if (!p->is_node && !p->is_replica)
        probe_complain(p, PROBE_ERROR, "E506",
                       "name its primary in the map, or promote it with REPLICAOF NO ONE",
                       "it is a replica of %.*s:%" PRId64 " and takes no writes", (int)host.len,
                       host.data, port);
    if (says(info, "master_link_status", "down"))
        complain_lost(p, host, port);
    else
        keep_primary(p, host, port);
}

/* Valkey calls it otherwise unless extended-redis-compatibility is on. */
static int runs_as(evs_bytes info, const char *mode)
{
    return says(info, "redis_mode", mode) || says(info, "server_mode", mode);
}

static void read_mode(probe *p, evs_bytes info)
{
    int clustered = runs_as(info, "cluster"), watches = runs_as(info, "sentinel");
    if (p->is_sentinel && !watches)
        probe_complain(p, PROBE_ERROR, "E522", "look at the addresses of the group in the map",
                       "it is no Sentinel");
    else if (p->is_sentinel)
        snprintf(p->role, sizeof p->role, "sentinel");
    else if (watches)
        probe_complain(p, PROBE_ERROR, "E511", "a shard is a server that holds data",
                       "it is a Sentinel");
    else if (clustered && !p->is_node)
        probe_complain(p, PROBE_ERROR, "E509", "describe the pool by `cluster`, with seeds",
                       "it is a node of a cluster, which decides itself where keys live");
    else if (!clustered && p->is_node)
        probe_complain(p, PROBE_ERROR, "E510",
                       "list it under `shards`, or set cluster-enabled yes on the server",
                       "it is no node of a cluster");
}

static void read_health(probe *p, evs_bytes info)
{
    int64_t most = info_number(info, "maxmemory"), used = info_number(info, "used_memory");
    if (info_number(info, "loading") == 1)
        probe_complain(p, PROBE_ERROR, "E504", "wait until it has loaded its data",
                       "it is loading its data: %" PRId64 " s to go",
                       info_number(info, "loading_eta_seconds"));
    if (says(info, "rdb_last_bgsave_status", "err") || says(info, "aof_last_write_status", "err"))
        probe_complain(p, PROBE_WARNING, "W517",
                       "with stop-writes-on-bgsave-error yes it refuses writes (MISCONF)",
                       "it cannot save its data to disk");
    if (most > 0 && used >= most && says(info, "maxmemory_policy", "noeviction"))
        probe_complain(p, PROBE_WARNING, "W518", "it refuses writes (OOM)",
                       "its memory is full: %" PRId64 " of %" PRId64 " bytes", used, most);
}

/* 0 when there is no use in going on. */
static int ask_info(probe *p)
{
    static const char *const words[] = {"INFO"};
    evs_error err;
    evs_reply *reply = probe_send(p, words, 1, &err);
    p->is_reachable = 1;
    if (reply == NULL && complain_silence(p, &err))
        return 0;
    if (reply == NULL || is_error(reply)) {
        char *text = shown(reply == NULL ? evs_text(probe_bare(p, &err)) : evs_reply_bytes(reply),
                           '\0');
        probe_complain(p, PROBE_WARNING, "W513", "give the user +info to let it be checked",
                       "INFO is refused, so version, role and state are not known: %s", text);
        free(text);
    } else {
        evs_bytes info = evs_reply_bytes(reply);
        read_version(p, info);
        read_mode(p, info);
        if (!p->is_sentinel) {
            read_role(p, info);
            read_health(p, info);
        }
    }
    evs_reply_free(reply);
    return 1;
}

/* ---- the clock ---- */

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t number_of(const evs_reply *reply)
{
    int64_t n;
    return evs_reply_int(&n, reply, NULL) == EVS_OK ? n : 0;
}

/* The server looked at its clock between our two looks; only what is beyond both is skew. */
static void ask_time(probe *p)
{
    static const char *const words[] = {"TIME"};
    int64_t before = now_us();
    evs_reply *reply = probe_send(p, words, 1, NULL);
    int64_t after = now_us();
    if (reply != NULL && evs_reply_count(reply) == 2) {
        int64_t its = number_of(evs_reply_at(reply, 0)) * 1000000 +
                      number_of(evs_reply_at(reply, 1));
        int64_t skew = its < before ? its - before : its > after ? its - after : 0;
        p->knows_time = 1;
        p->skew_ms = skew / 1000;
    }
    evs_reply_free(reply);
    if (p->skew_ms >= MOST_SKEW_MS || p->skew_ms <= -MOST_SKEW_MS)
        probe_complain(p, PROBE_WARNING, "W516",
                       "scripts that use TIME disagree between shards; run an NTP daemon",
                       "its clock is %.1f s %s ours",
                       (double)(p->skew_ms < 0 ? -p->skew_ms : p->skew_ms) / 1000,
                       p->skew_ms < 0 ? "behind" : "ahead of");
}

static void ask_protocol(probe *p)
{
    static const char *const words[] = {"COMMAND", "INFO", "HELLO"};
    evs_reply *reply = probe_send(p, words, 3, NULL);
    p->speaks_resp3 = reply != NULL && evs_reply_count(reply) == 1 &&
                      evs_reply_count(evs_reply_at(reply, 0)) > 0;
    evs_reply_free(reply);
}

/* ---- scripts ---- */

static int begins_with(evs_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* Whether a command was run, from the error that a server gives which runs it. */
static probe_may may(const probe *p, const char *const *words, const char *proof, char **why)
{
    evs_error err;
    probe_may answer = PROBE_UNKNOWN;
    size_t nwords = 0;
    while (words[nwords] != NULL)
        nwords++;
    evs_reply *reply = probe_send(p, words, nwords, &err);
    if (reply != NULL && !is_error(reply))
        answer = PROBE_MAY;
    else if (reply != NULL)
        answer = begins_with(evs_reply_bytes(reply), proof) ? PROBE_MAY : PROBE_MAY_NOT;
    else if (err.status == EVS_E_DENIED)
        answer = PROBE_MAY_NOT;
    if (answer == PROBE_MAY_NOT)
        *why = shown(reply == NULL ? evs_text(probe_bare(p, &err)) : evs_reply_bytes(reply), '\0');
    evs_reply_free(reply);
    return answer;
}

#define NO_SCRIPT "0000000000000000000000000000000000000000"

/* As calls that only read are sent to replicas. */
static void ask_read(probe *p)
{
    static const char *const words[] = {"EVALSHA_RO", NO_SCRIPT, "0", NULL};
    char *why = NULL;
    p->may_read = may(p, words, "NOSCRIPT", &why);
    if (p->may_read == PROBE_MAY_NOT)
        probe_complain(p, PROBE_ERROR, "E512",
                       "give the user +evalsha_ro, on Redis 7.0 or later, or any Valkey",
                       "scripts that only read cannot be run: %s", why);
    free(why);
}

static void ask_run(probe *p)
{
    static const char *const words[] = {"EVALSHA", NO_SCRIPT, "0", NULL};
    char *why = NULL;
    p->may_run = may(p, words, "NOSCRIPT", &why);
    if (p->may_run == PROBE_MAY_NOT)
        probe_complain(p, PROBE_ERROR, "E512", "give the user +evalsha",
                       "scripts cannot be run: %s", why);
    free(why);
}

static int64_t count_loaded(const probe *p)
{
    size_t count = evs_registry_count(p->registry);
    int64_t loaded = 0;
    const char **words = need(calloc(count + 2, sizeof *words));
    words[0] = "SCRIPT";
    words[1] = "EXISTS";
    for (size_t i = 0; i < count; i++)
        words[i + 2] = evs_script_sha1(evs_registry_at(p->registry, i));
    evs_reply *reply = count == 0 ? NULL : probe_send(p, words, count + 2, NULL);
    int answered = count == 0 || (reply != NULL && evs_reply_count(reply) == count);
    for (size_t i = 0; answered && i < count; i++)
        loaded += evs_reply_integer(evs_reply_at(reply, i)) == 1;
    evs_reply_free(reply);
    free(words);
    return answered ? loaded : -1;
}

static void complain_load(probe *p, const char *why, size_t missing)
{
    static const char hint[] = "give the user +script|load, or run `evalshard load` as another one";
    if (missing > 0)
        probe_complain(p, PROBE_ERROR, "E514", hint,
                       "%zu scripts are not loaded, and cannot be: %s", missing, why);
    else
        probe_complain(p, PROBE_WARNING, "W514", hint,
                       "scripts cannot be loaded, so only those run that are there: %s", why);
}

static void ask_scripts(probe *p)
{
    static const char *const words[] = {"SCRIPT", "LOAD", ")", NULL};
    char *why = NULL;
    size_t count = p->registry == NULL ? 0 : evs_registry_count(p->registry), missing = 0;
    if (p->registry != NULL)
        p->loaded = count_loaded(p);
    if (p->loaded >= 0)
        missing = count - (size_t)p->loaded;
    p->may_load = may(p, words, "ERR Error compiling script", &why);
    if (p->may_load == PROBE_MAY_NOT)
        complain_load(p, why, missing);
    else if (missing > 0)
        probe_complain(p, PROBE_NOTE, "N515",
                       "the first call of each loads it, or `evalshard load`",
                       "%zu of %zu scripts are not loaded", missing, count);
    free(why);
}

void probe_ask(probe *p)
{
    p->loaded = -1;
    if (!ask_info(p))
        return;
    if (p->is_sentinel) { /* which has no TIME and runs no script */
        ask_protocol(p);
        if (p->role[0] != '\0' || p->server[0] == '\0')
            probe_ask_sentinel(p);
        return;
    }
    ask_time(p);
    ask_protocol(p);
    ask_run(p);
    if (p->reads && (p->is_replica || strcmp(p->role, "replica") == 0))
        ask_read(p);
    ask_scripts(p);
    if (p->is_replica)
        probe_ask_replica(p);
    if (p->is_node)
        probe_ask_cluster(p);
}
