/*
 * redis.call: which arguments are keys, when not all of them are known.
 *
 * A list of arguments has items at known positions and perhaps a rest of unknown length. Commands
 * whose keys follow a specification of the command table need only positions. The others are
 * scanned option by option, as the server does; when an argument that might be such an option is
 * not a constant, nobody knows where the keys are, and that is noted as a key argument that nothing
 * is known of.
 */
#include "scripts/audit/interp/watch.h"

#include "scripts/syntax/visit.h"

#include <strings.h>

/* One call with one command. */
typedef struct run {
    evs__interp *in;
    const evs__site *site;
    const evs__seq *args;
    const evs__command *command;
    const char *name;
    const evs__value *answer;
    int strange; /* it may be a command that is not in the table: nobody knows its replies */
} run;

/* ---- noting ---- */

enum { UNSURE = 1, UNLOCATED = 2, OF_PATTERN = 4 };

static void note(const run *r, size_t argument, const evs__arg *arg, int flags)
{
    evs__interp *in = r->in;
    evs__visit visit = {
        .place = {r->site->call, in->frame ? in->frame->activation : NULL, r->name, argument}};
    visit.value = arg->value;
    visit.at = arg->at;
    visit.unsure = (flags & UNSURE) != 0;
    visit.unlocated = (flags & UNLOCATED) != 0;
    visit.pattern = (flags & OF_PATTERN) != 0;
    if (evs__store_value(&in->store, in->lost) != NULL)
        visit.value = evs__value_join(
            in->pool, visit.value,
            evs__value_top(in->pool, "something before it was not followed", arg->at));
    evs__record_visit(in->recorder, &visit);
    if (flags == 0)
        evs__note_key_used(in, arg->value, r->name, arg->at);
}

/* The argument at `i`; its value is NULL when there is none. One from the rest is guarded: it may
 * be the value for another place. */
static evs__arg argument(const run *r, size_t i)
{
    const evs__seq *args = r->args;
    evs__arg none = {NULL, {0, 0, 0, 0}};
    if (i < args->count)
        return args->items[i];
    if (args->rest == NULL)
        return none;
    none.value = evs__value_guarded(r->in->pool, args->rest);
    none.at = args->rest_at;
    return none;
}

static void key_at(const run *r, size_t i, int flags)
{
    evs__arg arg = argument(r, i);
    if (arg.value != NULL)
        note(r, i, &arg, flags);
}

/* Any argument from `from` on may be a key; the first of them stands for all. */
static void keys_somewhere(const run *r, size_t from, const char *reason)
{
    evs__arg arg = argument(r, from);
    if (arg.value == NULL && from > 1)
        arg = argument(r, --from);
    if (arg.value == NULL)
        arg = argument(r, 0);
    if (arg.value == NULL)
        arg.at = r->site->at;
    arg.value = evs__value_top(r->in->pool, reason, arg.at);
    note(r, from, &arg, UNLOCATED);
}

/* ---- key specifications ---- */

/* Every second one from `from` on, of a rest that comes in twos: one of them stands for all. */
static void paired_keys(const run *r, size_t from)
{
    const evs__seq *args = r->args;
    size_t at = args->count > from ? args->count : from;
    at += (at - from) % 2;
    evs__arg arg = {args->pair[(at - args->count) % 2], args->rest_at};
    note(r, at, &arg, args->count < from ? UNSURE : 0);
}

/* All from `from` on, every `step`; the last `spared` arguments are none. */
static void keys_to_end(const run *r, size_t from, size_t step, size_t spared)
{
    const evs__seq *args = r->args;
    int exact = evs__seq_exact(args);
    size_t end = exact && args->count > spared ? args->count - spared : args->count;
    for (size_t i = from; i < end; i += step)
        key_at(r, i, exact || spared == 0 ? 0 : UNSURE);
    if (args->pair[0] != NULL && step == 2 && spared == 0) {
        paired_keys(r, from);
        return;
    }
    if (args->rest != NULL) {
        size_t at = args->count > from ? args->count : from;
        key_at(r, at, spared > 0 || step > 1 || args->count < from ? UNSURE : 0);
    }
}

static void ranged_keys(const run *r, const evs__key_spec *spec)
{
    size_t from = (size_t)spec->begin, step = spec->step > 0 ? (size_t)spec->step : 1;
    if (spec->last < 0) {
        keys_to_end(r, from, step, (size_t)(-spec->last - 1));
        return;
    }
    for (size_t i = from; i <= from + (size_t)spec->last; i += step)
        key_at(r, i, 0);
}

/* The whole number that a value is for sure; -1 when it is none. */
static long known_count(const evs__value *value)
{
    const evs__atom *single = value == NULL ? NULL : evs__value_single(value);
    if (single == NULL)
        return -1;
    if (single->kind == EVS__ATOM_NUMBER)
        return single->number >= 0 && single->number <= 100000 ? (long)single->number : -1;
    long n = 0;
    for (size_t i = 0; i < single->text.len; i++) {
        char c = single->text.data[i];
        if (c < '0' || c > '9' || n > 100000)
            return -1;
        n = n * 10 + (c - '0');
    }
    return single->text.len == 0 ? -1 : n;
}

static void counted_keys(const run *r, const evs__key_spec *spec)
{
    size_t at = (size_t)(spec->begin + spec->last), first = (size_t)(spec->begin + spec->first);
    size_t step = spec->step > 0 ? (size_t)spec->step : 1;
    long count = at < r->args->count ? known_count(r->args->items[at].value) : -1;
    size_t known = count < 0 ? 0 : (size_t)count;
    if (count < 0) {
        for (size_t i = first; i < r->args->count; i += step)
            key_at(r, i, UNSURE);
        if (r->args->rest != NULL)
            key_at(r, r->args->count > first ? r->args->count : first, UNSURE);
        return;
    }
    for (size_t i = 0; i < known; i++) {
        size_t place = first + i * step;
        key_at(r, place, 0);
        if (place >= r->args->count)
            return; /* the rest was noted */
    }
}

static void specified_keys(const run *r)
{
    for (size_t i = 0; i < r->command->nspecs; i++) {
        const evs__key_spec *spec = &r->command->specs[i];
        if (spec->flags & EVS__KEY_NOT_A_KEY)
            continue;
        if (argument(r, 1).value == NULL)
            continue; /* a command without arguments has no keys */
        if (spec->begin_kind != EVS__KEY_BEGIN_INDEX || spec->find_kind == EVS__KEY_FIND_UNKNOWN)
            keys_somewhere(r, 1, "its keys are at places that are not known");
        else if (spec->find_kind == EVS__KEY_FIND_NUMKEYS)
            counted_keys(r, spec);
        else
            ranged_keys(r, spec);
    }
}

/* ---- options ---- */

typedef enum option_kind {
    SKIP,    /* `values` arguments belong to it */
    NUMBER,  /* a number belongs to it; an option in its place is one to the server's routing */
    KEY,     /* a key follows */
    PATTERN, /* a pattern follows that is filled in with elements of the list */
    KEYS,    /* all the rest are keys */
    STREAMS  /* the first half of the rest are keys */
} option_kind;

typedef struct option {
    const char *word; /* NULL ends the list */
    option_kind kind;
    size_t values;
} option;

typedef struct optional_keys {
    const char *command;
    size_t key;  /* the argument that is a key anyway; 0: none */
    size_t from; /* the first option */
    option options[7];
} optional_keys;

static const optional_keys with_options[] = {
    {"GEORADIUS", 1, 6, {{"COUNT", NUMBER, 1}, {"STORE", KEY, 1}, {"STOREDIST", KEY, 1}}},
    {"GEORADIUSBYMEMBER", 1, 5, {{"COUNT", NUMBER, 1}, {"STORE", KEY, 1}, {"STOREDIST", KEY, 1}}},
    {"MIGRATE", 3, 6, {{"AUTH", SKIP, 1}, {"AUTH2", SKIP, 2}, {"KEYS", KEYS, 0}}},
    {"SORT",
     1,
     2,
     {{"LIMIT", SKIP, 2}, {"BY", PATTERN, 1}, {"GET", PATTERN, 1}, {"STORE", KEY, 1}}},
    {"SORT_RO", 1, 2, {{"LIMIT", SKIP, 2}, {"BY", PATTERN, 1}, {"GET", PATTERN, 1}}},
    {"XREAD",
     0,
     1,
     {{"STREAMS", STREAMS, 0},
      {"COUNT", SKIP, 1},
      {"BLOCK", SKIP, 1},
      {"GROUP", SKIP, 2},
      {"CLAIM", SKIP, 1}}},
    {"XREADGROUP",
     0,
     1,
     {{"STREAMS", STREAMS, 0},
      {"COUNT", SKIP, 1},
      {"BLOCK", SKIP, 1},
      {"GROUP", SKIP, 2},
      {"CLAIM", SKIP, 1}}},
};

static const option *option_named(const optional_keys *o, evs_bytes word)
{
    for (const option *at = o->options; at->word != NULL; at++)
        if (strlen(at->word) == word.len && strncasecmp(at->word, word.data, word.len) == 0)
            return at;
    return NULL;
}

/* Is every string that the value may be a constant that is no option? */
static int is_no_option(const optional_keys *o, const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind == EVS__ATOM_NUMBER)
            continue;
        if (atom->kind != EVS__ATOM_CONSTANT || option_named(o, atom->text) != NULL)
            return 0;
    }
    return 1;
}

/* A pattern with a star names keys that nobody passed; one without names none. */
static void pattern_at(const run *r, size_t i)
{
    evs__arg arg = argument(r, i);
    if (arg.value == NULL)
        return;
    const evs__atom *single = evs__value_single(arg.value);
    if (single != NULL && (single->kind != EVS__ATOM_CONSTANT ||
                           memchr(single->text.data, '*', single->text.len) == NULL))
        return;
    int made = single != NULL || evs__value_has(arg.value, EVS__ATOM_DERIVED) ||
               evs__value_has(arg.value, EVS__ATOM_DATA);
    arg.value = made ? evs__value_reply(r->in->pool, r->name, arg.at)
                     : evs__value_top(r->in->pool, "a pattern may name any key", arg.at);
    note(r, i, &arg, OF_PATTERN);
}

static void streams_from(const run *r, size_t from)
{
    if (evs__seq_exact(r->args)) {
        size_t half = (r->args->count - from) / 2;
        for (size_t i = 0; i < half; i++)
            key_at(r, from + i, 0);
        return;
    }
    for (size_t i = from; i < r->args->count; i++)
        key_at(r, i, UNSURE);
    if (r->args->rest != NULL)
        key_at(r, r->args->count > from ? r->args->count : from, UNSURE);
}

static const option *option_of(const optional_keys *o, const evs__value *value)
{
    const evs__atom *single = value == NULL ? NULL : evs__value_single(value);
    return single != NULL && single->kind == EVS__ATOM_CONSTANT ? option_named(o, single->text)
                                                                : NULL;
}

/* Handles the option at `i`; returns the place behind it. */
static size_t take_option(const run *r, const optional_keys *o, const option *found, size_t i)
{
    switch (found->kind) {
    case SKIP:
        break;
    case NUMBER:
        if (option_of(o, argument(r, i + 1).value) != NULL)
            return i + 1;
        break;
    case KEY:
        key_at(r, i + 1, 0);
        break;
    case PATTERN:
        pattern_at(r, i + 1);
        break;
    case KEYS:
        keys_to_end(r, i + 1, 1, 0);
        return r->args->count;
    case STREAMS:
        streams_from(r, i + 1);
        return r->args->count;
    }
    return i + 1 + found->values;
}

static void scan_options(const run *r, const optional_keys *o)
{
    const evs__seq *args = r->args;
    const char *reason = "an option is not a constant";
    size_t i = o->from;
    while (i < args->count) {
        const evs__value *value = args->items[i].value;
        const option *found = option_of(o, value);
        int last = i + 1 == args->count && args->rest == NULL;
        if (found != NULL) {
            i = take_option(r, o, found, i);
            if (found->kind == KEYS || found->kind == STREAMS)
                return;
        } else if (is_no_option(o, value) || last) {
            i++;
        } else {
            keys_somewhere(r, i + 1, reason);
            return;
        }
    }
    if (args->rest != NULL && !is_no_option(o, args->rest))
        keys_somewhere(r, args->count > o->from ? args->count : o->from, reason);
}

