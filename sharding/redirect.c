/* redirect.c - the words of one node about one slot: MOVED, ASK, and its line in CLUSTER NODES. */
#include "sharding/topology.h"

#include <string.h>

enum { FIRST_SLOTS = 8 /* words of a line in front of its slots */ };

/* Cuts the first word off `text`; empty at its end. */
static evs_bytes take_word(evs_bytes *text)
{
    size_t from = 0;
    while (from < text->len && text->data[from] == ' ')
        from++;
    size_t to = from;
    while (to < text->len && text->data[to] != ' ')
        to++;
    evs_bytes word = {text->data + from, to - from};
    *text = (evs_bytes){text->data + to, text->len - to};
    return word;
}

/* Decimal digits at the beginning, which are cut off; -1 when there are none or too many. */
static long take_number(evs_bytes *text)
{
    long number = 0;
    size_t len = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++) {
        number = number * 10 + (text->data[len] - '0');
        if (number > 65535)
            return -1;
    }
    *text = (evs_bytes){text->data + len, text->len - len};
    return len == 0 ? -1 : number;
}

static int is_word(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* The port is behind the last colon: the host may be IPv6, which has no brackets here. */
static int read_address(evs__redirect *out, evs_bytes text)
{
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return 0;
    evs_bytes port = {text.data + colon, text.len - colon};
    long number = take_number(&port);
    if (number <= 0 || port.len > 0)
        return 0;
    out->port = (int)number;
    out->host = (evs_bytes){text.data, colon - 1};
    if (is_word(out->host, "?"))
        out->host.len = 0;
    return 1;
}

int evs__redirect_read(evs__redirect *out, evs_bytes text)
{
    evs_bytes word = take_word(&text);
    evs_bytes slot = take_word(&text);
    evs_bytes address = take_word(&text);
    out->ask = is_word(word, "ASK");
    if ((!out->ask && !is_word(word, "MOVED")) || text.len > 0)
        return 0;
    long number = take_number(&slot);
    if (number < 0 || number >= EVS__SLOTS || slot.len > 0)
        return 0;
    out->slot = (unsigned)number;
    return read_address(out, address);
}

/* ---- CLUSTER NODES ---- */

static evs_bytes take_line(evs_bytes *text)
{
    const char *end = memchr(text->data, '\n', text->len);
    size_t len = end == NULL ? text->len : (size_t)(end - text->data);
    evs_bytes line = {text->data, len};
    size_t used = end == NULL ? len : len + 1;
    *text = (evs_bytes){text->data + used, text->len - used};
    return line;
}

static int is_myself(evs_bytes line)
{
    take_word(&line);
    take_word(&line);
    evs_bytes flags = take_word(&line);
    return memmem(flags.data, flags.len, "myself", 6) != NULL;
}

/* "0-5460", "449", "[449->-<id>]" or "[449-<-<id>]", as far as it is about the slot. */
static evs__slot_view read_slots(evs_bytes word, unsigned slot)
{
    int marked = word.len > 0 && word.data[0] == '[';
    if (marked)
        word = (evs_bytes){word.data + 1, word.len - 1};
    long first = take_number(&word), last = first;
    if (marked) {
        if (first != (long)slot || word.len < 3)
            return EVS__SLOT_ELSEWHERE;
        return memcmp(word.data, "->-", 3) == 0 ? EVS__SLOT_LEAVING : EVS__SLOT_ARRIVING;
    }
    if (word.len > 1 && word.data[0] == '-') {
        word = (evs_bytes){word.data + 1, word.len - 1};
        last = take_number(&word);
    }
    return first <= (long)slot && (long)slot <= last ? EVS__SLOT_MINE : EVS__SLOT_ELSEWHERE;
}

/* A mark counts more than a range, and comes later. */
static evs__slot_view read_line(evs_bytes line, unsigned slot)
{
    evs__slot_view view = EVS__SLOT_ELSEWHERE;
    for (int i = 0; i < FIRST_SLOTS; i++)
        take_word(&line);
    for (evs_bytes word = take_word(&line); word.len > 0; word = take_word(&line)) {
        evs__slot_view seen = read_slots(word, slot);
        if (seen != EVS__SLOT_ELSEWHERE)
            view = seen;
    }
    return view;
}

evs__slot_view evs__slot_seen(evs_bytes nodes, unsigned slot)
{
    while (nodes.len > 0) {
        evs_bytes line = take_line(&nodes);
        if (is_myself(line))
            return read_line(line, slot);
    }
    return EVS__SLOT_UNKNOWN;
}
