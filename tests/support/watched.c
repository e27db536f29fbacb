#include "tests/support/watched.h"

#include "tests/support/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 180000, CALM_MS = 60000, HASTY_MS = 500 };

/* ---- servers ---- */

void watched_relink(watched *set, size_t server)
{
    if (set->links[server] != NULL)
        redisFree(set->links[server]);
    set->links[server] = redisConnectUnix(scratch_socket(set->servers[server]));
    if (set->links[server] == NULL || set->links[server]->err != 0)
        scene_die("connection", "a server does not answer");
}

static redisReply *run(redisContext *link, const char *command)
{
    redisReply *reply = redisCommand(link, command);
    if (reply == NULL)
        scene_die(command, link->errstr);
    return reply;
}

/* A server that changes its role closes its connections. */
static redisReply *run_once(watched *set, size_t server, const char *command)
{
    redisReply *reply = redisCommand(set->links[server], command);
    if (reply != NULL)
        return reply;
    watched_relink(set, server);
    return run(set->links[server], command);
}

/* And one that became a replica has to load before it does what it is told. */
static redisReply *run_on(watched *set, size_t server, const char *command)
{
    for (int tries = 0;; tries++) {
        redisReply *reply = run_once(set, server, command);
        int loads = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "LOADING", 7) == 0;
        if (!loads || tries >= PATIENCE_MS / SCENE_MOMENT_MS)
            return reply;
        freeReplyObject(reply);
        scene_pause();
    }
}

long long watched_number(watched *set, size_t server, const char *command)
{
    redisReply *reply = run_on(set, server, command);
    long long number = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
                                                         : reply->integer;
    if (reply->type == REDIS_REPLY_ERROR)
        scene_die(command, reply->str);
    freeReplyObject(reply);
    return number;
}

void watched_await(watched *set, size_t server, const char *command, const char *text)
{
    for (int i = 0; i < PATIENCE_MS / SCENE_MOMENT_MS; i++) {
        redisReply *reply = run_on(set, server, command);
        int found = reply->str != NULL && strstr(reply->str, text) != NULL;
        freeReplyObject(reply);
        if (found)
            return;
        scene_pause();
    }
    scene_die(command, text);
}

/* 0: not done, because it loads, or because a sentinel closed the connection in between. */
static int try_to_demote(watched *set, size_t server, const char *replicate)
{
    const char *const orders[] = {"MULTI", replicate, "CLIENT KILL TYPE normal", "EXEC"};
    int done = 0;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        redisReply *reply = redisCommand(set->links[server], orders[i]);
        if (reply == NULL) {
            watched_relink(set, server);
            return 0;
        }
        done = reply->type == REDIS_REPLY_ARRAY; /* of EXEC alone */
        freeReplyObject(reply);
    }
    return done;
}

void watched_demote(watched *set, size_t server, size_t primary)
{
    char replicate[64];
    snprintf(replicate, sizeof replicate, "REPLICAOF 127.0.0.1 %d",
             scratch_port(set->servers[primary]));
    for (int i = 0; !try_to_demote(set, server, replicate); i++) {
        if (i >= PATIENCE_MS / SCENE_MOMENT_MS)
            scene_die(replicate, "is not done");
        scene_pause();
    }
}

static void start_server(watched *set, size_t i)
{
    char name[16], file[32], command[64];
    const char *config[] = {"--repl-diskless-sync-delay", "0",  "--dbfilename", file,
                            "--enable-debug-command",     "yes"};
    size_t count = sizeof config / sizeof config[0] - (set->options->debug ? 0 : 2);
    scratch_options options = {SCRATCH_UNIX_AND_TCP, config, count};
    snprintf(name, sizeof name, "r%zu", i);
    snprintf(file, sizeof file, "r%zu.rdb", i); /* what a replica gets is no other server's */
    if (scratch_start(&set->servers[i], set->area, name, &options) != SCRATCH_OK)
        scene_die("scratch server", scratch_error(set->area));
    watched_relink(set, i);
    if (i == 0)
        return;
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %d", scratch_port(set->servers[0]));
    freeReplyObject(run_on(set, i, command));
    watched_await(set, i, "INFO replication", "master_link_status:up");
}

/* ---- sentinels ---- */

static int calm_ms(const watched *set)
{
    return set->options->down_after_ms != 0 ? (int)set->options->down_after_ms : CALM_MS;
}

