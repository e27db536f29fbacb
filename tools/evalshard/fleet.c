/*
 * fleet.c - every script of the registry on every shard of the map: asking and loading. Shards are
 * asked one after the other; a dead one costs one connect timeout, not one per script.
 */
#include "tools/evalshard/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/info.h"
#include "tools/evalshard/term.h"

void fleet_init(fleet *f, const session *s)
{
    f->s = s;
    f->nshards = evs_shardmap_count(s->map);
    f->nscripts = evs_registry_count(s->registry);
    f->shards = need(calloc(f->nshards + 1, sizeof *f->shards));
    f->states = need(calloc(f->nshards * f->nscripts + 1, sizeof *f->states));
    for (size_t i = 0; i < f->nshards; i++) {
        fleet_shard *shard = &f->shards[i];
        evs_shardmap_shard(&shard->info, s->map, i, NULL);
        shard->name = session_shard_name(&shard->info);
        shard->is_reachable = 1;
        shard->not_ours = -1;
    }
}

void fleet_free(fleet *f)
{
    for (size_t i = 0; i < f->nshards; i++)
        free(f->shards[i].name);
    free(f->shards);
    free(f->states);
}

fleet_state *fleet_at(const fleet *f, size_t script, size_t shard)
{
    return &f->states[script * f->nshards + shard];
}

/* Writes down, and says once, what is wrong with a shard. */
static void note(fleet_shard *shard, const char *message)
{
    if (shard->problem[0] != '\0')
        return;
    snprintf(shard->problem, sizeof shard->problem, "%s", message);
    complain("%s", message);
}

/* The same for what the server said, which does not name itself. */
static void note_reply(fleet_shard *shard, evs_bytes text)
{
    char message[sizeof shard->problem];
    char *safe = shown(text, '\0');
    snprintf(message, sizeof message, "shard %s: %s", shard->name, safe);
    note(shard, message);
    free(safe);
}

/* One command. NULL when there was no good reply; then `*state` says which kind of trouble. */
static evs_reply *ask(fleet *f, size_t shard, const evs_bytes *words, size_t nwords,
                      fleet_state *state)
{
    evs_reply *reply = NULL;
    evs_error err;
    fleet_shard *at = &f->shards[shard];
    evs_status status = session_ask(&reply, f->s, at->name, words, nwords, &err);

    if (status != EVS_OK) {
        *state = session_exit_code(status) == EXIT_NO ? FLEET_REFUSED : FLEET_UNREACHABLE;
        at->is_reachable = *state == FLEET_REFUSED;
        note(at, err.message);
        return NULL;
    }
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        *state = FLEET_REFUSED;
        note_reply(at, evs_reply_bytes(reply));
        evs_reply_free(reply);
        return NULL;
    }
    return reply;
}

static void ask_shard(fleet *f, size_t shard)
{
    evs_bytes *words = need(calloc(f->nscripts + 2, sizeof *words));
    fleet_state trouble = FLEET_REFUSED;
    words[0] = evs_text("SCRIPT");
    words[1] = evs_text("EXISTS");
    for (size_t i = 0; i < f->nscripts; i++)
        words[i + 2] = evs_text(evs_script_sha1(evs_registry_at(f->s->registry, i)));

    evs_reply *reply = ask(f, shard, words, f->nscripts + 2, &trouble);
    for (size_t i = 0; i < f->nscripts; i++) {
        fleet_state *state = fleet_at(f, i, shard);
        if (reply == NULL)
            *state = trouble;
        else
            *state = evs_reply_integer(evs_reply_at(reply, i)) == 1 ? FLEET_LOADED : FLEET_MISSING;
    }
    evs_reply_free(reply);
    free(words);
}

void fleet_ask(fleet *f)
{
    progress p;
    progress_start(&p, "shards asked:");
    for (size_t i = 0; f->nscripts > 0 && i < f->nshards; i++) {
        ask_shard(f, i);
        progress_show(&p, i + 1, f->nshards);
    }
    progress_end(&p);
}

