/*
 * utf8.h - characters in bytes that may be no UTF-8.
 */
#ifndef EVS_CORE_UTF8_H
#define EVS_CORE_UTF8_H

#include <evalshard/base.h>

/* The length of the UTF-8 character that `text` begins with, 1 to 4; 0 when it begins with none. */
size_t evs__utf8_length(evs_bytes text);

/* What a reader that replaces each byte outside of UTF-8 counts as characters. */
size_t evs__utf8_count(evs_bytes text);

/* The text in UTF-8 with each other byte as U+FFFD, in `out`, as much as fits in `size` > 0, with a
 * NUL. Characters are not cut. */
size_t evs__utf8_copy(char *out, size_t size, evs_bytes text);

#endif
