#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

const char LOAD_COUNT[] = "--- Counts how often it ran with a number.\n"
                          "-- @key k... hashes\n-- @arg n the number\n"
                          "for i = 1, #KEYS do redis.call('HINCRBY', KEYS[i], ARGV[1], 1) end\n"
                          "return 1";

typedef struct call {
    load *load;
    int number;
} call;

static void send_one(load *self);

static void took(void *arg, const evs_result *result)
{
    call *one = arg;
    load *self = one->load;
    int fine = result->status == EVS_OK;
    self->reports[one->number]++;
    self->succeeded[one->number] = (unsigned char)fine;
    self->statuses[one->number] = result->status;
    self->outcomes[one->number] = result->outcome;
    self->open--;
    self->done++;
    self->good += fine;
    self->failed += !fine;
    self->maybe += !fine && result->outcome == EVS_MAYBE_EXECUTED;
    if (!fine && self->failed < 4)
        print_message("%s: %s\n", evs_status_name(result->status), result->error->message);
    free(one);
    send_one(self);
}

static void send_one(load *self)
{
    char a[64], b[64], number[16];
    evs_error err;
    if (self->sent >= self->most)
        return;
    const char *tag = self->tags[(size_t)self->sent % self->ntags];
    int n = self->sent / (int)self->ntags;
    snprintf(a, sizeof a, "%s:%d", tag, n % LOAD_KEYS);
    snprintf(b, sizeof b, "%s:%d", tag, (n + 1) % LOAD_KEYS);
    snprintf(number, sizeof number, "%d", self->sent);
    evs_bytes keys[] = {evs_text(a), evs_text(b)}, args[] = {evs_text(number)};
    evs_invocation one = {.script = self->script,
                          .keys = keys,
                          .nkeys = 2,
                          .args = args,
                          .nargs = self->numbered ? 1 : 0,
                          .timeout_ms = self->timeout_ms == 0 ? 20000 : self->timeout_ms};
    call *record = calloc(1, sizeof *record);
    assert_non_null(record);
    *record = (call){self, self->sent++};
    self->open++;
    if (evs_submit(self->client, &one, took, record, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

void load_start(load *self)
{
    assert_true(self->most <= LOAD_MOST);
    for (int i = 0; i < LOAD_OPEN; i++)
        send_one(self);
}

void load_until(load *self, int until)
{
    while (self->done < until && self->open > 0)
        evs_client_process(self->client, 1000, NULL);
}

void load_some(load *self, int until)
{
    int before = -1;
    while (self->done < until && self->done != before) {
        before = self->done;
        for (int i = 0; i < 5 && self->done == before; i++)
            evs_client_process(self->client, 10, NULL);
    }
}

long load_more(load *self, int successes)
{
    struct timespec from, to;
    int enough = self->good + successes;
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (self->good < enough && self->open > 0)
        evs_client_process(self->client, 1000, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (long)((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
}

/* The failures by status, in the order in which each came first. */
static void print_statuses(const load *self)
{
    for (int i = 0; i < self->sent; i++) {
        int before = 0, same = 0;
        if (self->statuses[i] == EVS_OK)
            continue;
        for (int k = 0; k < self->sent; k++) {
            before += k < i && self->statuses[k] == self->statuses[i];
            same += self->statuses[k] == self->statuses[i];
        }
        if (before == 0)
            print_message("%d %s\n", same, evs_status_name(self->statuses[i]));
    }
}

void load_check(const load *self, const char *what)
{
    evs_client_stats stats;
    int unreported = 0, twice = 0;
    for (int i = 0; i < self->sent; i++) {
        unreported += self->reports[i] == 0;
        twice += self->reports[i] > 1;
    }
    evs_client_stats_get(&stats, self->client);
    print_message("%s: %d calls, %d succeeded, %d failed, %d of them maybe; %d unreported, %d "
                  "reported twice; %llu redirects, %llu retries, %llu resends, %llu heals, %llu "
                  "loads, %llu refreshes\n",
                  what, self->sent, self->good, self->failed, self->maybe, unreported, twice,
                  (unsigned long long)stats.redirects, (unsigned long long)stats.retries,
                  (unsigned long long)stats.resends, (unsigned long long)stats.heals,
                  (unsigned long long)stats.loads, (unsigned long long)stats.refreshes);
    print_statuses(self);
    assert_int_equal(self->done, self->most);
    assert_int_equal(self->open, 0);
    assert_int_equal(unreported + twice, 0);
}

unsigned load_slot(nodes *set, const char *key)
{
    return (unsigned)nodes_number(set, 1, "CLUSTER KEYSLOT %s", key);
}

long long load_sum(const load *self, nodes *set, size_t asked)
{
    long long sum = 0;
    for (size_t t = 0; t < self->ntags; t++) {
        size_t node = nodes_owner(set, asked, load_slot(set, self->tags[t]));
        for (int i = 0; i < LOAD_KEYS; i++)
            sum += nodes_number(set, node, "GET %s:%d", self->tags[t], i);
    }
    return sum;
}

static long long times_run(const load *self, nodes *set, const size_t *owners, int number)
{
    size_t tag = (size_t)number % self->ntags;
    redisReply *reply = nodes_ask(set, owners[tag], "HGET %s:%d %d", self->tags[tag],
                                  number / (int)self->ntags % LOAD_KEYS, number);
    long long times = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
    freeReplyObject(reply);
    return times;
}

load_ran load_check_ran(const load *self, nodes *set, size_t asked)
{
    load_ran ran = {0, 0, 0};
    size_t owners[LOAD_TAGS];
    for (size_t t = 0; t < self->ntags; t++)
        owners[t] = nodes_owner(set, asked, load_slot(set, self->tags[t]));
    for (int i = 0; i < self->sent; i++) {
        long long times = times_run(self, set, owners, i);
        ran.twice += times > 1;
        ran.untrue += times > 0 && self->outcomes[i] == EVS_NOT_EXECUTED;
        ran.lost += times == 0 && self->succeeded[i];
    }
    print_message("%d ran twice, %d outcomes untrue, %d acknowledged and lost by the server\n",
                  ran.twice, ran.untrue, ran.lost);
    assert_int_equal(ran.twice, 0);
    assert_int_equal(ran.untrue, 0);
    return ran;
}

void load_tags(load *self, nodes *set, const char *stem, size_t node, size_t count)
{
    assert_true(count <= LOAD_TAGS);
    self->ntags = 0;
    for (int n = 0; self->ntags < count; n++) {
        assert_true(n < 10000);
        char *tag = self->tags[self->ntags];
        snprintf(tag, sizeof self->tags[0], "{%s%d}", stem, n);
        self->ntags += nodes_owner(set, 1, load_slot(set, tag)) == node;
    }
}
