#include "core/number.h"

/* Counts downwards, because the negative side reaches one further. */
int evs__number(int64_t *out, evs_bytes text)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    int negative = i == 1 && text.data[0] == '-';
    int64_t n = 0;
    if (i == text.len)
        return 0;
    for (; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || n < (INT64_MIN + digit) / 10)
            return 0;
        n = n * 10 - digit;
    }
    if (!negative && n == INT64_MIN)
        return 0;
    *out = negative ? n : -n;
    return 1;
}