static void write_config(const watched *set, size_t i, char path[512])
{
    const char *folder = scratch_folder(set->area), *password = set->options->password;
    snprintf(path, 512, "%s/sentinel-%zu.conf", folder, i);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        scene_die(path, strerror(errno));
    fprintf(file,
            "bind 127.0.0.1\nport %d\ndir %s\nlogfile sentinel-%zu.log\nprotected-mode no\n"
            "sentinel monitor ledger-1 127.0.0.1 %d 2\n"
            "sentinel down-after-milliseconds ledger-1 %d\n"
            "sentinel failover-timeout ledger-1 3000\n",
            set->ports[i], folder, i, scratch_port(set->servers[0]), calm_ms(set));
    if (password != NULL)
        fprintf(file, "requirepass %s\nsentinel sentinel-pass %s\n", password, password);
    if (set->options->users != NULL)
        fprintf(file, "%s", set->options->users);
    if (set->options->tls != NULL)
        fprintf(file, "tls-port %d\n%s", set->tls_ports[i], set->options->tls);
    fclose(file);
}

/* The child ends with this process, even when that is killed. */
static void become_sentinel(const char *program, const char *path)
{
    int quiet = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(quiet, STDIN_FILENO);
    dup2(quiet, STDOUT_FILENO);
    execl(program, program, path, "--sentinel", (char *)NULL);
    _exit(127);
}

static redisContext *dial(const watched *set, size_t i)
{
    redisContext *link = redisConnect("127.0.0.1", set->ports[i]);
    if (link == NULL || link->err != 0) {
        redisFree(link);
        return NULL;
    }
    if (set->options->password != NULL)
        freeReplyObject(redisCommand(link, "AUTH %s", set->options->password));
    return link;
}

static redisContext *dial_patiently(const watched *set, size_t i)
{
    for (int tries = 0; tries < PATIENCE_MS / SCENE_MOMENT_MS; tries++) {
        redisContext *link = dial(set, i);
        if (link != NULL)
            return link;
        scene_pause();
    }
    scene_die("sentinel", "does not answer");
    return NULL;
}

void watched_restart_sentinel(watched *set, size_t i)
{
    char path[512], program[512];
    snprintf(path, sizeof path, "%s/sentinel-%zu.conf", scratch_folder(set->area), i);
    if (scratch_program(program, sizeof program) == NULL)
        scene_die("sentinel", "no server is installed");
    set->sentinels[i] = fork();
    if (set->sentinels[i] == 0)
        become_sentinel(program, path);
    if (set->sentinels[i] == -1)
        scene_die("sentinel", strerror(errno));
    redisFree(dial_patiently(set, i));
}

void watched_kill_sentinel(watched *set, size_t i)
{
    if (set->sentinels[i] <= 0)
        return;
    kill(set->sentinels[i], SIGKILL);
    waitpid(set->sentinels[i], NULL, 0);
    set->sentinels[i] = 0;
}

void watched_tell_sentinel(watched *set, size_t i, const char *command)
{
    redisContext *link = dial_patiently(set, i);
    redisReply *reply = run(link, command);
    if (reply->type == REDIS_REPLY_ERROR)
        scene_die(command, reply->str);
    freeReplyObject(reply);
    redisFree(link);
}

static void allow_silence(watched *set, int ms)
{
    char command[80];
    snprintf(command, sizeof command, "SENTINEL SET ledger-1 down-after-milliseconds %d", ms);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        if (set->sentinels[i] != 0)
            watched_tell_sentinel(set, i, command);
}

void watched_allow_no_silence(watched *set)
{
    allow_silence(set, HASTY_MS);
}

void watched_allow_silence(watched *set)
{
    allow_silence(set, calm_ms(set));
}

static const char *field(const redisReply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < reply->elements; i += 2)
        if (strcmp(reply->element[i]->str, name) == 0)
            return reply->element[i + 1]->str;
    return "";
}

static void await_acquaintance(const watched *set, size_t i)
{
    redisContext *link = dial_patiently(set, i);
    for (int tries = 0; tries < PATIENCE_MS / SCENE_MOMENT_MS; tries++) {
        redisReply *reply = run(link, "SENTINEL MASTER ledger-1");
        int knows = strcmp(field(reply, "num-slaves"), "2") == 0 &&
                    strcmp(field(reply, "num-other-sentinels"), "2") == 0;
        freeReplyObject(reply);
        if (knows) {
            redisFree(link);
            return;
        }
        scene_pause();
    }
    scene_die("sentinel", "does not get to know the others");
}

