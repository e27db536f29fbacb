/*
 * targets -> target {"," target}
 * target  -> ("redis" | "valkey") ":" version [".." [version]]
 * version -> number ["." number]
 */
#include "scripts/audit/target.h"

#include "core/error.h"
#include "core/similar.h"

#include <stdio.h>
#include <string.h>

enum { OLDEST_REDIS = EVS__VERSION(2, 6), WORD_MAX = 64 };

static const char *const servers[] = {"redis", "valkey"};

static int is_word(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* A number below 100; moves `*text` behind it. -1 when there is none. */
static int small_number(evs_bytes *text)
{
    int n = -1;
    while (text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9' && n < 10) {
        n = (n < 0 ? 0 : n * 10) + (text->data[0] - '0');
        text->data++;
        text->len--;
    }
    return n;
}

/* The version that `text` is; -1 when it is none. */
static int version(evs_bytes text)
{
    int minor = 0, major = small_number(&text);
    if (text.len > 0 && text.data[0] == '.') {
        text.data++;
        text.len--;
        minor = small_number(&text);
    }
    return text.len > 0 || major < 0 || minor < 0 ? -1 : EVS__VERSION(major, minor);
}

/* What stands before `separator` goes to `*head`, and what is behind it stays; 0 when it is not
 * there. */
static int split(evs_bytes *head, evs_bytes *text, const char *separator)
{
    size_t len = strlen(separator);
    *head = *text;
    for (size_t i = 0; i + len <= text->len; i++) {
        if (memcmp(text->data + i, separator, len) != 0)
            continue;
        head->len = i;
        text->data += i + len;
        text->len -= i + len;
        return 1;
    }
    text->data += text->len;
    text->len = 0;
    return 0;
}

static evs_status wrong(evs_error *err, evs_bytes text, const char *why)
{
    return evs__fail(err, EVS_E_INVALID, "target '%.*s': %s", (int)text.len, text.data, why);
}

static evs_status unknown_server(evs_error *err, evs_bytes text, evs_bytes server)
{
    const char *like = evs__most_similar(server, servers, 2);
    char why[WORD_MAX];
    if (like != NULL)
        snprintf(why, sizeof why, "no such server, did you mean %s?", like);
    else
        snprintf(why, sizeof why, "it must begin with redis: or valkey:");
    return wrong(err, text, why);
}

static evs_status read_one(evs__target *out, evs_bytes text, evs_error *err)
{
    evs_bytes server, least, rest = text;
    int has_version = split(&server, &rest, ":");
    out->is_valkey = is_word(server, servers[1]);
    if (!out->is_valkey && !is_word(server, servers[0]))
        return unknown_server(err, text, server);
    if (!has_version)
        return wrong(err, text, "a version is missing, as in redis:7.0 or redis:6.2..7.4");

    int is_range = split(&least, &rest, "..");
    int open = is_range && rest.len == 0;
    out->min = version(least);
    out->max = !is_range ? out->min : open ? EVS__VERSION_NEWEST : version(rest);
    if (out->min < 0 || out->max < 0)
        return wrong(err, text, "a version is two numbers, as in 7.0");
    if (out->min > out->max)
        return wrong(err, text, "the first version is newer than the second one");
    if (out->min < (out->is_valkey ? (int)EVS__VERSION_PARTED : (int)OLDEST_REDIS))
        return wrong(err, text,
                     out->is_valkey ? "the first version of Valkey is 7.2"
                                    : "scripts came with Redis 2.6");
    return EVS_OK;
}

evs_status evs__targets_read(evs__targets *out, const char *text, evs_error *err)
{
    evs_bytes one, rest = evs_text(text);
    int more = 1;
    out->count = 0;
    while (more) {
        more = split(&one, &rest, ",");
        if (out->count == EVS__TARGETS_MAX)
            return evs__fail(err, EVS_E_INVALID, "target: there are more than %d",
                             EVS__TARGETS_MAX);
        evs_status status = read_one(&out->items[out->count++], one, err);
        if (status != EVS_OK)
            return status;
    }
    return EVS_OK;
}

static int since_of(const evs__target *target, evs__since since)
{
    return target->is_valkey ? since.valkey : since.redis;
}

const evs__target *evs__target_before(const evs__targets *targets, evs__since since)
{
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].min < since_of(&targets->items[i], since))
            return &targets->items[i];
    return NULL;
}

const evs__target *evs__target_from(const evs__targets *targets, evs__since since)
{
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].max >= since_of(&targets->items[i], since))
            return &targets->items[i];
    return NULL;
}

const char *evs__target_name(const evs__target *target)
{
    return target->is_valkey ? "Valkey" : "Redis";
}
