/* ES103 - a key is read from the database instead of taken from KEYS. */
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    evs__report_origin(facts, out, EVS__FROM_REPLY);
}

const evs__rule evs__rule_undeclared_key_reply = {
    .info =
        {
            .code = "ES103",
            .name = "undeclared-key-reply",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_A,
            .why = "A key whose name is stored in the database is known only while the script "
                   "runs: nobody can pass it. Passing more keys does not help; the work has to be "
                   "split in two calls, or the data kept under one tag and one key.",
            .bad = "local id = redis.call('LPOP', KEYS[1])\n"
                   "if id then redis.call('DEL', id) end\n"
                   "return id",
            .good = "-- caller pops first, then passes the job key\n"
                    "return redis.call('DEL', KEYS[1])",
            .exceptions = "job queues of a single instance suppress it per file",
            .false_positives =
                "None on shards. Job queues of a single instance: choose the profile standalone.",
            .server = "ERR Script attempted to access a non local key in a cluster node",
            .fix = "read the name in one call and pass it as a key to the next one",
            .companions = "",
            .target = "",
        },
    .check = check,
};
