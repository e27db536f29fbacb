#include "scripts/engine/question.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/render.h"

typedef struct question {
    evs__request where; /* first */
    evs__request replicas;
    evs__request since;
    evs__ring ring; /* in the primary's */
    evs__sentinel *sentinel;
    evs__primary *primary;
    unsigned round;
    int port;
    char *host;      /* ours; NULL: not told */
    evs_reply *list; /* ours: to SENTINEL REPLICAS; NULL: not told, or not asked */
    evs_error *why;  /* ours; NULL: it was told */
} question;

/* The primary may have gone meanwhile. */
static int is_wanted(const question *one)
{
    return one->ring.next != &one->ring && evs__sentinels_expect(one->sentinel->group, one->round);
}

static void end(question *one)
{
    evs__sentinel *sentinel = one->sentinel;
    evs__primary *primary = is_wanted(one) ? one->primary : NULL;
    unsigned round = one->round;
    evs__ring_remove(&one->ring);
    evs__free(one->host);
    evs_reply_free(one->list);
    evs__free(one->why);
    evs__free(one);
    evs__sentinels_answered(sentinel, round, primary);
}

/* ---- answers ---- */

static evs_status read_where(question *one, const evs__answer *answer, evs_error *err)
{
    evs__place_at place;
    if (answer->got == EVS__GOT_LOST)
        return evs__fail_with(err, answer->why);
    if (answer->got != EVS__GOT_REPLY)
        return evs__fail(err, EVS_E_REPLY_TOO_BIG, "the answer is over a limit of replies");
    evs_status status = evs__primary_read(&place, answer->reply, err);
    if (status != EVS_OK)
        return status;
    one->host = evs__copy_text(place.host.data, place.host.len);
    one->port = place.port;
    return one->host == NULL ? evs__fail_nomem(err) : EVS_OK;
}

static void told_where(evs__request *request, const evs__answer *answer)
{
    question *one = (question *)request;
    evs_error err;
    if (!is_wanted(one) || read_where(one, answer, &err) == EVS_OK)
        return;
    one->why = evs__alloc_array(1, sizeof *one->why);
    if (one->why != NULL)
        *one->why = err;
}

static void told_replicas(evs__request *request, const evs__answer *answer)
{
    question *one = (question *)((char *)request - offsetof(question, replicas));
    if (is_wanted(one) && answer->got == EVS__GOT_REPLY &&
        evs_reply_copy(&one->list, answer->reply, NULL) != EVS_OK)
        one->list = NULL;
}

static void told_since(evs__request *request, const evs__answer *answer)
{
    question *one = (question *)((char *)request - offsetof(question, since));
    size_t from = (size_t)(one->sentinel - one->sentinel->group->all);
    if (is_wanted(one) && one->host != NULL) {
        uint64_t epoch = answer->got == EVS__GOT_REPLY ? evs__primary_epoch(answer->reply) : 0;
        evs__vote vote = {1, {evs_text(one->host), one->port}, epoch};
        evs__primary_told(one->primary, from, &vote, one->list);
        one->list = NULL;
    } else if (is_wanted(one) && one->why != NULL) {
        evs__primary_untold(one->primary, from, one->why);
    }
    end(one);
}

/* ---- asking ---- */

static void ignore(evs__request *request, const evs__answer *answer)
{
    (void)request;
    (void)answer;
}

static void drop(evs__request *request, const evs__answer *answer)
{
    (void)answer;
    evs__free(request);
}

static void drop_behind(evs__request *request, const evs__answer *answer)
{
    (void)answer;
    evs__free((char *)request - offsetof(question, replicas));
}

static int append(evs__conn *conn, evs__request *request, const char *word, const char *name)
{
    evs_bytes args[] = {evs_text("SENTINEL"), evs_text(word), evs_text(name)};
    evs__render_command(evs__conn_begin(conn, request), args, 3);
    return evs__conn_end(conn, request);
}

/* 0 when out of memory. What left already goes with the answer to the last of that. */
static int append_all(question *one, evs__conn *conn)
{
    const char *name = one->primary->lane->at->master_name;
    int also = evs__primary_is_read_beside(one->primary);
    if (!append(conn, &one->where, "GET-MASTER-ADDR-BY-NAME", name)) {
        evs__free(one);
        return 0;
    }
    if (also && !append(conn, &one->replicas, "REPLICAS", name)) {
        one->where.done = drop;
        return 0;
    }
    if (append(conn, &one->since, "MASTER", name))
        return 1;
    one->where.done = also ? ignore : drop;
    one->replicas.done = drop_behind;
    return 0;
}

void evs__question_ask(evs__sentinel *sentinel, evs__primary *primary)
{
    question *one = evs__zalloc_array(1, sizeof *one);
    if (one == NULL)
        return;
    *one = (question){.where = {.done = told_where},
                      .replicas = {.done = told_replicas},
                      .since = {.done = told_since},
                      .sentinel = sentinel,
                      .primary = primary,
                      .round = sentinel->group->round};
    if (!append_all(one, sentinel->asked))
        return;
    evs__ring_append(&primary->questions, &one->ring);
    sentinel->owes++;
    sentinel->group->owed++;
}

const char *evs_replica_fault(const evs_reply *seen)
{
    evs__seen one;
    return evs__replica_read(&one, seen) ? one.fault : "a sentinel does not say where it is";
}
