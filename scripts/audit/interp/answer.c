/*
 * What a command answers, as far as its arguments tell: the rows of core/command_reply.h are tried
 * in order. A condition that is not known leaves both its row and the next ones possible.
 */
#include "scripts/audit/interp/interp.h"

#include <strings.h>

/* 1 and 0 when it is certain, else -1. */
static int is_word(const evs__value *value, const char *word)
{
    if (value->types != EVS__TYPE_STRING)
        return (value->types & EVS__TYPE_STRING) ? -1 : 0;
    int same = 0;
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind != EVS__ATOM_CONSTANT)
            return -1;
        same += atom->text.len == strlen(word) &&
                strncasecmp(atom->text.data, word, atom->text.len) == 0;
    }
    return same == 0 ? 0 : same == (int)value->natoms ? 1 : -1;
}

static int has_word(const evs__seq *args, const char *word, size_t from)
{
    int found = args->rest != NULL && is_word(args->rest, word) != 0 ? -1 : 0;
    for (size_t i = from; i < args->count; i++) {
        int is = is_word(args->items[i].value, word);
        if (is > 0 && i < args->least)
            return 1;
        if (is != 0)
            found = -1;
    }
    return found;
}

static int has_arguments(const evs__seq *args, size_t least)
{
    if (args->least > least)
        return 1;
    return args->count > least || args->rest != NULL ? -1 : 0;
}

/* Of both conditions: 0 when one fails, 1 when both hold. */
static int both(int a, int b)
{
    if (a == 0 || b == 0)
        return 0;
    return a > 0 && b > 0 ? 1 : -1;
}

static int holds(const evs__command_reply *row, const evs__seq *args, unsigned protocols)
{
    int certain = 1;
    if (row->word != NULL)
        certain = has_word(args, row->word, row->from);
    if (row->least > 0)
        certain = both(certain, has_arguments(args, row->least));
    if (row->resp3)
        certain = both(certain, (protocols & EVS__RESP3) == 0 ? 0
                                : protocols == EVS__RESP3     ? 1
                                                              : -1);
    return certain;
}

/* Which protocols the script may have chosen by now. */
static unsigned protocols_of(const evs__interp *in)
{
    const evs__value *chosen = evs__store_value(&in->store, in->protocol);
    if (chosen == NULL || evs__store_value(&in->store, in->lost) != NULL)
        return EVS__RESP2 | EVS__RESP3;
    const evs__range range = evs__value_range(chosen);
    if (!evs__range_is_single(&range))
        return EVS__RESP2 | EVS__RESP3;
    return range.low >= 3 ? EVS__RESP3 : EVS__RESP2;
}

const evs__value *evs__answer(evs__interp *in, const evs__site *site, const char *command,
                              const evs__seq *args)
{
    size_t count;
    const evs__command_reply *rows = evs__command_replies(command, &count);
    const evs__value *all = evs__value_none();
    unsigned protocols = protocols_of(in);
    for (size_t i = 0; i < count; i++) {
        int certain = holds(&rows[i], args, protocols);
        unsigned only = rows[i].resp3 ? EVS__RESP3 : protocols;
        if (certain != 0)
            all = evs__value_join(in->pool, all,
                                  evs__value_reply_as(in->pool, command, &rows[i], only, site->at));
        if (certain > 0)
            return all;
    }
    if (count > 0)
        return all;
    return evs__value_reply(in->pool, command, site->at);
}
