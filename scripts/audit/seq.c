#include "scripts/audit/seq.h"

#include <string.h>

evs__seq evs__seq_empty(void)
{
    evs__seq seq = {0};
    return seq;
}

evs__seq evs__seq_none(void)
{
    evs__seq seq = {0};
    seq.none = 1;
    return seq;
}

evs__seq evs__seq_of(evs__pool *pool, const evs__value *value, evs__span at)
{
    evs__seq seq = {0};
    evs__seq_push(pool, &seq, value, at);
    return seq;
}

evs__seq evs__seq_any(const evs__value *rest, evs__span at)
{
    evs__seq seq = {0};
    seq.rest = rest;
    seq.rest_at = at;
    return seq;
}

evs__arg *evs__seq_begin(evs__pool *pool, evs__seq *seq, size_t count)
{
    *seq = evs__seq_empty();
    if (count <= EVS__SEQ_MAX)
        seq->items = evs__pool_alloc(pool, count, sizeof *seq->items);
    return seq->items;
}

void evs__seq_fill(evs__seq *seq, const evs__value *value, evs__span at)
{
    evs__arg *arg = &seq->items[seq->count++];
    arg->value = value;
    arg->at = at;
    seq->least = seq->count;
}

static evs__arg *more_items(evs__pool *pool, const evs__seq *seq, size_t count)
{
    evs__arg *items = evs__pool_alloc(pool, count, sizeof *items);
    if (items != NULL && seq->count > 0)
        memcpy(items, seq->items, seq->count * sizeof *items);
    return items;
}

static void overflow(evs__pool *pool, evs__seq *seq, const evs__value *value, evs__span at)
{
    if (seq->rest == NULL)
        seq->rest_at = at;
    seq->rest = evs__value_join(pool, seq->rest, value);
    seq->pair[0] = seq->pair[1] = NULL;
}

void evs__seq_push(evs__pool *pool, evs__seq *seq, const evs__value *value, evs__span at)
{
    evs__seq one = {0};
    evs__arg arg = {value, at};
    one.items = &arg;
    one.count = one.least = 1;
    evs__seq_append(pool, seq, &one, at);
}

void evs__seq_append(evs__pool *pool, evs__seq *seq, const evs__seq *tail, evs__span at)
{
    if (tail->none || seq->none) {
        *seq = evs__seq_none();
        return;
    }
    size_t room = EVS__SEQ_MAX - seq->count;
    size_t taken = tail->count < room ? tail->count : room;
    if (seq->rest != NULL)
        taken = 0;
    evs__arg *items = taken == 0 ? seq->items : more_items(pool, seq, seq->count + taken);
    if (items == NULL && taken > 0) {
        *seq = evs__seq_any(evs__value_lost(), at);
        return;
    }
    size_t before = seq->count;
    for (size_t i = 0; i < taken; i++) {
        items[before + i].value = tail->items[i].value;
        items[before + i].at = at;
    }
    seq->items = items;
    seq->count = before + taken;
    if (seq->least == before)
        seq->least += tail->least < taken ? tail->least : taken;
    for (size_t i = taken; i < tail->count; i++)
        overflow(pool, seq, tail->items[i].value, at);
    if (tail->rest == NULL)
        return;
    int follows = seq->rest == NULL; /* right behind the items, as it did in the tail */
    overflow(pool, seq, tail->rest, at);
    seq->pair[0] = follows ? tail->pair[0] : NULL;
    seq->pair[1] = follows ? tail->pair[1] : NULL;
}

/* What stands at `i`; NULL when the list has ended there. */
static const evs__value *stands_at(const evs__seq *seq, size_t i)
{
    if (i < seq->count)
        return seq->items[i].value;
    return seq->pair[0] != NULL ? seq->pair[(i - seq->count) % 2] : seq->rest;
}

const evs__value *evs__seq_at(evs__pool *pool, const evs__seq *seq, size_t i)
{
    if (seq->none)
        return evs__value_nil();
    const evs__value *value = stands_at(seq, i);
    if (value == NULL)
        return evs__value_nil();
    return i < seq->least ? value : evs__value_join(pool, value, evs__value_nil());
}

evs__seq evs__seq_drop(const evs__seq *seq, size_t n)
{
    evs__seq rest = *seq;
    size_t gone = n < seq->count ? n : seq->count;
    rest.items = gone == 0 ? seq->items : seq->items + gone;
    rest.count = seq->count - gone;
    rest.least = seq->least > n ? seq->least - n : 0;
    if ((n - gone) % 2 == 1) {
        rest.pair[0] = seq->pair[1];
        rest.pair[1] = seq->pair[0];
    }
    return rest;
}

const evs__value *evs__seq_all(evs__pool *pool, const evs__seq *seq)
{
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < seq->count; i++)
        all = evs__value_join(pool, all, seq->items[i].value);
    return evs__value_join(pool, all, seq->rest);
}

/* Where one list has ended for sure, the value is that of the other one. */
static const evs__value *join_at(evs__pool *pool, const evs__seq *a, const evs__seq *b, size_t i)
{
    return evs__value_join(pool, stands_at(a, i), stands_at(b, i));
}

/* Of two rests, of which one may be none. */
static void join_pairs(evs__pool *pool, evs__seq *into, const evs__seq *a, const evs__seq *b)
{
    int known = (a->rest == NULL || a->pair[0] != NULL) && (b->rest == NULL || b->pair[0] != NULL);
    size_t shift_a = into->count - a->count, shift_b = into->count - b->count;
    for (size_t i = 0; i < 2; i++)
        into->pair[i] = !known ? NULL
                               : evs__value_join(pool, a->pair[(i + shift_a) % 2],
                                                 b->pair[(i + shift_b) % 2]);
}

evs__seq evs__seq_join(evs__pool *pool, const evs__seq *a, const evs__seq *b)
{
    if (a->none || b->none)
        return a->none ? *b : *a;
    const evs__seq *longer = a->count >= b->count ? a : b;
    evs__seq seq = *longer;
    seq.least = a->least < b->least ? a->least : b->least;
    seq.items = more_items(pool, longer, longer->count);
    if (seq.items == NULL)
        return evs__seq_any(evs__value_lost(), longer->rest_at);
    for (size_t i = 0; i < seq.count; i++)
        seq.items[i].value = join_at(pool, a, b, i);
    seq.rest = evs__value_join(pool, a->rest, b->rest);
    seq.rest_at = a->rest != NULL ? a->rest_at : b->rest_at;
    join_pairs(pool, &seq, a, b);
    return seq;
}

int evs__seq_exact(const evs__seq *seq)
{
    return seq->least == seq->count && seq->rest == NULL;
}

int evs__seq_same(const evs__seq *a, const evs__seq *b)
{
    if (a->none != b->none || a->count != b->count || a->least != b->least || a->rest != b->rest ||
        a->pair[0] != b->pair[0] || a->pair[1] != b->pair[1])
        return 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].value != b->items[i].value)
            return 0;
    return 1;
}
