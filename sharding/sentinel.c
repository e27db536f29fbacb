#include "sharding/sentinel.h"

#include "core/error.h"
#include "core/printable.h"

#include <string.h>
#include <strings.h>

enum { QUOTED = 200 /* bytes of a sentinel's text in a message */ };

static int is_text(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static int begins_with(evs_bytes text, const char *prefix)
{
    return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

/* Decimal digits alone; 0 when it is something else, or more than 64 bits hold. */
static uint64_t number_of(evs_bytes text)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (text.data[i] < '0' || text.data[i] > '9' || number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

/* ---- one sentinel ---- */

static int read_place(evs__place_at *out, evs_bytes host, evs_bytes port)
{
    uint64_t number = number_of(port);
    if (host.len == 0 || host.len > EVS__LONGEST_HOST || number == 0 || number > 65535 ||
        memchr(host.data, '\0', host.len) != NULL)
        return 0;
    *out = (evs__place_at){host, (int)number};
    return 1;
}

static evs_status refused(evs_bytes text, evs_error *err)
{
    char shown[QUOTED];
    evs__printable(shown, sizeof shown, text);
    int denied = begins_with(text, "NOPERM") || begins_with(text, "NOAUTH");
    return evs__fail(err, denied ? EVS_E_DENIED : EVS_E_CONNECT, "%s", shown);
}

evs_status evs__primary_read(evs__place_at *out, const evs_reply *reply, evs_error *err)
{
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR)
        return refused(evs_reply_bytes(reply), err);
    if (evs_reply_kind(reply) == EVS_REPLY_NIL)
        return evs__fail(err, EVS_E_CONFIG, "no primary of that name is watched");
    if (evs_reply_count(reply) != 2 || !read_place(out, evs_reply_bytes(evs_reply_at(reply, 0)),
                                                   evs_reply_bytes(evs_reply_at(reply, 1))))
        return evs__fail(err, EVS_E_PROTOCOL, "the answer is no address");
    return EVS_OK;
}

uint64_t evs__primary_epoch(const evs_reply *reply)
{
    return number_of(evs_reply_bytes(evs_reply_map_get(reply, evs_text("config-epoch"))));
}

/* ---- replicas ---- */

static evs_bytes field_of(const evs_reply *reply, const char *name)
{
    return evs_reply_bytes(evs_reply_map_get(reply, evs_text(name)));
}

/* Is it one of the words, which are separated by commas? */
static int has_flag(evs_bytes flags, const char *flag)
{
    size_t from = 0;
    for (size_t i = 0; i <= flags.len; i++) {
        if (i < flags.len && flags.data[i] != ',')
            continue;
        if (is_text((evs_bytes){flags.data + from, i - from}, flag))
            return 1;
        from = i + 1;
    }
    return 0;
}

static const char *fault_of(const evs_reply *reply)
{
    evs_bytes flags = field_of(reply, "flags"), role = field_of(reply, "role-reported");
    if (has_flag(flags, "s_down") || has_flag(flags, "o_down"))
        return "a sentinel takes it for down";
    if (has_flag(flags, "disconnected"))
        return "a sentinel has no connection to it";
    if (role.len > 0 && !is_text(role, "slave") && !is_text(role, "replica"))
        return "it says that it is no replica";
    if (!is_text(field_of(reply, "master-link-status"), "ok"))
        return "its link to the primary is down";
    return NULL;
}

int evs__replica_read(evs__seen *out, const evs_reply *reply)
{
    out->fault = fault_of(reply);
    return read_place(&out->place, field_of(reply, "ip"), field_of(reply, "port"));
}

evs_status evs__replicas_refused(evs_error *err, const evs_reply *reply, const char *name)
{
    evs_error why;
    if (reply == NULL || evs_reply_kind(reply) != EVS_REPLY_ERROR)
        return evs__fail(err, EVS_E_CONNECT, "sentinel %s does not tell the replicas", name);
    refused(evs_reply_bytes(reply), &why);
    return evs__fail(err, why.status, "sentinel %s does not tell the replicas: %s", name,
                     why.message);
}

/* ---- messages ---- */

/* Cuts the last word off `text`; empty at its beginning. */
static evs_bytes take_last(evs_bytes *text)
{
    size_t from = text->len;
    while (from > 0 && text->data[from - 1] != ' ')
        from--;
    evs_bytes word = {text->data + from, text->len - from};
    text->len = from > 0 ? from - 1 : 0;
    return word;
}

int evs__switch_read(evs__switched *out, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(evs_reply_at(reply, 2));
    if (evs_reply_count(reply) != 3 || text.len == 0 ||
        !is_text(evs_reply_bytes(evs_reply_at(reply, 0)), "message") ||
        !is_text(evs_reply_bytes(evs_reply_at(reply, 1)), "+switch-master"))
        return 0;
    evs_bytes port = take_last(&text), host = take_last(&text);
    if (!read_place(&out->after, host, port))
        return 0;
    port = take_last(&text);
    host = take_last(&text);
    out->name = text;
    return read_place(&out->before, host, port) && text.len > 0;
}

/* "slave 10.0.0.2:6379 10.0.0.2 6379 @ ledger-1 10.0.0.1 6379" */
evs_bytes evs__replica_news_read(const evs_reply *reply)
{
    evs_bytes none = {NULL, 0};
    int is_message = evs_reply_count(reply) == 3 &&
                     is_text(evs_reply_bytes(evs_reply_at(reply, 0)), "message");
    evs_bytes text = is_message ? evs_reply_bytes(evs_reply_at(reply, 2)) : none;
    if (!begins_with(text, "slave "))
        return none;
    take_last(&text);
    take_last(&text);
    const char *at = memmem(text.data, text.len, " @ ", 3);
    if (at == NULL)
        return none;
    size_t before = (size_t)(at - text.data) + 3;
    return (evs_bytes){text.data + before, text.len - before};
}

/* ---- all of them ---- */

int evs__place_same(const evs__place_at *a, const evs__place_at *b)
{
    return a->port == b->port && a->host.len == b->host.len &&
           (a->host.len == 0 || strncasecmp(a->host.data, b->host.data, a->host.len) == 0);
}

/* What the votes for one address come to. */
typedef struct stand {
    size_t votes;
    uint64_t epoch; /* the highest */
    int known;
} stand;

static stand count_for(const evs__vote *votes, size_t count, const evs__place_at *place,
                       const evs__known_primary *known)
{
    stand all = {.known = evs__place_same(place, &known->place)};
    for (size_t i = 0; i < count; i++) {
        if (!votes[i].given || !evs__place_same(&votes[i].place, place))
            continue;
        all.votes++;
        all.epoch = votes[i].epoch > all.epoch ? votes[i].epoch : all.epoch;
    }
    return all;
}

static int is_better(const stand *a, const stand *b)
{
    if (a->epoch != b->epoch)
        return a->epoch > b->epoch;
    if (a->votes != b->votes)
        return a->votes > b->votes;
    return a->known > b->known;
}

int evs__elect(const evs__vote *votes, size_t count, unsigned quorum,
               const evs__known_primary *known)
{
    int best = -1;
    stand first = {0};
    for (size_t i = 0; i < count; i++) {
        if (!votes[i].given)
            continue;
        stand one = count_for(votes, count, &votes[i].place, known);
        if (one.votes < quorum || (best >= 0 && !is_better(&one, &first)))
            continue;
        best = (int)i;
        first = one;
    }
    if (best >= 0 && known->works && !first.known && first.epoch < known->epoch)
        return -1;
    return best;
}
