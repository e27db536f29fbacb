/*
 * Scripts by name on a connection that the program has anyway: a redisContext of hiredis.
 *
 *   on_hiredis SOCKET-OR-HOST[:PORT] WORD...
 *
 * Counts each word in one transaction, then prints the counts. The script travels to the server
 * once, and again when the server forgot it.
 */
#include <evalshard/hiredis.h>

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char count_word[] = "--- Counts a word.\n"
                                 "-- @key count  word:<word>, integer\n"
                                 "-- @returns integer the new count\n"
                                 "return redis.call('INCR', KEYS[1])\n";

static redisContext *connect_to(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    if (address[0] == '/')
        return redisConnectUnix(address);
    if (colon == NULL)
        return redisConnect(address, 6379);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    return redisConnect(host, (int)strtol(colon + 1, NULL, 10));
}

static int report(const evs_error *err)
{
    fprintf(stderr, "%s (%s, %s)\n", err->message, evs_status_name(err->status),
            evs_outcome_text(err->outcome));
    return 1;
}

static evs_status append(evs_hiredis *scripts, const char *word, evs_error *err)
{
    char key[256];
    snprintf(key, sizeof key, "word:%s", word);
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation call = {.script = "count_word", .keys = keys, .nkeys = 1};
    return evs_hiredis_append(scripts, &call, err);
}

static int print_next(evs_hiredis *scripts, const char *word)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    int64_t count = 0;
    evs_status status = evs_hiredis_get_reply(&reply, scripts, &err);
    if (status == EVS_OK)
        status = evs_reply_int(&count, reply, &err);
    if (status == EVS_OK)
        printf("%s %lld\n", word, (long long)count);
    evs_reply_free(reply);
    return status == EVS_OK ? 0 : report(&err);
}

/* All words are counted, or none. */
static int count_all(evs_hiredis *scripts, char **words, int nwords)
{
    evs_error err = {0};
    int failed = 0;
    evs_status status = evs_hiredis_multi(scripts, NULL, &err);
    for (int i = 0; i < nwords && status == EVS_OK; i++)
        status = append(scripts, words[i], &err);
    if (status == EVS_OK)
        status = evs_hiredis_exec(scripts, &err);
    if (status != EVS_OK)
        return report(&err);
    for (int i = 0; i < nwords; i++)
        failed |= print_next(scripts, words[i]);
    return failed;
}

int main(int argc, char **argv)
{
    evs_error err = {0};
    evs_registry *registry = NULL;
    evs_hiredis *scripts = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: on_hiredis SOCKET-OR-HOST[:PORT] WORD...\n");
        return 2;
    }
    redisContext *context = connect_to(argv[1]);
    if (context == NULL || context->err != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], context == NULL ? "no memory" : context->errstr);
        redisFree(context);
        return 1;
    }

    evs_status status = evs_registry_new(&registry, NULL, &err);
    if (status == EVS_OK)
        status = evs_script_load(registry, "count_word", evs_text(count_word), NULL, &err);
    if (status == EVS_OK)
        status = evs_hiredis_attach(&scripts, registry, context, &err);
    int code = status == EVS_OK ? count_all(scripts, argv + 2, argc - 2) : report(&err);

    evs_hiredis_free(scripts);
    evs_registry_free(registry);
    redisFree(context);
    return code;
}
