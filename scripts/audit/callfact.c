#include "scripts/audit/callfact.h"

#include "core/number.h"

#include <string.h>
#include <strings.h>

/* ---- asking ---- */

int evs__call_has(const evs__callfact *call, size_t i)
{
    return i < call->args.least;
}

const evs__value *evs__call_value(const evs__callfact *call, size_t i)
{
    return i < call->args.count ? call->args.items[i].value : NULL;
}

/* Behind something that was not followed a variable may be anything; then only the command's own
 * words are believed, which are constants on every path anyhow. */
const evs__atom *evs__call_constant(const evs__callfact *call, size_t i)
{
    const evs__value *value = evs__call_value(call, i);
    if (value == NULL || i >= call->args.least || call->doubtful || value->guarded)
        return NULL;
    return evs__value_single(value);
}

int evs__call_is_word(const evs__callfact *call, size_t i, const char *word)
{
    const evs__atom *atom = evs__call_constant(call, i);
    return atom != NULL && atom->kind == EVS__ATOM_CONSTANT && atom->text.len == strlen(word) &&
           strncasecmp(atom->text.data, word, atom->text.len) == 0;
}

int evs__call_whole(const evs__callfact *call, size_t i, int64_t *out)
{
    const evs__atom *atom = evs__call_constant(call, i);
    if (atom == NULL)
        return 0;
    if (atom->kind == EVS__ATOM_CONSTANT)
        return evs__number(out, atom->text);
    if (!(atom->number > -EVS__WHOLE_MAX && atom->number < EVS__WHOLE_MAX))
        return 0;
    *out = (int64_t)atom->number;
    double back = (double)*out;
    return !(back < atom->number) && !(back > atom->number);
}

evs_span evs__call_span(const evs__facts *facts, const evs__callfact *call, size_t i)
{
    if (i < call->args.count && call->args.items[i].at.end > 0)
        return evs__span_public(facts->chunk, call->args.items[i].at);
    return call->whole;
}

size_t evs__call_count(const evs__callfact *call)
{
    return evs__seq_exact(&call->args) ? call->args.count : 0;
}

int evs__call_is_one_of(const evs__callfact *call, const char *const *names)
{
    if (call->kind != EVS__CALL_KNOWN)
        return 0;
    for (; *names != NULL; names++)
        if (strcmp(*names, call->command->name) == 0)
            return 1;
    return 0;
}

/* ---- options ---- */

evs__options evs__options_of(const evs__callfact *call)
{
    evs__options options = {.call = call};
    if (call->kind == EVS__CALL_KNOWN)
        options.next = call->command->options_from;
    return options;
}

static const evs__option *option_at(const evs__callfact *call, size_t i)
{
    for (size_t k = 0; k < call->command->noptions; k++) {
        const evs__option *option = &call->command->options[k];
        if (option->word == NULL ? option->place == i && evs__call_has(call, i)
                                 : evs__call_is_word(call, i, option->word))
            return option;
    }
    return NULL;
}

int evs__options_next(evs__options *options)
{
    const evs__callfact *call = options->call;
    if (call->kind != EVS__CALL_KNOWN || options->next == 0)
        return 0;
    options->at = options->next;
    options->option = option_at(call, options->at);
    options->complete = options->at == evs__call_count(call);
    if (options->option == NULL)
        return 0;
    size_t values = options->option->values;
    /* XADD key MAXLEN = 10 */
    if (values > 0 && (evs__call_is_word(call, options->at + 1, "=") ||
                       evs__call_is_word(call, options->at + 1, "~")))
        values++;
    options->next = options->at + 1 + values;
    return 1;
}

/* ---- making ---- */

static void make_call(evs__callfact *fact, const evs__chunk *chunk, const evs__called *called)
{
    fact->kind = called->kind;
    fact->at = evs__span_public(chunk, called->name_at);
    fact->whole = evs__span_public(chunk, called->place.call->at);
    fact->name = called->name;
    fact->command = called->command;
    fact->args = called->args;
    fact->doubtful = called->doubtful;
    fact->least = called->args.least;
    fact->most = called->args.rest != NULL ? SIZE_MAX : called->args.count;
    if (called->kind == EVS__CALL_UNKNOWN)
        fact->similar = evs__command_similar(evs_text(called->name));
}

void evs__call_facts(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                     const evs__recorder *recorder)
{
    evs__callfact *calls = evs__pool_alloc(pool, recorder->ncalled, sizeof *calls);
    if (calls == NULL)
        return;
    for (size_t i = 0; i < recorder->ncalled; i++)
        make_call(&calls[out->ncalls++], chunk, recorder->called[i]);
    out->calls = calls;
}

static void make_accesses(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                          const evs__recorder *recorder)
{
    evs__access *all = evs__pool_alloc(pool, recorder->naccesses, sizeof *all);
    if (all == NULL)
        return;
    for (size_t i = 0; i < recorder->naccesses; i++) {
        const evs__noted_access *noted = &recorder->accesses[i];
        evs__access access = {noted->given, noted->kind, noted->index,
                              evs__span_public(chunk, noted->at), noted->text};
        all[i] = access;
    }
    out->accesses = all;
    out->naccesses = recorder->naccesses;
}

static void make_revivals(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                          const evs__recorder *recorder)
{
    evs__revival *all = evs__pool_alloc(pool, recorder->nrevivals, sizeof *all);
    if (all == NULL)
        return;
    for (size_t i = 0; i < recorder->nrevivals; i++) {
        const evs__noted_revival *noted = &recorder->revivals[i];
        evs__revival revival = {noted->index, evs__span_public(chunk, noted->deleted_at),
                                evs__span_public(chunk, noted->at), noted->command};
        all[i] = revival;
    }
    out->revivals = all;
    out->nrevivals = recorder->nrevivals;
}

/* Behind what was not followed any function may be called. */
static void make_unreached(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                           const evs__recorder *recorder, const evs__recorder *unreached)
{
    evs__unreached *all = evs__pool_alloc(pool, unreached->nnever, sizeof *all);
    if (all == NULL || recorder->ngaps > 0)
        return;
    for (size_t i = 0; i < unreached->nnever; i++) {
        all[i].at = evs__span_public(chunk, unreached->never[i]->at);
        all[i].name = "";
    }
    out->unreached = all;
    out->nunreached = unreached->nnever;
}

/* The parse has refused what is no flag. */
static unsigned shebang_flags(const evs__chunk *chunk)
{
    static const struct {
        const char *word;
        unsigned flag;
    } flags[] = {{"no-writes", EVS__SHEBANG_NO_WRITES},
                 {"allow-oom", EVS__SHEBANG_ALLOW_OOM},
                 {"allow-stale", EVS__SHEBANG_ALLOW_STALE},
                 {"no-cluster", EVS__SHEBANG_NO_CLUSTER},
                 {"allow-cross-slot-keys", EVS__SHEBANG_ALLOW_CROSS_SLOT}};
    unsigned found = chunk->shebang.len > 0 ? EVS__SHEBANG_LUA : 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (found && memmem(chunk->shebang.data, chunk->shebang.len, flags[i].word,
                            strlen(flags[i].word)) != NULL)
            found |= flags[i].flag;
    return found;
}

void evs__access_facts(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                       const evs__recorder *recorder, const evs__recorder *unreached)
{
    out->shebang = shebang_flags(chunk);
    out->asks_version = recorder->asks_version;
    out->measures = recorder->measures;
    out->has_functions = recorder->has_functions;
    make_accesses(out, pool, chunk, recorder);
    make_revivals(out, pool, chunk, recorder);
    make_unreached(out, pool, chunk, recorder, unreached);
}
