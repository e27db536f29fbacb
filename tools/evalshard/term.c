/*
 * term.c - writing for people and for pipes.
 */
#include "tools/evalshard/term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tools/evalshard/command.h"

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("evalshard: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void *need(void *block)
{
    if (block != NULL)
        return block;
    complain("out of memory");
    exit(EXIT_UNREACHABLE);
}

int is_terminal(FILE *out)
{
    return isatty(fileno(out));
}

size_t terminal_width(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

const char *colour(FILE *out, style which)
{
    static const char *const sequences[] = {
        [PLAIN] = "\033[0m",    [GOOD] = "\033[32m", [BAD] = "\033[31m",
        [CAUTION] = "\033[33m", [FAINT] = "\033[2m", [STRONG] = "\033[1m",
    };
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (!is_terminal(out) || (no_color != NULL && no_color[0] != '\0') ||
        (term != NULL && strcmp(term, "dumb") == 0))
        return "";
    return sequences[which];
}

/* ---- bytes ---- */

/* Lengths by the first byte, and the least second byte where shorter forms or surrogates would do:
 * The Unicode Standard, table 3-7. */
size_t utf8_length(evs_bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    if (text.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (len == 0 || text.len < len)
        return 0;
    unsigned char least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

/* C0 and DEL in one byte, C1 in two (c2 80 to c2 9f). */
static int is_control(const char *p, size_t len)
{
    const unsigned char *u = (const unsigned char *)p;
    return (len == 1 && (u[0] < 0x20 || u[0] == 0x7f)) || (len == 2 && u[0] == 0xc2 && u[1] < 0xa0);
}

/* Writes a byte that cannot be shown as it is; returns the end. */
static char *escape(char *to, char byte)
{
    static const char named[] = "\nn\rr\tt\aa\bb";
    for (const char *p = named; *p != '\0'; p += 2) {
        if (*p == byte) {
            *to++ = '\\';
            *to++ = p[1];
            return to;
        }
    }
    return to + snprintf(to, 5, "\\x%02x", (unsigned)(unsigned char)byte);
}

char *shown(evs_bytes text, char quote)
{
    char *out = need(malloc(text.len * 4 + 1)); /* every byte may become \xNN */
    char *to = out;
    for (size_t i = 0; i < text.len;) {
        evs_bytes rest = {text.data + i, text.len - i};
        size_t len = utf8_length(rest);
        if (len == 0 || is_control(rest.data, len)) {
            to = escape(to, rest.data[0]);
            i++;
            continue;
        }
        if (quote != '\0' && (*rest.data == quote || *rest.data == '\\'))
            *to++ = '\\';
        memcpy(to, rest.data, len);
        to += len;
        i += len;
    }
    *to = '\0';
    return out;
}

size_t columns_of(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* ---- progress ---- */

enum { QUIET_MS = 1000, REDRAW_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void progress_start(progress *p, const char *what)
{
    *p = (progress){.started_ms = now_ms(), .what = what};
}

void progress_show(progress *p, size_t done, size_t total)
{
    int64_t now = now_ms();
    if (now - p->started_ms < QUIET_MS || now - p->shown_ms < REDRAW_MS || !is_terminal(stderr))
        return;
    p->shown_ms = now;
    if (total > 0)
        fprintf(stderr, "\r%s %zu of %zu", p->what, done, total);
    else
        fprintf(stderr, "\r%s %zu", p->what, done);
}

void progress_end(progress *p)
{
    if (p->shown_ms != 0)
        fputs("\r\033[K", stderr);
}
