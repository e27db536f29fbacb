/*
 * ascii.h - kinds of characters, whatever locale the process has set.
 */
#ifndef EVS_CONF_ASCII_H
#define EVS_CONF_ASCII_H

static inline int evs__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char evs__lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline int evs__is_letter(char c)
{
    return evs__lower(c) >= 'a' && evs__lower(c) <= 'z';
}

static inline int evs__is_hex(char c)
{
    return evs__is_digit(c) || (evs__lower(c) >= 'a' && evs__lower(c) <= 'f');
}

static inline int evs__is_alnum(char c)
{
    return evs__is_digit(c) || evs__is_letter(c);
}

static inline int evs__is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif
