#include "scripts/audit/contract_word.h"

#include "core/error.h"
#include "core/number.h"
#include "core/similar.h"

#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 1000000, SMALL_MAX = 64, MESSAGE = 300 };

typedef struct reader {
    evs__expected *expected;
    char *message;
    size_t size;
} reader;

static int begins(evs_bytes text, const char *with)
{
    size_t n = strlen(with);
    return text.len >= n && memcmp(text.data, with, n) == 0;
}

static int equals(evs_bytes text, const char *with)
{
    return text.len == strlen(with) && begins(text, with);
}

static int shown(evs_bytes text)
{
    return text.len > 40 ? 40 : (int)text.len;
}

static evs__word_result unknown(const reader *r, evs_bytes head)
{
    static const char *const words[] = {"ignore",  "ignore-file", "keys", "argv",
                                        "hashtag", "readonly",    "small"};
    const char *likely = evs__most_similar(head, words, sizeof words / sizeof *words);
    if (likely != NULL)
        snprintf(r->message, r->size, "'%.*s' is not understood, did you mean %s?", shown(head),
                 head.data, likely);
    else
        snprintf(r->message, r->size,
                 "'%.*s' is not understood; there are ignore[...], ignore-file[...], keys=N, "
                 "argv=N, hashtag, readonly, small=KEYS[N]",
                 shown(head), head.len == 0 ? "" : head.data);
    return EVS__WORD_FAULT;
}

/* keys=N, argv=N */
static evs__word_result count(const reader *r, evs_bytes value, const char *what, long *least,
                              long *most)
{
    int64_t n;
    if (!evs__number(&n, value) || n < 0 || n > COUNT_MAX) {
        snprintf(r->message, r->size, "%s= wants a number", what);
        return EVS__WORD_FAULT;
    }
    int differs = *least >= 0 && (n < *least || n > *most);
    if (differs)
        snprintf(r->message, r->size, "%s=%ld contradicts what was said before: %ld", what, (long)n,
                 *least);
    *least = *most = (long)n;
    return differs ? EVS__WORD_CONFLICT : EVS__WORD_FINE;
}

/* small=KEYS, small=KEYS[N] */
static evs__word_result small(const reader *r, evs_bytes value)
{
    int64_t n;
    if (equals(value, "KEYS")) {
        r->expected->small = ~(uint64_t)0;
        return EVS__WORD_FINE;
    }
    if (begins(value, "KEYS[") && value.data[value.len - 1] == ']') {
        evs_bytes index = {value.data + 5, value.len - 6};
        if (evs__number(&n, index) && n >= 1 && n <= SMALL_MAX) {
            r->expected->small |= (uint64_t)1 << (n - 1);
            return EVS__WORD_FINE;
        }
    }
    snprintf(r->message, r->size, "small= wants KEYS or KEYS[N], N from 1 to %d", SMALL_MAX);
    return EVS__WORD_FAULT;
}

evs__word_result evs__contract_word(evs__expected *expected, evs_bytes word, char *message,
                                    size_t size)
{
    reader r = {expected, message, size};
    evs_bytes head = word, value = {NULL, 0};
    const char *equal = word.len == 0 ? NULL : memchr(word.data, '=', word.len);
    if (equal != NULL) {
        head.len = (size_t)(equal - word.data);
        value = (evs_bytes){equal + 1, word.len - head.len - 1};
    }
    if (equals(word, "hashtag"))
        expected->hashtag = 1;
    else if (equals(word, "readonly"))
        expected->readonly = 1;
    else if (equal != NULL && equals(head, "keys"))
        return count(&r, value, "keys", &expected->keys_least, &expected->keys_most);
    else if (equal != NULL && equals(head, "argv"))
        return count(&r, value, "argv", &expected->args_least, &expected->args_most);
    else if (equal != NULL && equals(head, "small"))
        return small(&r, value);
    else
        return unknown(&r, head);
    return EVS__WORD_FINE;
}

evs_status evs__contract_words(evs__expected *expected, const char *text, evs_error *err)
{
    char message[MESSAGE];
    for (const char *at = text; *at != '\0';) {
        evs_bytes word = {at, strcspn(at, " \t,")};
        if (word.len > 0 &&
            evs__contract_word(expected, word, message, sizeof message) != EVS__WORD_FINE)
            return evs__fail(err, EVS_E_INVALID, "contract: %s", message);
        at += word.len + (at[word.len] != '\0');
    }
    return EVS_OK;
}
