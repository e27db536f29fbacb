#include "scripts/engine/refusal.h"

#include "core/mem.h"
#include "scripts/engine/decide.h"

static int is_compile_error(evs_bytes text)
{
    static const char sentence[] = "ERR Error compiling script";
    static const char shebang[] = "shebang"; /* "Unexpected flag in script shebang: ..." */
    if (text.len >= sizeof sentence - 1 && memcmp(text.data, sentence, sizeof sentence - 1) == 0)
        return 1;
    return memmem(text.data, text.len, shebang, sizeof shebang - 1) != NULL;
}

evs_status evs__refusal_status(evs_bytes text)
{
    if (is_compile_error(text))
        return EVS_E_COMPILE;
    evs_status status = evs__decide_error(EVS__SPEAKER_COMMAND, text).status;
    return status == EVS_OK ? EVS_E_NO_SCRIPT : status;
}

static evs__refusal *make(size_t script, evs_bytes text)
{
    evs__refusal *refusal = evs__zalloc_array(1, sizeof *refusal);
    if (refusal == NULL)
        return NULL;
    refusal->script = script;
    refusal->status = evs__refusal_status(text);
    refusal->text = evs__copy_text(text.data, text.len);
    if (refusal->text != NULL)
        return refusal;
    evs__free(refusal);
    return NULL;
}

/* Takes the first one away. */
static void drop_first(evs__refusal **list)
{
    evs__refusal *first = *list;
    *list = first->next;
    evs__free(first->text);
    evs__free(first);
}

const evs__refusal *evs__refusal_find(const evs__refusal *list, const evs_script *script)
{
    while (list != NULL && list->script != script->id)
        list = list->next;
    return list;
}

void evs__refusal_drop(evs__refusal **list, const evs_script *script)
{
    while (*list != NULL && (*list)->script != script->id)
        list = &(*list)->next;
    if (*list != NULL)
        drop_first(list);
}

void evs__refusal_keep(evs__refusal **list, const evs_script *script, evs_bytes text)
{
    evs__refusal *refusal = make(script->id, text);
    if (refusal == NULL)
        return;
    evs__refusal_drop(list, script);
    refusal->next = *list;
    *list = refusal;
}

void evs__refusals_free(evs__refusal **list)
{
    while (*list != NULL)
        drop_first(list);
}

evs_status evs__explain_refusal(evs_error *err, const evs__subject *subject,
                                const evs__refusal *refusal)
{
    if (refusal == NULL)
        return evs__explain(err, subject, EVS_E_NO_SCRIPT,
                            "the server does not keep the script: NOSCRIPT after SCRIPT LOAD");
    if (refusal->status != EVS_E_COMPILE)
        return evs__explain(err, subject, refusal->status,
                            "the script is not there and was not loaded: %s", refusal->text);

    int line = evs__line_in(evs_text(refusal->text));
    evs__explain(err, subject, EVS_E_COMPILE, "does not compile, line %d: %s", line, refusal->text);
    if (err != NULL)
        err->line = line;
    return EVS_E_COMPILE;
}