/* Replicas that are fine have no flag but that. */
static int has_replicas(redisContext *link)
{
    size_t fine = 0;
    redisReply *reply = run(link, "SENTINEL REPLICAS ledger-1");
    for (size_t i = 0; i < reply->elements; i++)
        fine += strcmp(field(reply->element[i], "flags"), "slave") == 0 &&
                strcmp(field(reply->element[i], "role-reported"), "slave") == 0 &&
                strcmp(field(reply->element[i], "master-link-status"), "ok") == 0;
    freeReplyObject(reply);
    return fine == 2;
}

void watched_await_settled(watched *set, size_t i)
{
    redisContext *link = dial_patiently(set, i);
    for (int tries = 0; tries < PATIENCE_MS / SCENE_MOMENT_MS; tries++) {
        redisReply *reply = run(link, "SENTINEL MASTER ledger-1");
        int settled = strcmp(field(reply, "flags"), "master") == 0 && has_replicas(link);
        freeReplyObject(reply);
        if (settled) {
            redisFree(link);
            return;
        }
        scene_pause();
    }
    scene_die("sentinel", "does not settle");
}

size_t watched_primary(watched *set, size_t sentinel)
{
    size_t found = WATCHED_SERVERS;
    redisContext *link = dial_patiently(set, sentinel);
    redisReply *reply = run(link, "SENTINEL GET-MASTER-ADDR-BY-NAME ledger-1");
    for (size_t i = 0; reply->elements == 2 && i < WATCHED_SERVERS; i++)
        if (atoi(reply->element[1]->str) == scratch_port(set->servers[i]))
            found = i;
    freeReplyObject(reply);
    redisFree(link);
    return found;
}

/* WATCHED_SERVERS when they do not agree. */
static size_t agreed_now(watched *set)
{
    size_t agreed = WATCHED_SERVERS, first = 1;
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        if (set->sentinels[i] == 0)
            continue;
        size_t primary = watched_primary(set, i);
        if (!first && primary != agreed)
            return WATCHED_SERVERS;
        agreed = primary;
        first = 0;
    }
    return agreed;
}

static size_t replicate_from_one(watched *set)
{
    char command[64];
    size_t primary = watched_agreed(set);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %d",
             scratch_port(set->servers[primary]));
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        if (i != primary)
            watched_number(set, i, command);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        if (i != primary)
            watched_await(set, i, "INFO replication", "master_link_status:up");
    watched_await(set, primary, "INFO replication", "connected_slaves:2");
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(set, i);
    return primary;
}

/* On a slow machine sentinels may replace the primary meanwhile: then all of it begins anew. */
size_t watched_settle(watched *set)
{
    watched_allow_silence(set);
    for (int tries = 0; tries < 10; tries++) {
        size_t primary = replicate_from_one(set);
        redisReply *reply = run_on(set, primary, "FLUSHALL");
        int is_primary = reply->type == REDIS_REPLY_STATUS;
        freeReplyObject(reply);
        if (is_primary)
            return primary;
    }
    scene_die("servers", "do not settle");
    return 0;
}

size_t watched_await_switch(watched *set, size_t before)
{
    for (int tries = 0; tries < PATIENCE_MS / SCENE_MOMENT_MS; tries++) {
        size_t primary = agreed_now(set);
        if (primary != before && primary < WATCHED_SERVERS)
            return primary;
        scene_pause();
    }
    scene_die("sentinels", "do not agree");
    return 0;
}

size_t watched_agreed(watched *set)
{
    return watched_await_switch(set, WATCHED_SERVERS);
}

/* ---- all of it ---- */

void watched_start(watched *set, const watched_options *options)
{
    static const watched_options none = {0};
    char path[512];
    memset(set, 0, sizeof *set);
    signal(SIGPIPE, SIG_IGN); /* hiredis raises it */
    set->options = options == NULL ? &none : options;
    if (scratch_new(&set->area) != SCRATCH_OK)
        scene_die("scratch area", "cannot be made");
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        start_server(set, i);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        set->ports[i] = scene_free_port();
        set->tls_ports[i] = set->options->tls == NULL ? 0 : scene_free_port();
        write_config(set, i, path);
        watched_restart_sentinel(set, i);
    }
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        await_acquaintance(set, i);
}

void watched_stop(watched *set)
{
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_kill_sentinel(set, i);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        redisFree(set->links[i]);
    scratch_free(set->area);
    memset(set, 0, sizeof *set);
}

const char *watched_group(watched *set, const char *more, int tls, char out[512])
{
    const int *ports = tls ? set->tls_ports : set->ports;
    snprintf(
        out, 512,
        "sentinels: {eu: {addresses: [\"127.0.0.1:%d\", \"127.0.0.1:%d\", \"127.0.0.1:%d\"]%s}}\n",
        ports[0], ports[1], ports[2], more);
    return out;
}
