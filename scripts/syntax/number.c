/*
 * number.c - strtod whatever the process's locale is. The "C" locale object costs nothing to make:
 * the C libraries keep it ready.
 */
#include "scripts/syntax/number.h"

#include <locale.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

int evs__number_read(double *out, const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return 0;
    char *end;
    *out = strtod_l(text, &end, c);
    freelocale(c);
    return end != text && *end == '\0';
}
