/*
 * Notes are found again by what they are about: two pointers and a letter.
 */
#include "scripts/audit/interp/watch.h"

#include "scripts/audit/builtins/builtin.h"
#include "scripts/audit/interp/descent.h"

#include <string.h>
#include <strings.h>

typedef struct place {
    const void *a, *b;
    size_t tag;
} place;

/* The note about `a` and `b`; a new zeroed one of `size` when there is none, and then `*fresh`. */
static void *note(evs__watch *w, const place *about, size_t size, int *fresh)
{
    evs_bytes key = {(const char *)about, sizeof *about};
    void *found = evs__table_get(&w->index, key);
    *fresh = found == NULL;
    if (found != NULL)
        return found;
    char *kept = evs__pool_alloc(w->pool, 1, sizeof *about);
    void *made = evs__pool_alloc(w->pool, 1, size);
    if (kept == NULL || made == NULL)
        return NULL;
    memset(made, 0, size);
    memcpy(kept, about, sizeof *about);
    key.data = kept;
    if (!evs__table_set(&w->index, key, made))
        w->pool->failed = 1;
    return made;
}

static const evs__value *joined(evs__watch *w, const evs__value *old, const evs__value *more)
{
    return old == NULL ? more : evs__value_join(w->pool, old, more);
}

static const evs__value *slot_value(const evs__interp *in, size_t slot)
{
    const evs__value *value = evs__store_value(&in->store, slot);
    return value == NULL ? evs__value_nil() : value;
}

static int is_loading(const evs__interp *in)
{
    return in->watch->flow->is_library && !in->watch->serving;
}

/* ---- begin and end ---- */

void evs__watch_begin(evs__interp *in, evs__watch *watch, evs__flow *flow)
{
    memset(watch, 0, sizeof *watch);
    in->watch = NULL;
    if (flow == NULL)
        return;
    watch->pool = in->pool;
    watch->flow = flow;
    watch->written = evs__store_slots(&in->store, 3);
    watch->random = watch->written + 1;
    watch->repl = watch->written + 2;
    for (size_t i = 0; i < 3 && !in->pool->failed; i++)
        evs__store_set(&in->store, watch->written + i, evs__value_nil());
    in->watch = watch;
}

void evs__watch_end(evs__interp *in)
{
    if (in->watch != NULL)
        evs__table_free(&in->watch->index);
}

void evs__watch_serving(evs__interp *in, size_t kept)
{
    evs__watch *w = in->watch;
    if (w == NULL)
        return;
    w->serving = 1;
    w->kept = kept;
    w->flow->registers = 1;
}

/* ---- loops ---- */

/* From the first word to the end of what decides how often it is gone round. */
static evs__span head_of(const evs__stat *stat)
{
    evs__span at = stat->at;
    switch (stat->kind) {
    case EVS__STAT_WHILE:
        at.end = stat->as.loop.condition->at.end;
        return at;
    case EVS__STAT_FOR:
        at.end = (stat->as.count.step == NULL ? stat->as.count.limit : stat->as.count.step)->at.end;
        return at;
    case EVS__STAT_FOR_IN:
        at.end = stat->as.each.values.items[stat->as.each.values.count - 1]->at.end;
        return at;
    default:
        at.end = at.start + strlen("repeat");
        return at;
    }
}

evs__watched_loop evs__watch_loop(evs__interp *in, const evs__stat *stat)
{
    evs__watch *w = in->watch;
    evs__watched_loop loop = {NULL, NULL, 0, 0};
    if (w == NULL || in->dead)
        return loop;
    place about = {stat, NULL, 'l'};
    int fresh;
    evs__loopfact *fact = note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL)
        return loop;
    if (fresh) {
        fact->stat = stat;
        fact->at = head_of(stat);
        fact->outer = w->loop;
        fact->next = w->flow->loops;
        w->flow->loops = fact;
    }
    fact->written = joined(w, fact->written, slot_value(in, w->written));
    loop.fact = fact;
    loop.outer = w->loop;
    loop.raised = w->raised;
    loop.returns = in->frame->returns;
    w->loop = fact;
    return loop;
}

/* Is it a table with other keys than 1, 2, ...? */
static int has_names(const evs__interp *in, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        if (object != NULL && (object->nfields > 0 || object->keys != NULL) &&
            !evs__is_library(in, table->tables[i]))
            return 1;
    }
    return 0;
}

