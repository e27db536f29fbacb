#include "scripts/audit/interp/watch_note.h"

#include "scripts/audit/builtins/builtin.h"
#include "scripts/audit/interp/descent.h"
#include "scripts/syntax/visit.h"

#include <string.h>
#include <strings.h>

void *evs__watch_note(evs__watch *w, const evs__subject *about, size_t size, int *fresh)
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

const evs__value *evs__watch_joined(evs__watch *w, const evs__value *old, const evs__value *more)
{
    return old == NULL ? more : evs__value_join(w->pool, old, more);
}

const evs__value *evs__watch_before(const evs__interp *in, size_t slot)
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
    evs__subject about = {site->call, command, 'c'};
    int fresh;
    evs__commanduse *use = evs__watch_note(w, &about, sizeof *use, &fresh);
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
    const evs__value *random = evs__watch_before(in, in->watch->random);
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
    use->written = evs__watch_joined(w, use->written, evs__watch_before(in, w->written));
    use->random = evs__watch_joined(w, use->random, evs__watch_before(in, w->random));
    use->repl = evs__watch_joined(w, use->repl, evs__watch_before(in, w->repl));
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

/* "redis.LOG_DEBUG", "_G"; "" for anything but a global and a field of one. */
static const char *text_of(evs__interp *in, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr == NULL)
        return "";
    int is_field = expr->kind == EVS__EXPR_INDEX && expr->as.index.key->kind == EVS__EXPR_STRING;
    const evs__expr *name = is_field ? evs__bare(expr->as.index.object) : expr;
    if (name->kind != EVS__EXPR_NAME || name->as.name.local != NULL)
        return "";
    evs_bytes key = is_field ? expr->as.index.key->as.string : (evs_bytes){"", 0};
    const char *text = evs__arena_format(&in->pool->arena, "%.*s%s%.*s",
                                         (int)name->as.name.text.len, name->as.name.text.data,
                                         is_field ? "." : "", (int)key.len, key.data);
    in->pool->failed |= text == NULL;
    return text == NULL ? "" : text;
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

static void watch_unpack(evs__interp *in, evs__apiuse *use, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        if (object == NULL)
            continue;
        use->of_keys |= object->given == EVS__GIVEN_KEYS;
        use->of_argv |= object->given == EVS__GIVEN_ARGV;
        if (object->given == EVS__GIVEN_NOTHING && object->rest != NULL)
            use->rest = evs__watch_joined(in->watch, use->rest, object->rest);
    }
}

void evs__watch_call(evs__interp *in, const evs__site *site, const evs__callable *callable,
                     const evs__seq *args, int sure)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead)
        return;
    const evs__builtin *builtin = callable->builtin;
    evs__subject about = {site->call, builtin, 'f'};
    int fresh;
    evs__apiuse *use = evs__watch_note(w, &about, sizeof *use, &fresh);
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
        use->text = text_of(in, use->argument);
        use->method = site->call->kind == EVS__EXPR_METHOD;
        use->next = w->flow->apis;
        w->flow->apis = use;
    }
    use->args = evs__seq_join(in->pool, &use->args, args);
    use->written = evs__watch_joined(w, use->written, evs__watch_before(in, w->written));
    use->sure &= sure;
    use->looped |= w->loop != NULL;
    use->loading |= is_loading(in);
    watch_effects(in, builtin, use);
    if (is_name(builtin, "", "unpack") && args->count > 0)
        watch_unpack(in, use, args->items[0].value);
    if (is_name(builtin, "", "error") && args->count > 0)
        evs__watch_raised(in, args->items[0].value, site->at);
}

void evs__watch_unknown(evs__interp *in)
{
    if (in->watch != NULL)
        in->watch->raised++;
}

/* ---- recursion ---- */

/* evs__descends, asked once for each call: it only looks at the text. */
static int descends_at(evs__watch *w, const evs__function *function, const evs__expr *call)
{
    evs__subject about = {function, call, 'd'};
    int fresh;
    int *known = evs__watch_note(w, &about, sizeof *known, &fresh);
    if (known == NULL)
        return evs__descends(function, call);
    if (fresh)
        *known = evs__descends(function, call);
    return *known;
}

void evs__watch_recursion(evs__interp *in, const evs__frame *again, const evs__site *site)
{
    evs__watch *w = in->watch;
    if (w == NULL || in->dead)
        return;
    evs__subject about = {again->activation->function, site->call, 'r'};
    int fresh;
    evs__cyclefact *fact = evs__watch_note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL)
        return;
    if (fresh) {
        fact->function = again->activation->function;
        fact->at = site->at;
        fact->descends = 1;
        fact->next = w->flow->cycles;
        w->flow->cycles = fact;
    }
    fact->written = evs__watch_joined(w, fact->written, evs__watch_before(in, w->written));
    int descends = descends_at(w, in->frame->activation->function, site->call);
    for (const evs__frame *f = in->frame; f != again && !descends; f = f->below)
        if (f->activation->call != NULL && f->below != NULL)
            descends = descends_at(w, f->below->activation->function, f->activation->call);
    fact->descends &= descends;
}
