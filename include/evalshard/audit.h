/*
 * audit.h - which keys a script touches, and what is wrong with that.
 *
 * The audit proves things about a script's text without running it. Each key argument of each
 * redis.call gets a verdict; a script's verdict is the worst of its sites. A `declared` verdict is
 * never wrong for unmodified Lua 5.1 and callers that pass any strings in KEYS and ARGV; what the
 * audit cannot follow is `unproven`, never `declared`.
 *
 * These functions need no server and no network; libevalshard-audit has them alone. A report never
 * changes once made and may be read by any thread. Columns are bytes, from 1.
 */
#ifndef EVALSHARD_AUDIT_H
#define EVALSHARD_AUDIT_H

#include <evalshard/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From harmless to worst. A site is one of the first five from DECLARED on, or UNREACHED. */
typedef enum evs_verdict {
    EVS_VERDICT_NO_KEYS = 0,    /* scripts only: no command with keys is reached */
    EVS_VERDICT_UNREACHED = 1,  /* sites only: the code is never executed */
    EVS_VERDICT_DECLARED = 2,   /* on every path an element of KEYS */
    EVS_VERDICT_DERIVED = 3,    /* computed from an element of KEYS alone */
    EVS_VERDICT_UNPROVEN = 4,   /* lost track; the site says why */
    EVS_VERDICT_UNDECLARED = 5, /* some path delivers something else; there is a trace */
    EVS_VERDICT_NONE = 6        /* scripts only: the text does not parse */
} evs_verdict;

typedef enum evs_severity {
    EVS_SEVERITY_NOTE = 0,
    EVS_SEVERITY_WARNING = 1,
    EVS_SEVERITY_ERROR = 2
} evs_severity;

/* Findings that somebody accepted stay in reports, but no longer count. */
typedef enum evs_suppression {
    EVS_SUPPRESSED_NOT = 0,
    EVS_SUPPRESSED_IN_SOURCE = 1, /* by a comment in the script */
    EVS_SUPPRESSED_BASELINE = 2   /* it was there before */
} evs_suppression;

/* A stretch of source; `end_column` is the byte after its last one. */
typedef struct evs_span {
    int line, column;
    int end_line, end_column;
} evs_span;

/* One step of the way a value took to a key position. */
typedef struct evs_trace_step {
    evs_span at;
    const char *text; /* "enters here" */
    const char *path; /* the file that `at` is in */
} evs_trace_step;

/* One key argument of one call. Text is borrowed from the report. */
typedef struct evs_site {
    evs_span at;         /* the argument */
    const char *command; /* upper case, as in "HSET" or "XGROUP CREATE" */
    int argument;        /* counted from 1, the command not counted */
    evs_verdict verdict;
    const char *path; /* the file that `at` is in */
} evs_site;

/* One thing that is wrong. Text is borrowed from the report. */
typedef struct evs_finding {
    const char *code; /* "ES102" */
    const char *name; /* "undeclared-key-argument" */
    evs_severity severity;
    evs_span at;
    const char *message;
    const char *server; /* what a server would say, "" when nothing */
    const char *fix;    /* what to do, "" when there is no general answer */
    const evs_trace_step *steps;
    size_t nsteps;
    const char *path; /* the file that `at` is in: the report's, unless there is a source map */

    /* Equal for the same finding in an edited file: of the code, the text of its line without
     * regard to blanks, and ":N" for the Nth of equal ones. */
    const char *fingerprint;
    evs_suppression suppressed; /* it counts only when this is EVS_SUPPRESSED_NOT */
    const char *reason;         /* why it is suppressed, "" when nobody said */
} evs_finding;

typedef struct evs_report evs_report;

/* A script may be put together from several files, or stand inside of a string of another language.
 * A source map says where its bytes came from; a report then points into those files. */
typedef struct evs_source_file {
    const char *path;
    evs_bytes text; /* all of the file: reports show its lines */
} evs_source_file;

/* From byte `begin` of the script up to the next part, the script is what stands in the file from
 * byte `at` on. When `length`, the bytes there, is not the length of the part (an escape sequence,
 * a line end that joins two files: 0), every byte of the part means that whole stretch. */
typedef struct evs_source_part {
    size_t begin;
    size_t file; /* index */
    size_t at, length;
} evs_source_part;

typedef struct evs_source_map {
    const evs_source_file *files;
    size_t nfiles;
    const evs_source_part *parts; /* ascending; the first begins at 0 */
    size_t nparts;
} evs_source_map;

/* Findings of a script that a baseline has. */
typedef struct evs_known {
    const char *code;
    size_t count;                    /* how many of that code */
    const char *const *fingerprints; /* of those; a finding whose line was edited has another */
    size_t nfingerprints;
    int line; /* of the entry in the baseline */
} evs_known;

/* A stretch of a script that is not known, because a program puts it in: "${prefix}" in a template.
 * What stands there is a name. In a string it is any text, where a value stands it is any value
 * (but one that is had without a call of Redis), where a function is called it is any code. */
