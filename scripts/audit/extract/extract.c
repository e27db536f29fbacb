/*
 * From the source of a program to the scripts in it.
 *
 *   languages.def, NAME.c   what is a literal, and what it means
 *   scanner.c               a program as tokens
 *   weave.c                 texts, and where their bytes come from
 *   gather.c                which literals are one text
 *   judge.c                 which texts are scripts
 */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/audit/extract/judge.h"

#include <evalshard/extract.h>
#include <string.h>
#include <strings.h>

#define EVS_LANGUAGE(name) extern const evs__language evs__language_##name;
#include "scripts/audit/extract/languages.def"
#undef EVS_LANGUAGE

static const evs__language *const languages[] = {
#define EVS_LANGUAGE(name) &evs__language_##name,
#include "scripts/audit/extract/languages.def"
#undef EVS_LANGUAGE
};

struct evs_extraction {
    evs__arena arena;
    evs_source_file file;
    evs_embedded_script *scripts; /* the arena's, as all below them */
    size_t count, cap;
};

const evs__language *evs__language_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    size_t len = dot == NULL ? 0 : strlen(dot);
    if (dot == NULL || strchr(dot, '/') != NULL || len < 2)
        return NULL;
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        const char *at = languages[i]->extensions;
        for (; (at = strchr(at, '.')) != NULL; at++)
            if (strcspn(at, " ") == len && strncasecmp(at, dot, len) == 0)
                return languages[i];
    }
    return NULL;
}

const char *evs_extract_language(const char *path)
{
    const evs__language *language = evs__language_of(path);
    return language == NULL ? NULL : language->name;
}

/* ---- scripts ---- */

static evs_embedded_script *room(evs_extraction *x)
{
    if (x->count < x->cap)
        return &x->scripts[x->count++];
    size_t cap = x->cap * 2 + 8;
    evs_embedded_script *scripts = evs__arena_zalloc(&x->arena, cap, sizeof *scripts);
    if (scripts == NULL)
        return NULL;
    if (x->count > 0)
        memcpy(scripts, x->scripts, x->count * sizeof *scripts);
    x->scripts = scripts;
    x->cap = cap;
    return &x->scripts[x->count++];
}

/* Line and column of the first byte of the script. */
static void place(const evs_extraction *x, evs_embedded_script *script, size_t at)
{
    evs_bytes text = x->file.text;
    int line = 1;
    size_t begin = 0;
    for (const char *end; begin < at; begin = (size_t)(end - text.data) + 1) {
        end = memchr(text.data + begin, '\n', at - begin);
        if (end == NULL)
            break;
        line++;
    }
    script->line = line;
    script->column = (int)(at - begin) + 1;
}

static int keep(evs_extraction *x, const evs__weave *weave, evs__judgement judgement)
{
    evs_embedded_script *script = room(x);
    char *text = evs__arena_text(&x->arena, weave->text.data, weave->text.len);
    if (script == NULL || text == NULL)
        return 0;
    script->source = (evs_bytes){text, weave->text.len};
    script->map = (evs_source_map){&x->file, 1, weave->parts, weave->nparts};
    script->holes = weave->holes;
    script->nholes = weave->nholes;
    script->wholeness = judgement == EVS__A_PART ? EVS_TEXT_PART : EVS_TEXT_WHOLE;
    place(x, script, weave->parts[0].at);
    return 1;
}

static int extract_next(evs_extraction *x, evs__gathering *g, int *more)
{
    evs__weave weave;
    evs__gathered gathered;
    evs__weave_init(&weave, &x->arena, x->file.text);
    *more = evs__gather_next(g, &weave, &gathered);
    int fine = 1;
    if (*more && evs__buf_ok(&weave.text) && !weave.nomem) {
        evs__judgement judgement = evs__judge(&weave, &gathered);
        if (judgement != EVS__NO_SCRIPT && !weave.nomem)
            fine = keep(x, &weave, judgement);
        g->at = judgement != EVS__NO_SCRIPT && gathered.behind > g->at ? gathered.behind
                                                                       : g->at + 1;
    }
    fine = fine && evs__buf_ok(&weave.text) && !weave.nomem;
    evs__weave_free(&weave);
    return fine;
}

static int extract(evs_extraction *x, const evs__language *language)
{
    evs__scanner scanner, spare;
    evs__arena tokens = EVS__ARENA_INIT;
    evs__scanner_init(&scanner, language, &tokens, x->file.text);
    evs__scanner_init(&spare, language, &tokens, x->file.text);
    spare.quiet = 1;
    int fine = evs__scanner_run(&scanner), more = fine;
    evs__gathering g = {.scanner = &scanner, .spare = &spare};
    g.used = fine ? evs__arena_zalloc(&tokens, scanner.ntokens + 1, 1) : NULL;
    fine = fine && g.used != NULL && evs__gather_constants(&g);
    while (fine && more)
        fine = extract_next(x, &g, &more);
    evs__gather_free(&g);
    evs__arena_free(&tokens);
    return fine;
}

evs_status evs_extract(evs_extraction **out, evs_bytes source, const char *path, evs_error *err)
{
    const evs__language *language = evs__language_of(path);
    if (language == NULL)
        return evs__fail(err, EVS_E_INVALID, "no language is known for the name %s", path);
    evs_extraction *x = evs__zalloc_array(1, sizeof *x);
    if (x == NULL)
        return evs__fail_nomem(err);
    x->file.path = evs__arena_text(&x->arena, path, strlen(path));
    x->file.text = source;
    if (x->file.path == NULL || (evs__mentions_redis(source) && !extract(x, language))) {
        evs_extraction_free(x);
        return evs__fail_nomem(err);
    }
    *out = x;
    return EVS_OK;
}

void evs_extraction_free(evs_extraction *extraction)
{
    if (extraction == NULL)
        return;
    evs__arena_free(&extraction->arena);
    evs__free(extraction);
}

const evs_embedded_script *evs_extraction_scripts(const evs_extraction *extraction, size_t *count)
{
    *count = extraction->count;
    return extraction->scripts;
}
