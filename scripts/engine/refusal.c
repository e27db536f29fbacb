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

evs__refusal *evs__refusal_new(size_t script, evs_bytes text)
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

void evs__refusal_free(evs__refusal *refusal)
{
    if (refusal == NULL)
        return;
    evs__free(refusal->text);
    evs__free(refusal);
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