typedef struct evs_hole {
    size_t begin, end; /* bytes of the script; end is behind the last one */
    const char *code;  /* what the program puts in, as it is written there: "${prefix}" */
} evs_hole;

/* Is a text that does not parse a broken script (ES001) or a part of one, which is a note? */
typedef enum evs_wholeness { EVS_TEXT_WHOLE = 0, EVS_TEXT_PART = 1 } evs_wholeness;

/* What a script is audited for. All texts are read while evs_audit runs and may be NULL. */
typedef struct evs_audit_options {
    size_t struct_size;
    const char *path; /* for messages and reports; NULL means "-" */
    /* Where the script came from; NULL: `path` is all of it. It must live as long as the report. */
    const evs_source_map *map;

    /* The servers that it has to run on: SERVER:VERSION[..[VERSION]], SERVER being redis or valkey,
     * several of them separated by commas: "redis:6.2..7.4,valkey:8.0", "redis:7.0.." (and all that
     * is newer). NULL: what the profile is for. */
    const char *target;

    /* What kind of place it runs in, which decides how much a finding weighs: "cluster" (or "oss"),
     * "standalone", "valkey", "elasticache-serverless", "aliyun", "dragonfly" or "kvrocks-strict".
     * NULL means cluster: shards of the open servers, where each key must be declared. */
    const char *profile;

    /* Which rules run, as codes or their beginnings ("ES1", "ES306") separated by commas. `select`
     * says it all; without it these are the rules of tiers A and B, and those that the profile
     * adds. `extend_select` adds to that, `ignore` takes away; the longest beginning that fits a
     * rule decides, and ignore where both are as long. A rule of tier C wants its whole code. What
     * says why a script does not parse is never left out. */
    const char *select;
    const char *extend_select;
    const char *ignore;

    /* How much findings weigh: "ES306=note,ES1=warning"; the longest beginning decides. */
    const char *severities;

    /* How many keys and arguments its callers pass; -1 when that is not known. What the script
     * says of itself comes first. */
    long keys;
    long args;

    /* More about its callers, in the words that a comment "-- evalshard: ..." takes: "keys=9 argv=3
     * hashtag readonly small=KEYS[2]". */
    const char *contract;

    /* The two characters around a hash tag where keys are placed, or "off" when whole keys are:
     * what `hash_tag` is in a shard map. NULL means "{}". */
    const char *hash_tag;

    /* Findings that were there before, and no longer count; stale entries give ES901 in
     * `known_path`, unless that is NULL. */
    const evs_known *known;
    size_t nknown;
    const char *known_path;

    /* What is not known of the text: in order, none inside of another. Borrowed as `map` is. */
    const evs_hole *holes;
    size_t nholes;
    evs_wholeness wholeness;

    /* Commands beside those of Redis and Valkey, of modules say, separated by commas, each with the
     * places of its keys: "JSON.SET=1 write" (the first argument), "JSON.MGET=1..-2 read" (up to
     * the last but one), "X.MSET=1..-1/2" (every second one), "X.UNION=n@2" (behind argument 2,
     * which counts them), "X.PING=none". Without "=" a command exists, and nobody knows where its
     * keys are; without "read" or "write" it may do both. */
    const char *commands;

    /* Globals that a host puts in front of its scripts: names separated by commas. */
    const char *globals;

    /* How many values unpack can give where the scripts run: 0 means 8000, what servers are built
     * with. */
    long unpack_limit;
} evs_audit_options;

