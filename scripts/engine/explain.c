#include "scripts/engine/explain.h"

#include "core/error.h"
#include "sharding/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void append(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *out, size_t cap, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + len, cap - len, format, args);
    va_end(args);
}

static void name_subject(char *out, size_t cap, const evs__subject *subject, int with_shard)
{
    out[0] = '\0';
    if (subject->script != NULL)
        append(out, cap, "script %s, ", subject->script);
    if (subject->key.len > 0) {
        char key[96];
        evs__key_text(key, sizeof key, subject->key);
        append(out, cap, "key \"%s\", ", key);
    }
    if (with_shard && subject->shard != NULL)
        append(out, cap, "shard %s, ", subject->shard);
    size_t len = strlen(out);
    if (len >= 2)
        memcpy(out + len - 2, ": ", 3);
}

static void note_names(evs_error *err, const evs__subject *subject)
{
    if (subject->script != NULL)
        snprintf(err->script, sizeof err->script, "%s", subject->script);
    if (subject->shard != NULL)
        snprintf(err->shard, sizeof err->shard, "%s", subject->shard);
}

evs_status evs__explain(evs_error *err, const evs__subject *subject, evs_status status,
                        const char *format, ...)
{
    if (err == NULL)
        return status;
    char why[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);

    char what[400];
    name_subject(what, sizeof what, subject, 1);
    evs__fail(err, status, "%s%s", what, why);
    note_names(err, subject);
    return status;
}

evs_status evs__explain_below(evs_error *err, const evs__subject *subject)
{
    char what[400], why[sizeof err->message];
    name_subject(what, sizeof what, subject, err->shard[0] == '\0');
    note_names(err, subject);
    if (strlen(what) + strlen(err->message) >= sizeof err->message)
        return err->status; /* a long list of keys is worth more whole */
    memcpy(why, err->message, sizeof why);
    err->message[0] = '\0';
    append(err->message, sizeof err->message, "%s%s", what, why);
    return err->status;
}

/* The place that the server adds at the end counts more than what the script may have said. There
 * is something behind the number: text of a reply ends with a NUL. */
int evs__line_in(evs_bytes text)
{
    static const char mark[] = "@user_script:";
    const char *at = memmem(text.data, text.len, mark, sizeof mark - 1);
    if (at != NULL)
        return (int)strtol(at + sizeof mark - 1, NULL, 10);
    at = memmem(text.data, text.len, mark + 1, sizeof mark - 2);
    return at == NULL ? 0 : (int)strtol(at + sizeof mark - 2, NULL, 10);
}