static int is_given(const evs__interp *in, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++)
        if (table->tables[i] == in->keys || table->tables[i] == in->argv)
            return 1;
    return 0;
}

void evs__watch_bounds(evs__interp *in, const evs__watched_loop *loop, const evs__value *first,
                       const evs__value *limit)
{
    evs__loopfact *fact = loop->fact;
    if (fact == NULL)
        return;
    fact->first = joined(in->watch, fact->first, first);
    fact->limit = joined(in->watch, fact->limit, limit);
    const evs__stat *stat = fact->stat;
    if (stat->kind != EVS__STAT_FOR) {
        fact->unordered |= has_names(in, limit);
        fact->given |= is_given(in, limit);
        return;
    }
    const evs__expr *expr = stat->as.count.limit;
    if (expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_LEN &&
        evs__is_calm(expr->as.unary.operand))
        fact->counted = joined(in->watch, fact->counted, evs__eval(in, expr->as.unary.operand));
    if (fact->counted != NULL)
        fact->given |= is_given(in, fact->counted);
}

void evs__watch_loop_left(evs__interp *in, const evs__watched_loop *loop)
{
    evs__watch *w = in->watch;
    evs__loopfact *fact = loop->fact;
    if (fact == NULL)
        return;
    w->loop = loop->outer;
    if (in->over)
        fact->leaves |= EVS__LEAVES_NOT_FOLLOWED;
    if (!in->dead)
        fact->leaves |= EVS__LEAVES_END;
    if (in->frame->returns != loop->returns)
        fact->leaves |= EVS__LEAVES_RETURN;
    if (w->raised != loop->raised)
        fact->leaves |= EVS__LEAVES_ERROR;
}

/* ---- commands ---- */

static int is_word(const evs__value *value, const char *word)
{
    const evs__atom *atom = evs__value_single(value);
    return atom != NULL && atom->kind == EVS__ATOM_CONSTANT && atom->text.len == strlen(word) &&
           strncasecmp(atom->text.data, word, atom->text.len) == 0;
}

static int has_limit(const evs__seq *args)
{
    for (size_t i = 0; i < args->count; i++)
        if (is_word(args->items[i].value, "LIMIT") || is_word(args->items[i].value, "COUNT"))
            return 1;
    return args->rest != NULL;
}

/* Is it a negative number that counts from the end? */
static int is_negative(const evs__value *value)
{
    const evs__atom *atom = evs__value_single(value);
    if (atom == NULL)
        return 0;
    if (atom->kind == EVS__ATOM_NUMBER)
        return atom->number < 0;
    return atom->text.len > 1 && atom->text.data[0] == '-';
}

static int is_positive(const evs__value *value)
{
    const evs__atom *atom = evs__value_single(value);
    if (atom == NULL)
        return 0;
    if (atom->kind == EVS__ATOM_NUMBER)
        return atom->number >= 0;
    return atom->text.len > 0 && atom->text.data[0] != '-';
}

static int has_word(const evs__seq *args, const char *word)
{
    for (size_t i = 0; i < args->count; i++)
        if (is_word(args->items[i].value, word))
            return 1;
    return 0;
}

/* May its reply be a whole collection, for all that can be read from its arguments? */
static int is_unbounded(const evs__command *command, const evs__seq *args)
{
    switch (evs__work_of(command->name)) {
    case EVS__WORK_ALL:
        return 1;
    case EVS__WORK_RANGE:
        if (has_word(args, "BYSCORE") || has_word(args, "BYLEX"))
            return !has_limit(args);
        return args->count > 3 && is_positive(args->items[2].value) &&
               is_negative(args->items[3].value);
    case EVS__WORK_LIMIT:
        return !has_limit(args);
    default:
        return 0;
    }
}

static unsigned doing(const evs__command *command)
{
    unsigned does = EVS__DOES_COMMAND;
    if (command->flags & EVS__COMMAND_WRITE)
        does |= EVS__DOES_WRITE;
    switch (evs__work_of(command->name)) {
    case EVS__WORK_POP:
        return does | EVS__DOES_POP | EVS__DOES_TAKE;
    case EVS__WORK_TAKE:
        return does | EVS__DOES_TAKE;
    case EVS__WORK_SCAN:
        return does | EVS__DOES_SCAN;
    case EVS__WORK_CLOCK:
        return does | EVS__DOES_CLOCK;
    default:
        return does;
    }
}