/* ---- scripts that are not ours ---- */

/* Two names may stand for one text, which a server keeps once. */
static int is_first_of_its_text(const fleet *f, size_t script)
{
    const char *sha1 = evs_script_sha1(evs_registry_at(f->s->registry, script));
    for (size_t i = 0; i < script; i++) {
        if (strcmp(evs_script_sha1(evs_registry_at(f->s->registry, i)), sha1) == 0)
            return 0;
    }
    return 1;
}

static int64_t count_loaded(const fleet *f, size_t shard)
{
    int64_t n = 0;
    for (size_t i = 0; i < f->nscripts; i++)
        n += *fleet_at(f, i, shard) == FLEET_LOADED && is_first_of_its_text(f, i);
    return n;
}

void fleet_count_others(fleet *f)
{
    const evs_bytes words[] = {evs_text("INFO"), evs_text("memory")};
    fleet_state trouble;
    for (size_t i = 0; i < f->nshards; i++) {
        if (!f->shards[i].is_reachable)
            continue;
        evs_reply *reply = ask(f, i, words, 2, &trouble);
        int64_t cached = info_number(evs_reply_bytes(reply), "number_of_cached_scripts");
        if (cached >= 0)
            f->shards[i].not_ours = cached - count_loaded(f, i);
        evs_reply_free(reply);
    }
}

/* ---- loading ---- */

static fleet_state load_one(fleet *f, size_t script, size_t shard)
{
    const evs_script *it = evs_registry_at(f->s->registry, script);
    const evs_bytes words[] = {evs_text("SCRIPT"), evs_text("LOAD"), evs_script_source(it)};
    fleet_state trouble = FLEET_REFUSED;
    evs_reply *reply = ask(f, shard, words, 3, &trouble);
    if (reply == NULL)
        return trouble;

    evs_bytes sha1 = evs_reply_bytes(reply);
    int agrees = sha1.len == 40 && memcmp(sha1.data, evs_script_sha1(it), 40) == 0;
    if (!agrees)
        note_reply(&f->shards[shard], evs_text("SCRIPT LOAD answers with another SHA-1"));
    evs_reply_free(reply);
    return agrees ? FLEET_LOADED : FLEET_REFUSED;
}

void fleet_load(fleet *f)
{
    progress p;
    progress_start(&p, "scripts loaded:");
    for (size_t shard = 0; shard < f->nshards; shard++) {
        for (size_t i = 0; i < f->nscripts && f->shards[shard].is_reachable; i++) {
            *fleet_at(f, i, shard) = load_one(f, i, shard);
            progress_show(&p, shard * f->nscripts + i + 1, f->nshards * f->nscripts);
        }
    }
    progress_end(&p);
}

int fleet_exit_code(const fleet *f)
{
    int code = EXIT_FINE;
    for (size_t i = 0; i < f->nshards; i++) {
        if (!f->shards[i].is_reachable)
            return EXIT_UNREACHABLE;
    }
    for (size_t i = 0; i < f->nshards * f->nscripts; i++) {
        if (f->states[i] == FLEET_MISSING || f->states[i] == FLEET_REFUSED)
            code = EXIT_NO;
    }
    return code;
}

static int run_on(const fleet_command *shared, const session *s, const opts *given)
{
    fleet f;
    fleet_init(&f, s);
    shared->work(&f, given);
    if (opt_given(given, shared->json))
        fleet_print_json(&f);
    else
        fleet_print(&f);
    int code = fleet_exit_code(&f);
    fleet_free(&f);
    return code;
}

int fleet_run(const fleet_command *shared, const opts *given)
{
    session s = {NULL, NULL, NULL};
    if (given->plain.count > 0) {
        complain("%s: unexpected word \"%s\"", shared->name, given->plain.words[0]);
        return EXIT_USAGE;
    }
    int code = session_open(&s, opt_text(given, shared->map), opt_text(given, shared->scripts));
    if (code == EXIT_FINE)
        code = run_on(shared, &s, given);
    session_close(&s);
    return code;
}