/* An empty key of MIGRATE says that KEYS follows. */
static int is_placeholder(const optional_keys *o, const evs__value *value)
{
    const evs__atom *single = value == NULL ? NULL : evs__value_single(value);
    return strcmp(o->command, "MIGRATE") == 0 && single != NULL &&
           single->kind == EVS__ATOM_CONSTANT && single->text.len == 0;
}

static void optional(const run *r)
{
    for (size_t i = 0; i < sizeof with_options / sizeof *with_options; i++) {
        const optional_keys *o = &with_options[i];
        if (strcmp(o->command, r->command->name) != 0)
            continue;
        if (o->key > 0 && !is_placeholder(o, argument(r, o->key).value))
            key_at(r, o->key, 0);
        scan_options(r, o);
        return;
    }
    keys_somewhere(r, 1, "its keys are at places that are not known");
}

/* ---- commands ---- */

static void note_call(const run *r, evs__call_kind kind, const char *name)
{
    evs__arg first = argument(r, 0);
    evs__called called = {
        .place = {r->site->call, r->in->frame ? r->in->frame->activation : NULL, r->name, 0}};
    called.kind = kind;
    called.name_at = first.value == NULL ? r->site->at : first.at;
    called.name = name;
    called.command = r->command;
    called.args = *r->args;
    called.doubtful = evs__store_value(&r->in->store, r->in->lost) != NULL;
    evs__record_call(r->in->recorder, &called);
}

static const char *text_of(evs__interp *in, evs_bytes bytes)
{
    const char *text = evs__arena_text(&in->pool->arena, bytes.data, bytes.len);
    if (text != NULL)
        return text;
    in->pool->failed = 1;
    return "";
}

static void answered(run *r, const evs__value *reply)
{
    r->answer = evs__value_join(r->in->pool, r->answer, reply);
}

static void run_unknown(run *r, evs_bytes name, evs_bytes sub)
{
    const char *text = text_of(r->in, name);
    if (sub.len > 0)
        text = evs__arena_format(&r->in->pool->arena, "%s %.*s", text, (int)sub.len, sub.data);
    /* One text per name, because places are told apart by it. */
    r->name = evs__recorder_name(r->in->recorder, text);
    r->strange = 1;
    note_call(r, EVS__CALL_UNKNOWN, r->name);
    answered(r, evs__value_reply(r->in->pool, r->name, r->site->at));
    if (argument(r, 1).value != NULL)
        keys_somewhere(r, 1, "the command is not known");
}

/* The constant at an end of a concatenation; empty when there is none. */
static evs_bytes end_of(const evs__expr *expr, int last)
{
    evs_bytes none = {"", 0};
    expr = evs__bare(expr);
    while (expr->kind == EVS__EXPR_BINARY && expr->as.binary.op == EVS__OP_CONCAT)
        expr = evs__bare(last ? expr->as.binary.right : expr->as.binary.left);
    return expr->kind == EVS__EXPR_STRING ? expr->as.string : none;
}

/* `X .. 'PUSH'` is a command that ends so, whatever X is, or none: when all of these have their
 * keys at the same places, one of them stands for all. Only where the text of the call says it. */
static const evs__command *like_text(run *r)
{
    const evs__expr *call = r->site->call;
    const evs__arg *name = &r->args->items[0];
    if (call == NULL || call->kind != EVS__EXPR_CALL || call->as.call.args.count == 0 ||
        r->args->count == 0)
        return NULL;
    const evs__expr *expr = call->as.call.args.items[0], *bare = evs__bare(expr);
    if (bare->kind != EVS__EXPR_BINARY || bare->as.binary.op != EVS__OP_CONCAT ||
        expr->at.start != name->at.start || expr->at.end != name->at.end ||
        name->value->types != EVS__TYPE_STRING || evs__value_has(name->value, EVS__ATOM_TOP))
        return NULL;
    evs_bytes begin = end_of(bare, 0), end = end_of(bare, 1);
    const evs__command *like = evs__extra_like(r->in->extra, begin, end,
                                               evs__seq_exact(r->args) ? r->args->count : 0);
    const char *text = like == NULL
                           ? NULL
                           : evs__arena_format(&r->in->pool->arena, "%.*s...%.*s", (int)begin.len,
                                               begin.data, (int)end.len, end.data);
    if (text != NULL) /* one text per name, because places are told apart by it */
        r->name = evs__recorder_name(r->in->recorder, text);
    return text == NULL ? NULL : like;
}