static void tell_loops(evs__watch *w, const evs__command *command, evs__span at)
{
    unsigned does = doing(command);
    for (evs__loopfact *loop = w->loop; loop != NULL; loop = loop->outer) {
        loop->does |= does;
        if ((does & EVS__DOES_WRITE) && loop->write_at.end == 0)
            loop->write_at = at;
    }
}

static void happens(evs__interp *in, size_t slot, const char *what, evs__span at)
{
    evs__store_set(&in->store, slot, evs__value_reply(in->pool, what, at));
}

static evs__commanduse *use_of(evs__interp *in, const evs__site *site, const evs__command *command)
{
    evs__watch *w = in->watch;
    place about = {site->call, command, 'c'};
    int fresh;
    evs__commanduse *use = note(w, &about, sizeof *use, &fresh);
    if (use == NULL || !fresh)
        return use;
    use->call = site->call;
    use->at = site->at;
    use->command = command;
    use->args = evs__seq_none();
    use->next = w->flow->commands;
    w->flow->commands = use;
    return use;
}

/* After replicate_commands what is random no longer matters. */
static int is_replicating(const evs__interp *in)
{
    const evs__value *random = slot_value(in, in->watch->random);
    return random->natoms == 0 && random->types == EVS__TYPE_TRUE;
}

void evs__watch_command(evs__interp *in, const evs__site *site, const evs__command *command,
                        const evs__seq *args)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead)
        return;
    evs__commanduse *use = use_of(in, site, command);
    if (use == NULL)
        return;
    use->args = evs__seq_join(in->pool, &use->args, args);
    use->written = joined(w, use->written, slot_value(in, w->written));
    use->random = joined(w, use->random, slot_value(in, w->random));
    use->repl = joined(w, use->repl, slot_value(in, w->repl));
    use->unbounded |= is_unbounded(command, args);
    use->looped |= w->loop != NULL;
    use->loading |= is_loading(in);
    tell_loops(w, command, site->at);
    if (command->flags & EVS__COMMAND_WRITE)
        happens(in, w->written, command->name, site->at);
    if ((command->flags & EVS__COMMAND_RANDOM) && !is_replicating(in))
        happens(in, w->random, command->name, site->at);
}

/* ---- the sandbox ---- */

/* The text of the first argument, unless another function stands between (pcall(f, x)). */
static const evs__expr *first_argument(const evs__expr *call, const evs__seq *args)
{
    if (call->kind != EVS__EXPR_CALL || call->as.call.args.count == 0 || args->count == 0)
        return NULL;
    const evs__expr *expr = call->as.call.args.items[0];
    return expr->at.start == args->items[0].at.start ? expr : NULL;
}

static int is_name(const evs__builtin *builtin, const char *table, const char *name)
{
    return strcmp(builtin->table, table) == 0 && strcmp(builtin->name, name) == 0;
}

/* redis.REPL_ALL, or the number that it is. */
static int is_all(const evs__expr *expr)
{
    if (expr == NULL)
        return 0;
    if (expr->kind == EVS__EXPR_NUMBER)
        return expr->as.number >= 3 && expr->as.number <= 3;
    return expr->kind == EVS__EXPR_INDEX && expr->as.index.key->kind == EVS__EXPR_STRING &&
           expr->as.index.key->as.string.len == strlen("REPL_ALL") &&
           memcmp(expr->as.index.key->as.string.data, "REPL_ALL", strlen("REPL_ALL")) == 0;
}

static void watch_effects(evs__interp *in, const evs__builtin *builtin, const evs__apiuse *use)
{
    evs__watch *w = in->watch;
    if (is_name(builtin, "", "error"))
        w->raised++;
    if (is_name(builtin, "", "assert") &&
        (use->args.count == 0 || (use->args.items[0].value->types & EVS__TYPE_FALSY)))
        w->raised++;
    if (is_name(builtin, "redis", "set_repl")) {
        if (is_all(use->argument))
            evs__store_set(&in->store, w->repl, evs__value_nil());
        else
            happens(in, w->repl, "set_repl", use->at);
    }
    if (is_name(builtin, "redis", "replicate_commands"))
        evs__store_set(&in->store, w->random, evs__value_types(in->pool, EVS__TYPE_TRUE));
    if (is_name(builtin, "redis", "register_function"))
        w->flow->registers = 1;
}

