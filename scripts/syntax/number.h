/*
 * number.h - the numbers of Lua.
 */
#ifndef EVS_SCRIPTS_SYNTAX_NUMBER_H
#define EVS_SCRIPTS_SYNTAX_NUMBER_H

/* The number that `text` is from its first byte to its NUL, as strtod reads it in the C locale
 * (decimal and hexadecimal). 0 when it is none. */
int evs__number_read(double *out, const char *text);

#endif