static void run_dynamic(run *r, const evs__atom *atom)
{
    evs__buf text = EVS__BUF_INIT;
    const char *name = "something that is no string";
    if (atom != NULL) {
        evs__atom_describe(&text, atom);
        name = evs__buf_ok(&text) ? text_of(r->in, (evs_bytes){text.data, text.len}) : "";
        r->in->pool->failed |= !evs__buf_ok(&text);
    }
    evs__buf_free(&text);
    r->name = "?";
    r->strange = 1;
    note_call(r, EVS__CALL_DYNAMIC, name);
    answered(r, evs__value_reply(r->in->pool, r->name, r->site->at));
    r->command = atom == NULL ? NULL : like_text(r);
    if (r->command != NULL)
        specified_keys(r);
    else if (argument(r, 1).value != NULL) /* a command without arguments has no keys */
        keys_somewhere(r, 1, "the command is not a constant");
    r->command = NULL;
}

static void run_known(run *r, const evs__command *command)
{
    r->command = command;
    r->name = command->name;
    note_call(r, EVS__CALL_KNOWN, r->name);
    evs__watch_command(r->in, r->site, command, r->args);
    if (command->flags & EVS__COMMAND_CODE)
        optional(r);
    else
        specified_keys(r);
    evs__note_keys_deleted(r->in, r->name, r->args, r->site->at);
    answered(r, evs__answer(r->in, r->site, r->name, r->args));
    r->command = NULL;
}

static void run_container(run *r, const evs__command *container, evs_bytes name)
{
    const evs__value *sub = argument(r, 1).value;
    if (sub == NULL) {
        run_known(r, container);
        return;
    }
    for (size_t i = 0; i < sub->natoms; i++) {
        const evs__atom *atom = sub->atoms[i];
        evs_bytes none = {"", 0};
        if (atom->kind != EVS__ATOM_CONSTANT) {
            run_dynamic(r, atom);
            continue;
        }
        const evs__command *command = evs__extra_find(r->in->extra, name, atom->text);
        if (command == NULL || command == container)
            run_unknown(r, name, atom->text.len > 0 ? atom->text : none);
        else
            run_known(r, command);
    }
    if (sub->natoms == 0)
        run_dynamic(r, NULL);
}

static void run_named(run *r, const evs__atom *atom)
{
    evs_bytes none = {"", 0};
    if (atom->kind != EVS__ATOM_CONSTANT) {
        run_dynamic(r, atom);
        return;
    }
    const evs__command *command = evs__extra_find(r->in->extra, atom->text, none);
    if (command == NULL)
        run_unknown(r, atom->text, none);
    else if (command->flags & EVS__COMMAND_CONTAINER)
        run_container(r, command, atom->text);
    else
        run_known(r, command);
}

const evs__value *evs__run_command(evs__interp *in, const evs__site *site, const evs__seq *args)
{
    run r = {in, site, args, NULL, "?", NULL, 0};
    evs__arg name = argument(&r, 0);
    evs__note_arguments(in, args, EVS__ACCESS_PASSED, site->at);
    if (name.value == NULL) /* refused: at least one argument is needed */
        return evs__value_reply(in->pool, "a command", site->at);
    for (size_t i = 0; i < name.value->natoms; i++)
        run_named(&r, name.value->atoms[i]);
    if (name.value->natoms == 0)
        run_dynamic(&r, NULL);
    return r.strange ? evs__value_caught(in->pool, r.answer) : r.answer;
}
