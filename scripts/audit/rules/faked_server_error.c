/* ES615 - an error that reads like one of the server itself. */
#include "scripts/audit/rule.h"

#include <string.h>

/* Words with which a server says that it did not run, or did not finish, a script. */
static const char *const words[] = {"ASK",       "BUSY",     "CLUSTERDOWN", "CROSSSLOT", "DENIED",
                                    "EXECABORT", "LOADING",  "MASTERDOWN",  "MISCONF",   "MOVED",
                                    "NOAUTH",    "NOPERM",   "NOREPLICAS",  "NOSCRIPT",  "OOM",
                                    "READONLY",  "REDIRECT", "TRYAGAIN",    "WRONGPASS"};

/* "-MOVED x" and "MOVED x" both come as MOVED; a word alone comes behind ERR. */
static const char *server_word(evs_bytes text)
{
    size_t begin = text.len > 0 && text.data[0] == '-';
    const char *blank = memchr(text.data, ' ', text.len);
    if (blank == NULL)
        return NULL;
    size_t len = (size_t)(blank - text.data) - begin;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == len && memcmp(words[i], text.data + begin, len) == 0)
            return words[i];
    return NULL;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (const evs__error_text *error = facts->flow->errors; error != NULL; error = error->next) {
        const char *word = server_word(error->text);
        if (word != NULL)
            evs__finding_add(out, evs__span_public(facts->chunk, error->at),
                             "clients take an error that begins with %s for one of the server",
                             word);
    }
}

const evs__rule evs__rule_faked_server_error = {
    .info =
        {
            .code = "ES615",
            .name = "faked-server-error",
            .severity = EVS_SEVERITY_WARNING,
            .tier = EVS_TIER_A,
            .why = "Clients believe these words: after MOVED, ASK, TRYAGAIN, BUSY, LOADING, "
                   "NOSCRIPT and the like they send the call again, because a server that says "
                   "so has not run it. A script that says so has.",
            .bad = "return redis.error_reply('BUSY try again')",
            .good = "return redis.error_reply('LOCKED try again')",
            .exceptions = "",
            .false_positives = "None.",
            .server = "BUSY try again",
            .fix = "begin the text with a word of your own",
            .companions = "",
            .target = "",
        },
    .check = check,
};
