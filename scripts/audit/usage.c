/*
 * KEYS[2] in the text takes the second key. Any other mention of KEYS, be it `#KEYS`, may take all
 * of them: `dynamic`. What the interpreter saw arrive at a command counts as well.
 */
#include "scripts/audit/usage.h"

#include "scripts/syntax/lexer.h"

#include <string.h>

int evs__indices_has(const evs__indices *set, size_t index)
{
    return index <= set->most && (set->has[index / 8] >> (index % 8) & 1);
}

static void take(evs__indices *set, double index)
{
    if (index < 1 || index > EVS__INDICES_MAX || index != (double)(size_t)index) {
        set->dynamic = 1;
        return;
    }
    size_t i = (size_t)index;
    set->has[i / 8] |= (unsigned char)(1u << (i % 8));
    if (i > set->most)
        set->most = i;
}

static void take_atoms(evs__usage *usage, const evs__keyuse *use)
{
    for (size_t i = 0; i < use->natoms; i++) {
        const evs__atom *atom = use->atoms[i];
        if (atom->kind == EVS__ATOM_KEY || atom->kind == EVS__ATOM_DERIVED)
            take(&usage->keys, atom->index);
        else if (atom->kind == EVS__ATOM_ARGUMENT)
            take(&usage->args, atom->index);
    }
}

static int is(evs_bytes name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.data, text, name.len) == 0;
}

static evs__writes writes_of(const evs_report *report)
{
    if (report->facts.ngaps > 0 || report->chunk->main == NULL)
        return EVS__WRITES_UNKNOWN;
    evs__writes writes = EVS__WRITES_NEVER;
    for (size_t i = 0; i < report->facts.ncalls && evs_report_may_write(report); i++) {
        const evs__callfact *call = &report->facts.calls[i];
        if (call->kind != EVS__CALL_KNOWN || (call->command->flags & EVS__COMMAND_MAYBE_WRITE))
            writes = EVS__WRITES_UNKNOWN;
        else if (call->command->flags & EVS__COMMAND_WRITE)
            return EVS__WRITES;
    }
    return writes;
}

/* ---- the text ---- */

/* A window over the tokens: the one before, and the one now. */
typedef struct reader {
    evs__lexer lexer;
    evs__token before, now;
} reader;

static void next(reader *r)
{
    r->before = r->now;
    evs__lexer_next(&r->lexer, &r->now);
}

/* Behind the name of a table: `[` NUMBER `]`, or anything else. */
static void take_mention(reader *r, evs__indices *set)
{
    double index = 0;
    if (r->now.kind == '[') {
        next(r);
        if (r->now.kind == EVS__TK_NUMBER) {
            index = r->now.number;
            next(r);
        }
        if (r->now.kind != ']')
            index = 0;
    }
    take(set, index);
}

static void read_tokens(reader *r, evs__usage *usage)
{
    while (r->now.kind != EVS__TK_EOF) {
        int name = r->now.kind == EVS__TK_NAME && r->before.kind != '.' && r->before.kind != ':';
        evs_bytes text = r->now.text;
        next(r);
        if (name && is(text, "KEYS"))
            take_mention(r, &usage->keys);
        else if (name && is(text, "ARGV"))
            take_mention(r, &usage->args);
    }
}

static int take_text(evs__usage *usage, const evs_report *report)
{
    evs__arena arena = EVS__ARENA_INIT;
    reader r = {.before.kind = EVS__TK_EOF};
    evs__lexer_init(&r.lexer, &arena, report->source, report->chunk->shebang.len);
    r.now.kind = EVS__TK_EOF;
    next(&r);
    read_tokens(&r, usage);
    int done = !r.lexer.nomem;
    evs__lexer_free(&r.lexer);
    evs__arena_free(&arena);
    return done;
}

int evs__usage_of(evs__usage *out, const evs_report *report)
{
    memset(out, 0, sizeof *out);
    out->declared = report->setting.expected.keys_least;
    out->writes = writes_of(report);
    for (size_t i = 0; i < report->facts.nuses; i++)
        take_atoms(out, &report->facts.uses[i]);
    if (!report->is_library && !take_text(out, report))
        return 0;
    for (long i = 1; !out->keys.dynamic && i <= out->declared && i <= EVS__INDICES_MAX; i++)
        if (!evs__indices_has(&out->keys, (size_t)i))
            take(&out->unused_keys, (double)i);
    return 1;
}
