/*
 * demo_steps.c - what the demonstration shows. A step does something through the library, then asks
 * the servers what they saw of it.
 */
#include "tools/evalshard/demo_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/table.h"
#include "tools/evalshard/term.h"

static void title(int number, const char *text)
{
    printf("\n%s%d. %s%s\n", colour(stdout, STRONG), number, text, colour(stdout, PLAIN));
    fflush(stdout);
}

static int failed(const evs_error *err)
{
    complain("demo: this should have worked:");
    session_complain(err);
    return EXIT_UNREACHABLE;
}

/* Prints every line of `text` two columns in. */
static void print_indented(const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        printf("%s%.*s\n", len > 0 ? "  " : "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* ---- 1 ---- */

static void print_file(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        printf("    %s", line);
    if (file != NULL)
        fclose(file);
}

int demo_show_map(demo *d)
{
    char path[256], program[256];
    title(1, "Three servers and a shard map");
    snprintf(path, sizeof path, "%s/shards.yaml", scratch_folder(d->area));
    printf("  Started three times: %s\n  %s:\n", scratch_program(program, sizeof program), path);
    print_file(path);
    printf("  Its fingerprint is %016" PRIx64 ": maps with equal ones place every key alike.\n",
           evs_shardmap_fingerprint(d->s.map));
    return EXIT_FINE;
}

/* ---- 2 and 3 ---- */

static void print_numbers(const demo *d, const numbers each[DEMO_SHARDS])
{
    static const char *const headers[] = {"shard", "keys", "calls", "script loads", "round trips"};
    numbers sum = demo_total(each);
    table *t = table_new(stdout, headers, 5);
    table_align(t, 2);
    for (size_t i = 0; i <= DEMO_SHARDS; i++) {
        const numbers *n = i < DEMO_SHARDS ? &each[i] : &sum;
        table_text(t, i < DEMO_SHARDS ? demo_shard_name(d, i) : "total", PLAIN);
        table_number(t, n->keys, PLAIN);
        table_number(t, n->evalsha, PLAIN);
        table_number(t, n->loads, PLAIN);
        table_number(t, n->reads, PLAIN);
    }
    table_finish(t);
}

/* Prints what the servers counted since `before`; `*sum` gets the total. */
static evs_status print_since(numbers *sum, const demo *d, const numbers before[DEMO_SHARDS],
                              evs_error *err)
{
    numbers now[DEMO_SHARDS];
    evs_status status = demo_numbers(now, d, err);
    if (status != EVS_OK)
        return status;
    for (size_t i = 0; i < DEMO_SHARDS; i++)
        now[i] = demo_since(&before[i], &now[i]);
    print_numbers(d, now);
    *sum = demo_total(now);
    return EVS_OK;
}

static evs_status create_users(const demo *d, evs_error *err)
{
    evs_status status = EVS_OK;
    for (int uid = 1; uid <= DEMO_USERS && status == EVS_OK && !demo_is_interrupted(); uid++)
        status = demo_create_user(d, uid, err);
    return status;
}

static evs_status post_for_all(const demo *d, evs_error *err)
{
    evs_status status = EVS_OK;
    for (int uid = 1; uid <= DEMO_USERS && status == EVS_OK && !demo_is_interrupted(); uid++)
        status = demo_post(d, uid, "1", err);
    return status;
}

int demo_show_posts(demo *d)
{
    numbers before[DEMO_SHARDS], sum;
    evs_error err;
    title(2, "create_status for 1000 users, each call on the shard of its keys");
    printf("  evalshard call create_status -k '{user:7}' '{user:7}:status:1' -a 1 message hello\n");
    if (create_users(d, &err) != EVS_OK || demo_numbers(before, d, &err) != EVS_OK ||
        post_for_all(d, &err) != EVS_OK)
        return failed(&err);
    if (demo_is_interrupted())
        return DEMO_INTERRUPTED;
    if (print_since(&sum, d, before, &err) != EVS_OK)
        return failed(&err);
    printf("  %.2f round trips per call, loading included: the first call to a shard carries the "
           "script.\n",
           (double)sum.reads / (double)sum.evalsha);
    return EXIT_FINE;
}

typedef struct tally {
    size_t done, failed;
    evs_error err; /* of a call that failed */
} tally;

static void count(void *arg, const evs_result *result)
{
    tally *t = arg;
    t->done++;
    if (result->status == EVS_OK)
        return;
    t->failed++;
    t->err = *result->error;
}

static evs_status submit_all(const demo *d, tally *t, evs_error *err)
{
    post it = {0};
    evs_status status = EVS_OK;
    for (int uid = 1; uid <= DEMO_USERS && status == EVS_OK; uid++) {
        demo_write_post(&it, uid, "1");
        status = evs_submit(d->s.client, &it.call, count, t, err);
    }
    /* Each call has a deadline, so this ends. */
    while (evs_client_pending(d->s.client) > 0 && status == EVS_OK)
        status = evs_client_process(d->s.client, -1, err);
    return status;
}

int demo_show_batch(demo *d)
{
    numbers before[DEMO_SHARDS], sum;
    evs_error err;
    tally t = {0};
    title(3, "The same 1000 posts again, submitted together");
    if (demo_numbers(before, d, &err) != EVS_OK || submit_all(d, &t, &err) != EVS_OK)
        return failed(&err);
    if (t.failed > 0)
        return failed(&t.err);
    if (demo_is_interrupted())
        return DEMO_INTERRUPTED;
    if (print_since(&sum, d, before, &err) != EVS_OK)
        return failed(&err);
    printf("  Calls to one shard share a write. No key was added: the script is idempotent.\n");
    return EXIT_FINE;
}

/* ---- 4 ---- */

int demo_show_heal(demo *d)
{
    const size_t shard = 1;
    const evs_bytes flush[] = {evs_text("SCRIPT"), evs_text("FLUSH")};
    numbers before[DEMO_SHARDS], now[DEMO_SHARDS];
    evs_reply *reply = NULL;
    evs_error err;
    int first = demo_user_on(d, shard, 1);
    int second = demo_user_on(d, shard, first + 1);

    title(4, "A shard forgets its scripts: SCRIPT FLUSH on users-b");
    if (session_ask(&reply, &d->s, demo_shard_name(d, shard), flush, 2, &err) != EVS_OK)
        return failed(&err);
    evs_reply_free(reply);
    if (demo_numbers(before, d, &err) != EVS_OK || demo_post(d, first, "2", &err) != EVS_OK ||
        demo_post(d, second, "2", &err) != EVS_OK || demo_numbers(now, d, &err) != EVS_OK)
        return failed(&err);
    numbers n = demo_since(&before[shard], &now[shard]);
    printf("  2 calls, both answered. users-b saw %" PRId64 " NOSCRIPT, %" PRId64
           " SCRIPT LOAD, %" PRId64 " EVALSHA.\n",
           n.noscript, n.loads, n.evalsha);
    return EXIT_FINE;
}

/* ---- 5 ---- */

static void print_failure(const char *what, const evs_error *err)
{
    printf("  %s: %s%s, %s%s\n    %s\n", what, colour(stdout, BAD), evs_status_name(err->status),
           evs_outcome_text(err->outcome), colour(stdout, PLAIN), err->message);
}

/* The client may still be waiting before it tries the address again. */
static evs_status create_user_soon(const demo *d, int uid, evs_error *err)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    enum { TRIES = 250 }; /* five seconds */
    evs_status status = demo_create_user(d, uid, err);
    for (int i = 0; i < TRIES && status != EVS_OK && !demo_is_interrupted(); i++) {
        nanosleep(&pause, NULL);
        status = demo_create_user(d, uid, err);
    }
    return status;
}

static int show_outage(demo *d, size_t shard)
{
    evs_error err;
    size_t other = (shard + 1) % DEMO_SHARDS;
    scratch_kill(d->servers[shard]);
    if (demo_post(d, demo_user_on(d, shard, 1), "3", &err) == EVS_OK) {
        complain("demo: a call to a killed server has worked");
        return EXIT_UNREACHABLE;
    }
    print_failure("A call to users-c", &err);
    if (demo_post(d, demo_user_on(d, other, 1), "3", &err) != EVS_OK)
        return failed(&err);
    printf("  A call to %s meanwhile: answered.\n", demo_shard_name(d, other));
    return EXIT_FINE;
}

int demo_show_crash(demo *d)
{
    const size_t shard = 2;
    numbers now[DEMO_SHARDS];
    evs_error err;
    int uid = demo_user_on(d, shard, 1);

    title(5, "A shard dies: kill -9 on users-c, then a restart, empty, at the same address");
    int code = show_outage(d, shard);
    if (code != EXIT_FINE)
        return code;
    if (scratch_restart(d->servers[shard]) != SCRATCH_OK) {
        complain("demo: %s", scratch_error(d->area));
        return EXIT_UNREACHABLE;
    }
    if (create_user_soon(d, uid, &err) != EVS_OK || demo_post(d, uid, "3", &err) != EVS_OK ||
        demo_numbers(now, d, &err) != EVS_OK)
        return demo_is_interrupted() ? DEMO_INTERRUPTED : failed(&err);
    printf("  After the restart: answered. The new users-c saw %" PRId64 " SCRIPT LOAD, %" PRId64
           " EVALSHA, %" PRId64 " NOSCRIPT.\n",
           now[shard].loads, now[shard].evalsha, now[shard].noscript);
    return EXIT_FINE;
}

/* ---- 6 ---- */

int demo_show_refusal(demo *d)
{
    post it = {0};
    char other[64];
    evs_error err;
    evs_reply *reply = NULL;
    int uid = demo_user_on(d, 0, 1);

    title(6, "Keys on two shards: refused before anything is sent");
    demo_write_post(&it, uid, "4");
    snprintf(other, sizeof other, "{user:%d}:status:4", demo_user_on(d, 1, 1));
    it.keys[1] = evs_text(other);
    if (evs_call(&reply, d->s.client, &it.call, &err) == EVS_OK) {
        evs_reply_free(reply);
        complain("demo: a call with keys on two shards has worked");
        return EXIT_UNREACHABLE;
    }
    print_failure("create_status", &err);
    return EXIT_FINE;
}

/* ---- 7 ---- */

static const evs_report *report_of(const demo *d, const char *name)
{
    const evs_script *script = evs_script_find(d->s.registry, name);
    return script == NULL ? NULL : evs_script_report(script);
}

int demo_show_audit(demo *d)
{
    const evs_report *ours = report_of(d, "create_status");
    const evs_report *book = report_of(d, "book/create_status");
    evs_render_options how = EVS_RENDER_OPTIONS_INIT;
    evs_error err;
    char *text = NULL;
    size_t nsites = 0;

    title(7, "The audit: which keys does a script touch? Asked without a server");
    if (ours == NULL || book == NULL) {
        complain("demo: the shipped scripts are not there");
        return EXIT_UNREACHABLE;
    }
    evs_report_sites(ours, &nsites);
    printf("  create_status: %s, %zu key arguments proven.\n",
           evs_verdict_name(evs_report_verdict(ours)), nsites);
    printf("  book/create_status, as in the book \"Redis in Action\": %s.\n\n",
           evs_verdict_name(evs_report_verdict(book)));
    how.colour = *colour(stdout, BAD) != '\0';
    how.minimum = EVS_SEVERITY_ERROR;
    if (evs_reports_render(&text, &book, 1, &how, &err) != EVS_OK)
        return failed(&err);
    print_indented(text);
    evs_text_free(text);
    return EXIT_FINE;
}