static void watch_raised(evs__interp *in, const evs__value *value, evs__span at, int error);

static void watch_unpack(evs__interp *in, evs__apiuse *use, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        if (object == NULL)
            continue;
        use->of_keys |= object->given == EVS__GIVEN_KEYS;
        use->of_argv |= object->given == EVS__GIVEN_ARGV;
        if (object->given == EVS__GIVEN_NOTHING && object->rest != NULL)
            use->rest = joined(in->watch, use->rest, object->rest);
    }
}

void evs__watch_call(evs__interp *in, const evs__site *site, const evs__callable *callable,
                     const evs__seq *args, int sure)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead)
        return;
    const evs__builtin *builtin = callable->builtin;
    place about = {site->call, builtin, 'f'};
    int fresh;
    evs__apiuse *use = note(w, &about, sizeof *use, &fresh);
    if (use == NULL)
        return;
    if (fresh) {
        use->call = site->call;
        use->at = site->at;
        use->table = builtin->table;
        use->name = builtin->name;
        use->args = evs__seq_none();
        use->sure = 1;
        use->argument = first_argument(site->call, args);
        use->next = w->flow->apis;
        w->flow->apis = use;
    }
    use->args = evs__seq_join(in->pool, &use->args, args);
    use->written = joined(w, use->written, slot_value(in, w->written));
    use->sure &= sure;
    use->looped |= w->loop != NULL;
    use->loading |= is_loading(in);
    watch_effects(in, builtin, use);
    if (is_name(builtin, "", "unpack") && args->count > 0)
        watch_unpack(in, use, args->items[0].value);
    if (is_name(builtin, "", "error") && args->count > 0)
        watch_raised(in, args->items[0].value, site->at, 1);
}

void evs__watch_unknown(evs__interp *in)
{
    if (in->watch != NULL)
        in->watch->raised++;
}

/* ---- recursion ---- */

void evs__watch_recursion(evs__interp *in, const evs__frame *again, const evs__site *site)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead)
        return;
    place about = {again->activation->function, site->call, 'r'};
    int fresh;
    evs__cyclefact *fact = note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL)
        return;
    if (fresh) {
        fact->function = again->activation->function;
        fact->at = site->at;
        fact->descends = 1;
        fact->next = w->flow->cycles;
        w->flow->cycles = fact;
    }
    fact->written = joined(w, fact->written, slot_value(in, w->written));
    int descends = evs__descends(in->frame->activation->function, site->call);
    for (const evs__frame *f = in->frame; f != again && !descends; f = f->below)
        if (f->activation->call != NULL && f->below != NULL)
            descends = evs__descends(f->below->activation->function, f->activation->call);
    fact->descends &= descends;
}

/* ---- what goes out ---- */

/* Does a table that `value` may be hold one of `above`, at an index that is sent? */
static int is_cyclic(const evs__interp *in, const evs__value *value, size_t *above, int depth)
{
    for (size_t i = 0; i < value->ntables; i++) {
        size_t slot = value->tables[i];
        const evs__object *object = evs__store_object(&in->store, slot);
        if (object == NULL || object->given != EVS__GIVEN_NOTHING ||
            evs__store_is_many(&in->store, slot) || value->ntables > 1 || depth > 4)
            continue;
        for (int k = 0; k < depth; k++)
            if (above[k] == slot)
                return 1;
        above[depth] = slot;
        for (size_t k = 0; k < object->nitems; k++) {
            const evs__value *item = object->items[k];
            if (item->types == EVS__TYPE_TABLE && is_cyclic(in, item, above, depth + 1))
                return 1;
            if (item->types & EVS__TYPE_NIL)
                break;
        }
    }
    return 0;
}

static const evs__value *field_err(evs__interp *in, const evs__value *value, evs__span at)
{
    const evs__value *all = NULL;
    evs_bytes err = evs_text("err");
    (void)at;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        const evs__value *field = object == NULL ? NULL : evs__object_field(object, err);
        if (field != NULL)
            all = joined(in->watch, all, field);
    }
    return all;
}

