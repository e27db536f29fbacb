#include "core/command_reply.h"

#include <math.h>
#include <string.h>

#include "core/command_reply_table.inc"

enum { REPLIES = sizeof replies / sizeof *replies };

/* The first row that is not before `command`. */
static size_t lower_bound(const char *command)
{
    size_t low = 0, high = REPLIES;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(replies[middle].command, command) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const evs__command_reply *evs__command_replies(const char *command, size_t *count)
{
    size_t first = lower_bound(command), end = first;
    while (end < REPLIES && strcmp(replies[end].command, command) == 0)
        end++;
    *count = end - first;
    return &replies[first < REPLIES ? first : 0];
}
