/*
 * contract_word.h - what callers of a script pass, in words: keys=9 argv=3 hashtag readonly
 * small=KEYS[2]. They stand in comments and in settings.
 */
#ifndef EVS_SCRIPTS_AUDIT_CONTRACT_WORD_H
#define EVS_SCRIPTS_AUDIT_CONTRACT_WORD_H

#include "scripts/audit/setting.h"

typedef enum evs__word_result {
    EVS__WORD_FINE,
    EVS__WORD_CONFLICT, /* understood, but something else was said before */
    EVS__WORD_FAULT     /* not understood */
} evs__word_result;

/* Takes one word; unless it is fine, `message` says what about it. */
evs__word_result evs__contract_word(evs__expected *expected, evs_bytes word, char *message,
                                    size_t size);

/* Takes words with blanks or commas between. Fails with EVS_E_INVALID for a word that is not fine.
 */
evs_status evs__contract_words(evs__expected *expected, const char *text, evs_error *err);

#endif