/* Surely a table, each that it may be is known, and none has a string under err. */
static int is_plain(const evs__interp *in, const evs__value *value)
{
    if (value->types != EVS__TYPE_TABLE || value->natoms > 0 || value->ntables == 0)
        return 0;
    for (size_t i = 0; i < value->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, value->tables[i]);
        if (object == NULL || object->meta != NULL)
            return 0;
        const evs__value *field = evs__object_field(object, evs_text("err"));
        if (field != NULL && (field->types & (EVS__TYPE_STRING | EVS__TYPE_NUMBER)))
            return 0;
        if (field == NULL && object->keys != NULL)
            return 0;
    }
    return 1;
}

static void watch_raised(evs__interp *in, const evs__value *value, evs__span at, int error)
{
    evs__watch *w = in->watch;
    place about = {NULL, NULL, at.start * 2 + (size_t)error};
    int fresh;
    evs__given_back *fact = note(w, &about, sizeof *fact, &fresh);
    evs__given_back **list = error ? &w->flow->raised : &w->flow->returned;
    size_t above[8];
    if (fact == NULL)
        return;
    if (fresh) {
        fact->at = at;
        fact->plain = 1;
        fact->next = *list;
        *list = fact;
    }
    fact->value = joined(w, fact->value, value);
    fact->written = joined(w, fact->written, slot_value(in, w->written));
    const evs__value *err = field_err(in, value, at);
    if (err != NULL)
        fact->err = joined(w, fact->err, err);
    fact->plain &= is_plain(in, value);
    fact->uncaught |= in->store.writes == NULL;
    fact->cyclic |= is_cyclic(in, value, above, 0);
}

void evs__watch_return(evs__interp *in, const evs__exprs *values, const evs__seq *results)
{
    in->frame->returns++;
    if (in->watch == NULL || in->frame->activation->caller != NULL || values->count == 0)
        return;
    watch_raised(in, evs__seq_at(in->pool, results, 0), values->items[0]->at, 0);
}

/* ---- what stays ---- */

static void keep(evs__watch *w, evs__span at, const char *name)
{
    place about = {NULL, NULL, at.start * 4 + 1};
    about.a = w;
    int fresh;
    evs__keepsake *fact = note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL || !fresh)
        return;
    fact->at = at;
    fact->name = name;
    fact->next = w->flow->keepsakes;
    w->flow->keepsakes = fact;
}

void evs__watch_assign(evs__interp *in, const evs__local *local, evs__span at)
{
    evs__watch *w = in->watch;
    if (w == NULL || !w->serving || in->dead || evs__local_slot(in, local) >= w->kept)
        return;
    char *name = evs__arena_text(&in->pool->arena, local->name.data, local->name.len);
    in->pool->failed |= name == NULL;
    keep(w, at, name == NULL ? "" : name);
}

static const char *table_name(evs__interp *in, size_t slot)
{
    const evs__object *globals = evs__store_object(&in->store, in->globals);
    if (slot == in->globals)
        return "_G";
    for (size_t i = 0; globals != NULL && i < globals->nfields; i++) {
        const evs__field *field = &globals->fields[i];
        if (field->value->ntables == 1 && field->value->tables[0] == slot)
            return evs__arena_text(&in->pool->arena, field->name.data, field->name.len);
    }
    return "a table of the sandbox";
}

static void intrude(evs__interp *in, size_t slot, const evs__value *key, evs__span at)
{
    evs__watch *w = in->watch;
    place about = {NULL, w, at.start};
    const evs__atom *name = key == NULL ? NULL : evs__value_single(key);
    int fresh;
    evs__intrusion *fact = note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL || !fresh)
        return;
    fact->at = at;
    fact->table = table_name(in, slot);
    if (name != NULL && name->kind == EVS__ATOM_CONSTANT)
        fact->field = evs__arena_text(&in->pool->arena, name->text.data, name->text.len);
    fact->next = w->flow->intrusions;
    w->flow->intrusions = fact;
}

void evs__watch_write(evs__interp *in, const evs__value *object, const evs__value *key,
                      evs__span at)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead || object->natoms > 0)
        return;
    for (size_t i = 0; i < object->ntables; i++) {
        size_t slot = object->tables[i];
        if (evs__is_library(in, slot) && object->ntables == 1)
            intrude(in, slot, key, at);
        else if (w->serving && slot < w->kept && slot >= in->library_end)
            keep(w, at, NULL);
    }
}
