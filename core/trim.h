/*
 * trim.h - a text without the blanks around it.
 */
#ifndef EVS_CORE_TRIM_H
#define EVS_CORE_TRIM_H

#include <evalshard/base.h>

static inline evs_bytes evs__trim(evs_bytes text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

#endif