#define EVS_AUDIT_OPTIONS_INIT                                                                   \
    {                                                                                            \
        sizeof(evs_audit_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, -1, -1, NULL, \
            NULL, NULL, 0, NULL, NULL, 0, EVS_TEXT_WHOLE, NULL, NULL, 0                          \
    }

/* Is everything in `opts` understood? Fails with EVS_E_INVALID; the message names the option and
 * what is wrong with it. evs_audit checks the same. */
EVS_API evs_status evs_audit_options_check(const evs_audit_options *opts, evs_error *err);

/* Audits the script `source`. `*out` is yours to free and keeps its own copy of the source.
 * A script that does not parse is a report with the finding ES001, not a failure.
 * Fails with EVS_E_NOMEM, and with EVS_E_INVALID for options that are not understood. `opts` may be
 * NULL. */
EVS_API evs_status evs_audit(evs_report **out, evs_bytes source, const evs_audit_options *opts,
                             evs_error *err);

EVS_API void evs_report_free(evs_report *report);

/* The script's verdict, and its name in lower case ("no_keys", "declared", ...). */
EVS_API evs_verdict evs_report_verdict(const evs_report *report);
EVS_API const char *evs_verdict_name(evs_verdict verdict);

/* 1 when the analysis followed everything, 0 when it gave up somewhere (finding ES006). */
EVS_API int evs_report_complete(const evs_report *report);

/* 0 when the script surely changes nothing: no command that it can reach writes, manages the server
 * or is sent to replicas (as PUBLISH and PFCOUNT are). 1 when it may, also when a command is not a
 * constant or not known, and when the analysis gave up. */
EVS_API int evs_report_may_write(const evs_report *report);

/* 0 when no error reply to a call of the script can be a value that the script returned: it never
 * returns redis.error_reply, a result of redis.pcall, or a table that might have a field `err`, and
 * every error that it raises is marked by the server (" script: SHA, on @user_script:LINE."
 * from 7.0 on, "ERR Error running script" before). An unmarked BUSY, LOADING, ... is then the
 * server's own word. 1 when that is not certain. */
EVS_API int evs_report_may_return_errors(const evs_report *report);

/* 40 lower-case hexadecimal digits: what SCRIPT LOAD answers for this source. "" when the text has
 * holes or is a part of a script, so that nobody knows what a server will get. */
EVS_API const char *evs_report_sha1(const evs_report *report);

/* The path given in the options. */
EVS_API const char *evs_report_path(const evs_report *report);

/* Key arguments and findings, in the order of the source; borrowed. */
EVS_API const evs_site *evs_report_sites(const evs_report *report, size_t *count);
EVS_API const evs_finding *evs_report_findings(const evs_report *report, size_t *count);

/* Which findings are too much. A suppressed finding never is. */
typedef enum evs_fail_on {
    EVS_FAIL_ON_NEVER = 0,
    EVS_FAIL_ON_ERROR = 1,
    EVS_FAIL_ON_UNPROVEN = 2, /* errors, and what the audit could not follow */
    EVS_FAIL_ON_DERIVED = 3,  /* the same, and derived keys */
    EVS_FAIL_ON_WARNING = 4,
    EVS_FAIL_ON_NOTE = 5
} evs_fail_on;

/* 1 when a report has such a finding. */
EVS_API int evs_report_fails(const evs_report *report, evs_fail_on limit);

/* An input that there is no report of. */
typedef struct evs_unread {
    const char *path;
    const char *why;
} evs_unread;

typedef struct evs_render_options {
    size_t struct_size;
    const char *format;   /* one that evs_format_name knows; NULL means text */
    int colour;           /* 1: terminal colours (text only) */
    evs_severity minimum; /* leave out findings below this (formats for people only) */
    int quiet;            /* 1: findings only (text only) */
    evs_fail_on fail_on;  /* what a failure is, for formats that tell */
    const evs_unread *unread;
    size_t nunread;
} evs_render_options;

#define EVS_RENDER_OPTIONS_INIT                                                               \
    {                                                                                         \
        sizeof(evs_render_options), NULL, 0, EVS_SEVERITY_NOTE, 0, EVS_FAIL_ON_ERROR, NULL, 0 \
    }

/* The name of a format, counted from 0; NULL when there are no more. Static. */
EVS_API const char *evs_format_name(size_t index);

/* Renders `count` reports as one document. `*out` is NUL-terminated, yours to free with
 * evs_text_free. Fails with EVS_E_INVALID for an unknown format, EVS_E_NOMEM. */
EVS_API evs_status evs_reports_render(char **out, const evs_report *const *reports, size_t count,
                                      const evs_render_options *opts, evs_error *err);
EVS_API void evs_text_free(char *text);

/* What the audit made of the script, for people: "tokens", "ast" or "facts". The form may change.
 * `*out` is yours to free with evs_text_free. Fails with EVS_E_INVALID, EVS_E_NOMEM. */
EVS_API evs_status evs_report_dump(char **out, const evs_report *report, const char *what,
                                   evs_error *err);

/* How sure a rule is. */
typedef enum evs_tier {
    EVS_TIER_A = 0, /* runs; what it says is certain, or costs dearly */
    EVS_TIER_B = 1, /* runs; rarer things */
    EVS_TIER_C = 2  /* a matter of taste or of the place: runs when it is selected */
} evs_tier;

/* A rule's own documentation. Static text; "" where there is nothing to say. */
typedef struct evs_rule_info {
    const char *code;
    const char *name;
    evs_severity severity; /* in the profile "cluster" */
    evs_tier tier;
    const char *why;
    const char *bad;             /* a script with a finding of this rule */
    const char *good;            /* one without */
    const char *exceptions;      /* what it leaves out on purpose */
    const char *false_positives; /* when it may be wrong, and what to do then */
    const char *server;          /* what a server would say */
    const char *fix;             /* what to do */
    const char *companions; /* codes of rules that find something in `bad` too: "ES101 ES110" */
    const char *target;     /* of `bad`, when it is only bad there: "redis:6.2" */
} evs_rule_info;

/* All rules, in order of code: `*count` pointers. */
EVS_API const evs_rule_info *const *evs_rules(size_t *count);

#ifdef __cplusplus
}
#endif

#endif
