#include "scripts/lane.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "scripts/decide.h"
#include "scripts/render.h"

#include <stdlib.h>

typedef struct evs__load {
    evs__request request; /* first */
    evs__lane *lane;
    const evs_script *script;
} evs__load;

static void forget(evs__lane *lane)
{
    if (lane->nmarks > 0)
        memset(lane->marks, EVS__MARK_UNKNOWN, lane->nmarks);
    while (lane->refusals != NULL) {
        evs__refusal *refusal = lane->refusals;
        lane->refusals = refusal->next;
        evs__free(refusal->text);
        evs__free(refusal);
    }
}

void evs__lane_clear(evs__lane *lane)
{
    forget(lane);
    evs__free(lane->marks);
    lane->marks = NULL;
    lane->nmarks = 0;
}

evs_status evs__lane_prepare(evs__lane *lane, evs_error *err)
{
    if (lane->conn == NULL) {
        evs_status made = evs__conns_get(&lane->conn, lane->client->conns, lane->shard, err);
        if (made != EVS_OK)
            return made;
        lane->epoch = evs__conn_epoch(lane->conn);
    }
    evs_status status = evs__conn_prepare(lane->conn, err);
    uint64_t epoch = evs__conn_epoch(lane->conn);
    if (epoch != lane->epoch) {
        forget(lane);
        lane->epoch = epoch;
    }
    return status;
}

evs__mark evs__lane_mark(const evs__lane *lane, const evs_script *script)
{
    if (script->id >= lane->nmarks)
        return EVS__MARK_UNKNOWN;
    return (evs__mark)lane->marks[script->id];
}

int evs__lane_set_mark(evs__lane *lane, const evs_script *script, evs__mark mark)
{
    if (script->id >= lane->nmarks) {
        size_t count = evs_registry_count(lane->client->registry);
        unsigned char *marks = evs__realloc_array(lane->marks, count, 1);
        if (marks == NULL)
            return 0;
        memset(marks + lane->nmarks, EVS__MARK_UNKNOWN, count - lane->nmarks);
        lane->marks = marks;
        lane->nmarks = count;
    }
    lane->marks[script->id] = (unsigned char)mark;
    return 1;
}

const evs__refusal *evs__lane_refusal(const evs__lane *lane, const evs_script *script)
{
    const evs__refusal *refusal = lane->refusals;
    while (refusal != NULL && refusal->script != script->id)
        refusal = refusal->next;
    return refusal;
}

static void drop_refusal(evs__lane *lane, const evs_script *script)
{
    for (evs__refusal **at = &lane->refusals; *at != NULL; at = &(*at)->next) {
        evs__refusal *refusal = *at;
        if (refusal->script != script->id)
            continue;
        *at = refusal->next;
        evs__free(refusal->text);
        evs__free(refusal);
        return;
    }
}

static void keep_refusal(evs__lane *lane, const evs_script *script, evs_status status,
                         evs_bytes text)
{
    evs__refusal *refusal = evs__zalloc_array(1, sizeof *refusal);
    if (refusal == NULL)
        return; /* the calls behind then fail as NO_SCRIPT, without the server's reason */
    refusal->script = script->id;
    refusal->status = status;
    refusal->text = evs__copy_text(text.data, text.len);
    if (refusal->text == NULL) {
        evs__free(refusal);
        return;
    }
    drop_refusal(lane, script);
    refusal->next = lane->refusals;
    lane->refusals = refusal;
}

static int line_of(const char *text)
{
    static const char mark[] = "user_script:";
    const char *at = strstr(text, mark);
    return at == NULL ? 0 : (int)strtol(at + sizeof mark - 1, NULL, 10);
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

    int line = line_of(refusal->text);
    evs__explain(err, subject, EVS_E_COMPILE, "does not compile, line %d: %s", line, refusal->text);
    if (err != NULL)
        err->line = line;
    return EVS_E_COMPILE;
}

static int is_compile_error(evs_bytes text)
{
    static const char sentence[] = "ERR Error compiling script";
    static const char shebang[] = "shebang"; /* "Unexpected flag in script shebang: ..." */
    if (text.len >= sizeof sentence - 1 && memcmp(text.data, sentence, sizeof sentence - 1) == 0)
        return 1;
    return memmem(text.data, text.len, shebang, sizeof shebang - 1) != NULL;
}

/* An error reply to SCRIPT LOAD. It decides no call: EVALSHA's own reply does. */
static void refused(evs__load *load, evs_bytes text)
{
    if (is_compile_error(text)) {
        keep_refusal(load->lane, load->script, EVS_E_COMPILE, text);
        evs__lane_set_mark(load->lane, load->script, EVS__MARK_BROKEN);
        return;
    }
    evs_status status = evs__decide(EVS__SPEAKER_COMMAND, text).status;
    keep_refusal(load->lane, load->script, status == EVS_OK ? EVS_E_NO_SCRIPT : status, text);
    if (evs__lane_mark(load->lane, load->script) == EVS__MARK_LOADING)
        evs__lane_set_mark(load->lane, load->script, EVS__MARK_UNKNOWN);
}

static void loaded(evs__request *request, const evs__answer *answer)
{
    evs__load *load = (evs__load *)request;
    if (answer->got == EVS__GOT_REPLY) {
        evs_bytes text = evs_reply_bytes(answer->reply);
        if (evs_reply_kind(answer->reply) == EVS_REPLY_ERROR)
            refused(load, text);
        else if (text.len == 40 && memcmp(text.data, load->script->sha1, 40) == 0)
            evs__lane_set_mark(load->lane, load->script, EVS__MARK_KNOWN);
    }
    evs__free(load);
}

int evs__lane_load(evs__lane *lane, const evs_script *script)
{
    evs__load *load = evs__zalloc_array(1, sizeof *load);
    if (load == NULL)
        return 0;
    load->request.done = loaded;
    load->lane = lane;
    load->script = script;

    evs_bytes args[] = {evs_text("SCRIPT"), evs_text("LOAD"), evs_script_source(script)};
    evs__render_command(evs__conn_begin(lane->conn, &load->request), args, 3);
    if (!evs__conn_end(lane->conn, &load->request)) {
        evs__free(load);
        return 0;
    }
    drop_refusal(lane, script);
    lane->client->stats.loads++;
    return evs__lane_set_mark(lane, script, EVS__MARK_LOADING);
}
