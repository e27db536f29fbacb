/*
 * call.c - evalshard call: one script, from a shell. The reply goes to standard output; what became
 * of a call that failed goes to standard error, with its outcome.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/reply_text.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/term.h"

enum { MAP, SCRIPTS, KEY, ARG, SHARD, TIMEOUT, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [SCRIPTS] = OPT_SCRIPTS,
    [KEY] = {'k', "key", OPT_WORDS, "KEY", "the keys, in order"},
    [ARG] = {'a', "arg", OPT_WORDS, "ARG", "the arguments, in order"},
    [SHARD] = {'\0', "shard", OPT_TEXT, "SHARD", "where to run it when it has no keys"},
    [TIMEOUT] = {'\0', "timeout", OPT_TEXT, "TIME", "how long to wait: 500ms, 2s, 1m"},
    [JSON] = OPT_JSON,
};

/* Everything of one call. `err` counts when `status` is not EVS_OK. */
typedef struct attempt {
    evs_invocation call;
    evs_bytes *keys, *args;
    evs_status status;
    evs_reply *reply;
    evs_error err;
} attempt;

static evs_bytes *all_bytes(const opt_list *list)
{
    evs_bytes *bytes = need(calloc(list->count + 1, sizeof *bytes));
    for (size_t i = 0; i < list->count; i++)
        bytes[i] = evs_text(list->words[i]);
    return bytes;
}

static int parse(attempt *it, const opts *given)
{
    const char *timeout = opt_text(given, TIMEOUT);
    if (given->plain.count == 0) {
        complain("call: no script: give its NAME");
        return EXIT_USAGE;
    }
    if (given->plain.count > 1) {
        complain("call: unexpected word \"%s\"; keys follow -k, arguments follow -a",
                 given->plain.words[1]);
        return EXIT_USAGE;
    }
    if (timeout != NULL && opt_duration(&it->call.timeout_ms, timeout) != 0) {
        complain("call: \"%s\" is no time; write 500ms, 2s or 1m", timeout);
        return EXIT_USAGE;
    }
    it->keys = all_bytes(&given->values[KEY]);
    it->args = all_bytes(&given->values[ARG]);
    it->call.script = given->plain.words[0];
    it->call.keys = it->keys;
    it->call.nkeys = given->values[KEY].count;
    it->call.args = it->args;
    it->call.nargs = given->values[ARG].count;
    it->call.shard = opt_text(given, SHARD);
    return EXIT_FINE;
}

/* A script whose keys cannot all be known in advance may touch another shard's data. */
static void warn_of_undeclared_keys(const evs_script *script)
{
    if (evs_report_verdict(evs_script_report(script)) == EVS_VERDICT_UNDECLARED)
        complain("warning: %s touches keys that nobody passed; script-audit shows which",
                 evs_script_name(script));
}

static int find(attempt *it, const session *s)
{
    const char *similar[2];
    it->call.handle = evs_script_find(s->registry, it->call.script);
    if (it->call.handle != NULL) {
        warn_of_undeclared_keys(it->call.handle);
        return EXIT_FINE;
    }
    size_t n = evs_registry_similar(s->registry, it->call.script, similar);
    if (n == 0)
        complain("no script \"%s\"", it->call.script);
    else
        complain("no script \"%s\"; did you mean %s%s%s?", it->call.script, similar[0],
                 n > 1 ? " or " : "", n > 1 ? similar[1] : "");
    return EXIT_USAGE;
}

/* The shard of a call that worked: where its keys live, or where it was sent. */
static void where_json(json *j, const attempt *it, const session *s)
{
    evs_shard_info info;
    evs_route route;
    if (it->status != EVS_OK && it->err.shard[0] != '\0') {
        json_key(j, "shard");
        json_text(j, it->err.shard);
    } else if (it->call.nkeys > 0 &&
               evs_shardmap_route(&route, s->map, it->keys[0], NULL) == EVS_OK &&
               evs_shardmap_shard(&info, s->map, route.shard, NULL) == EVS_OK) {
        json_key(j, "shard");
        json_text(j, info.name);
    } else if (it->call.shard != NULL) {
        json_key(j, "shard");
        json_text(j, it->call.shard);
    }
}

static void print_json(const attempt *it, const session *s)
{
    json j = {stdout, 0};
    int failed = it->status != EVS_OK;
    json_open(&j, '{');
    json_key(&j, "script");
    json_text(&j, it->call.script);
    where_json(&j, it, s);
    json_key(&j, "status");
    json_text(&j, evs_status_name(it->status));
    json_key(&j, "outcome");
    json_text(&j, evs_outcome_text(failed ? it->err.outcome : EVS_EXECUTED));
    json_key(&j, failed ? "error" : "reply");
    if (it->status == EVS_E_SCRIPT)
        json_bytes(&j, evs_reply_bytes(it->reply));
    else if (failed)
        json_text(&j, it->err.message);
    else
        reply_json(&j, it->reply);
    json_close(&j, '}');
    putchar('\n');
}

static void print(const attempt *it, const session *s, int as_json)
{
    if (as_json)
        print_json(it, s);
    else if (it->reply != NULL && is_terminal(stdout))
        reply_print(stdout, it->reply);
    else if (it->reply != NULL)
        reply_print_raw(stdout, it->reply);
    if (it->status != EVS_OK)
        session_complain(&it->err);
}

static int run(const opts *given)
{
    session s = {NULL, NULL, NULL};
    attempt it = {.status = EVS_OK};
    int code = parse(&it, given);
    if (code == EXIT_FINE)
        code = session_open(&s, opt_text(given, MAP), opt_text(given, SCRIPTS));
    if (code == EXIT_FINE)
        code = find(&it, &s);
    if (code == EXIT_FINE) {
        it.status = evs_call(&it.reply, s.client, &it.call, &it.err);
        print(&it, &s, opt_given(given, JSON));
        code = session_exit_code(it.status);
    }
    evs_reply_free(it.reply);
    free(it.keys);
    free(it.args);
    session_close(&s);
    return code;
}

const command command_call = {
    .name = "call",
    .usage = " NAME [-k KEY...] [-a ARG...] [-m MAP] [-s FOLDER] [--shard SHARD]\n                 "
             "     [--timeout TIME] [--json]",
    .summary = "run one script on the shard its keys live on",
    .details =
        "Prints the reply as redis-cli does: with types on a terminal, raw in a pipe. With "
        "--json:\n"
        "{\"script\", \"shard\", \"status\", \"outcome\", \"reply\" or \"error\"}; strings that "
        "are not UTF-8\n"
        "are {\"base64\": \"...\"}, an error inside a reply is {\"error\": \"...\"}. A word behind "
        "-k or -a\n"
        "that begins with a dash and a letter is written --key=-x or --arg=-x.\n"
        "\n"
        "  evalshard call create_status -k '{user:7}' '{user:7}:status:1' -a 1 message hello\n"
        "\n"
        "A call that failed says on stderr whether the script was executed.\n"
        "\n"
        "exit codes: 0 a reply; 1 an error reply; 2 wrong usage, an unusable map or script, or "
        "keys on\n"
        "            different shards; 3 the shard is unreachable or does not answer in time\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
