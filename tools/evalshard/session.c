/*
 * session.c - the map, the scripts and the client of a command.
 */
#include "tools/evalshard/session.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

static const char *given_or_environment(const char *given, const char *variable)
{
    const char *value = given != NULL ? given : getenv(variable);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

const char *session_map_path(const char *given)
{
    const char *path = given_or_environment(given, "EVALSHARD_MAP");
    if (path == NULL)
        complain("no shard map: give -m MAP or set EVALSHARD_MAP");
    return path;
}

/* An unreadable file is a different answer from an unusable map. */
static int is_readable(const char *path)
{
    FILE *file = fopen(path, "re");
    int readable = file != NULL && (fgetc(file) != EOF || !ferror(file));
    if (!readable)
        complain("cannot read the shard map %s: %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    return readable;
}

int session_load_map(session *s, const char *given)
{
    evs_diagnostics *diags = NULL;
    evs_error err;
    const char *path = session_map_path(given);
    if (path == NULL)
        return EXIT_USAGE;
    if (!is_readable(path))
        return EXIT_UNREACHABLE;

    evs_status status = evs_shardmap_load(&s->map, path, &diags, &err);
    if (status != EVS_OK) {
        if (evs_diagnostics_errors(diags) > 0)
            fputs(evs_diagnostics_text(diags), stderr);
        else
            complain("%s", err.message);
        complain("%s is not a usable shard map", path);
    }
    evs_diagnostics_free(diags);
    return status == EVS_OK ? EXIT_FINE : EXIT_USAGE;
}

static int load_folder(session *s, const char *folder)
{
    evs_error err;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        complain("cannot read the scripts in %s: %s", folder, strerror(errno));
        return EXIT_UNREACHABLE;
    }
    closedir(dir);
    if (evs_script_load_folder(s->registry, folder, &err) == EVS_OK)
        return EXIT_FINE;
    complain("%s", err.message);
    return EXIT_USAGE;
}

/* `folder` NULL: the scripts that ship with evalshard. */
static int load_scripts(session *s, const char *folder)
{
    evs_error err;
    if (evs_registry_new(&s->registry, NULL, &err) == EVS_OK) {
        if (folder != NULL)
            return load_folder(s, folder);
        if (evs_script_load_shipped(s->registry, &err) == EVS_OK)
            return EXIT_FINE;
    }
    complain("%s", err.message);
    return EXIT_USAGE;
}

int session_load_scripts(session *s, const char *given)
{
    return load_scripts(s, given_or_environment(given, "EVALSHARD_SCRIPTS"));
}

static int open_client(session *s)
{
    evs_error err;
    if (evs_client_open(&s->client, s->map, s->registry, NULL, &err) == EVS_OK)
        return EXIT_FINE;
    complain("%s", err.message);
    return EXIT_USAGE;
}

int session_open(session *s, const char *map, const char *scripts)
{
    int code = session_load_map(s, map);
    if (code == EXIT_FINE)
        code = session_load_scripts(s, scripts);
    return code == EXIT_FINE ? open_client(s) : code;
}

int session_open_shipped(session *s, const char *map)
{
    int code = session_load_map(s, map);
    if (code == EXIT_FINE)
        code = load_scripts(s, NULL);
    return code == EXIT_FINE ? open_client(s) : code;
}

void session_close(session *s)
{
    evs_client_free(s->client);
    evs_registry_free(s->registry);
    evs_shardmap_free(s->map);
    *s = (session){NULL, NULL, NULL};
}

int session_exit_code(evs_status status)
{
    switch (status) {
    case EVS_OK:
        return EXIT_FINE;
    case EVS_E_SCRIPT:
    case EVS_E_BUSY:
    case EVS_E_LOADING:
    case EVS_E_READONLY:
    case EVS_E_OOM:
    case EVS_E_NOREPLICAS:
    case EVS_E_MISCONF:
    case EVS_E_DENIED:
    case EVS_E_MOVED:
    case EVS_E_CLUSTER:
    case EVS_E_ABORTED:
        return EXIT_NO; /* an error reply */
    case EVS_E_NOMEM:
    case EVS_E_CANCELED:
        return EXIT_UNREACHABLE;
    default:
        return status < EVS_E_CONNECT ? EXIT_USAGE : EXIT_UNREACHABLE;
    }
}

char *session_shard_name(const evs_shard_info *shard)
{
    char *name = NULL;
    if (asprintf(&name, "%s/%s", shard->pool, shard->name) == -1)
        name = NULL;
    return need(name);
}

int session_is_cluster(const evs_shardmap *map, const evs_shard_info *shard)
{
    evs_pool_info pool;
    for (size_t i = 0; evs_shardmap_pool(&pool, map, i, NULL) == EVS_OK; i++) {
        if (strcmp(pool.name, shard->pool) == 0)
            return strcmp(pool.distribution, "cluster") == 0;
    }
    return 0;
}

evs_status session_ask(evs_reply **out, const session *s, const char *shard, const evs_bytes *words,
                       size_t nwords, evs_error *err)
{
    const evs_plain_command cmd = {.args = words, .nargs = nwords, .shard = shard};
    return evs_command(out, s->client, &cmd, err);
}

void session_complain(const evs_error *err)
{
    complain("%s (%s, %s)", err->message, evs_status_name(err->status),
             evs_outcome_text(err->outcome));
}
