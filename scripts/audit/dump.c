/*
 * What the audit makes of a script, for people who ask why it says what it says. The form may
 * change.
 */
#include "core/error.h"
#include "core/mem.h"
#include "core/printable.h"
#include "scripts/audit/report.h"
#include "scripts/syntax/lexer.h"

#include <string.h>

enum { SHOWN = 200 };

/* ---- tokens ---- */

static void token(evs__buf *out, const evs__token *t)
{
    char room[16], text[4 * SHOWN + 1];
    evs_bytes part = {t->text.data, t->text.len < SHOWN ? t->text.len : SHOWN};
    evs__buf_format(out, "%d:%d\t%s", t->at.line, t->at.column, evs__token_text(t->kind, room));
    if (t->kind == EVS__TK_NAME || t->kind == EVS__TK_STRING) {
        evs__printable(text, sizeof text, part);
        evs__buf_format(out, "\t%s%s", text, part.len < t->text.len ? "..." : "");
    } else if (t->kind == EVS__TK_NUMBER) {
        evs__buf_format(out, "\t%.14g", t->number);
    }
    evs__buf_char(out, '\n');
}

static void tokens(evs__buf *out, const evs_report *report)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token t;
    evs__lexer_init(&lexer, &arena, report->source, report->chunk->shebang.len);
    do { /* ends at the end of the text, or at its first error */
        evs__lexer_next(&lexer, &t);
        token(out, &t);
    } while (t.kind != EVS__TK_EOF);
    if (lexer.nomem)
        out->failed = 1;
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

/* ---- the tree ---- */

static void tree(evs__buf *out, const evs_report *report)
{
    if (report->chunk->main == NULL)
        evs__buf_text(out, "(does not parse)");
    else
        evs__ast_dump(out, report->chunk->main);
    evs__buf_char(out, '\n');
}

/* ---- facts ---- */

static void call(evs__buf *out, const evs__callfact *c)
{
    static const char *const kinds[] = {"call", "unknown call", "dynamic call"};
    evs__buf_format(out, "%d:%d\t%s\t%s", c->at.line, c->at.column, kinds[c->kind], c->name);
    if (c->most == SIZE_MAX)
        evs__buf_format(out, "\t%zu or more arguments\n", c->least);
    else if (c->least != c->most)
        evs__buf_format(out, "\t%zu to %zu arguments\n", c->least, c->most);
    else
        evs__buf_format(out, "\t%zu arguments\n", c->least);
}

static void use(evs__buf *out, const evs__keyuse *u)
{
    evs__buf_format(out, "%d:%d\tkey\t%s argument %d\t%s", u->at.line, u->at.column, u->command,
                    u->argument, evs_verdict_name(u->verdict));
    for (size_t i = 0; i < u->natoms; i++) {
        evs__buf_text(out, i == 0 ? "\t" : ", ");
        evs__atom_describe(out, u->atoms[i]);
    }
    evs__buf_char(out, '\n');
}

static void facts(evs__buf *out, const evs_report *report)
{
    const evs__facts *f = &report->facts;
    evs__buf_format(out, "verdict\t%s\nwrites\t%s\nreturns errors\t%s\n",
                    evs_verdict_name(f->verdict), f->may_write ? "perhaps" : "never",
                    f->may_return_errors ? "perhaps" : "never");
    for (size_t i = 0; i < f->ncalls; i++)
        call(out, &f->calls[i]);
    for (size_t i = 0; i < f->nuses; i++)
        use(out, &f->uses[i]);
    for (size_t i = 0; i < f->ngaps; i++)
        evs__buf_format(out, "%d:%d\tgap\t%s\n", f->gaps[i].at.line, f->gaps[i].at.column,
                        f->gaps[i].reason);
}

/* ---- all ---- */

evs_status evs_report_dump(char **out, const evs_report *report, const char *what, evs_error *err)
{
    static const struct {
        const char *name;
        void (*write)(evs__buf *out, const evs_report *report);
    } dumps[] = {{"tokens", tokens}, {"ast", tree}, {"facts", facts}};
    evs__buf text = EVS__BUF_INIT;
    size_t i = 0;
    while (i < sizeof dumps / sizeof *dumps && strcmp(dumps[i].name, what) != 0)
        i++;
    if (i == sizeof dumps / sizeof *dumps)
        return evs__fail(err, EVS_E_INVALID, "no such dump '%s'; there are tokens, ast, facts",
                         what);
    dumps[i].write(&text, report);
    char *taken = evs__buf_take(&text);
    if (taken == NULL)
        return evs__fail_nomem(err);
    *out = taken;
    return EVS_OK;
}
