/* ES618 - an error whose first word is no code. */
#include "scripts/audit/rule.h"

#include <string.h>

static size_t word_length(evs_bytes text)
{
    const char *blank = text.len == 0 ? NULL : memchr(text.data, ' ', text.len);
    return blank == NULL ? text.len : (size_t)(blank - text.data);
}

static int has_code(evs_bytes text)
{
    size_t len = word_length(text), begin = text.len > 0 && text.data[0] == '-';
    if (len == text.len)
        return 1;
    for (size_t i = begin; i < len; i++) {
        char c = text.data[i];
        if (c >= 'a' && c <= 'z')
            return 0;
    }
    return len > begin;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__error_text *error = facts->flow->errors; error != NULL; error = error->next)
        if (!has_code(error->text))
            evs__finding_add(out, evs__span_public(facts->chunk, error->at),
                             "the first word of the error is taken for its code: '%.*s'",
                             (int)word_length(error->text), error->text.data);
}

const evs__rule evs__rule_error_without_code = {
    .info =
        {
            .code = "ES618",
            .name = "error-without-code",
            .severity = EVS_SEVERITY_NOTE,
            .tier = EVS_TIER_B,
            .why = "Clients and the server read the first word of an error as its code: they "
                   "tell errors apart by it, and INFO errorstats counts each word on its own "
                   "(and stops counting when there are too many).",
            .bad = "return redis.error_reply('too many requests')",
            .good = "return redis.error_reply('LIMIT too many requests')",
            .exceptions = "a word alone, before which error_reply puts ERR",
            .false_positives = "Callers that show the text and look at nothing else.",
            .server = "too many requests",
            .fix = "begin the text with a code in upper case, or with ERR",
            .companions = "",
            .target = "",
        },
    .check = check,
};
