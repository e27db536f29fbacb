#include "core/number.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>

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

static size_t sign(evs_bytes text)
{
    return text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
}

/* The first byte from `i` on that is no digit. */
static size_t digits(evs_bytes text, size_t i)
{
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9')
        i++;
    return i;
}

int evs__is_whole(evs_bytes text)
{
    size_t first = sign(text);
    return first < text.len && digits(text, first) == text.len;
}

static int is_word(evs_bytes text, size_t i)
{
    return text.len - i == 3 &&
           (memcmp(text.data + i, "inf", 3) == 0 || memcmp(text.data + i, "nan", 3) == 0);
}

/* Behind e or E at `i`: [+-]digits and nothing else. */
static int is_exponent(evs_bytes text, size_t i)
{
    evs_bytes rest = {text.data + i + 1, text.len - i - 1};
    return (text.data[i] == 'e' || text.data[i] == 'E') && evs__is_whole(rest);
}

int evs__is_double(evs_bytes text)
{
    size_t first = sign(text);
    if (is_word(text, first))
        return 1;
    size_t i = digits(text, first), count = i - first;
    if (i < text.len && text.data[i] == '.') {
        size_t point = i++;
        i = digits(text, i);
        count += i - point - 1;
    }
    return count > 0 && (i == text.len || is_exponent(text, i));
}

/* The C library gives the "C" locale without allocating, and takes it back the same way. */
int evs__double(double *out, evs_bytes text)
{
    if (!evs__is_double(text))
        return 0;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return 0;
    int before = errno;
    errno = 0;
    double n = strtod_l(text.data, NULL, plain);
    int too_large = errno == ERANGE && (n > 1 || n < -1);
    errno = before;
    freelocale(plain);
    if (too_large)
        return 0;
    *out = n;
    return 1;
}
