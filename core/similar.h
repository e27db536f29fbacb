/*
 * similar.h - how alike two words are, for "did you mean".
 */
#ifndef EVS_CORE_SIMILAR_H
#define EVS_CORE_SIMILAR_H

#include <evalshard/base.h>

/* Edits (insert, delete, replace, swap neighbours) from `a` to `b`, letters of either case alike;
 * at most `limit` + 1. Words longer than 64 bytes are never alike. */
unsigned evs__edit_distance(evs_bytes a, evs_bytes b, unsigned limit);

/* The word of `words` nearest to `word` when it is near enough to suggest; NULL when none is. */
const char *evs__most_similar(evs_bytes word, const char *const *words, size_t count);

#endif
