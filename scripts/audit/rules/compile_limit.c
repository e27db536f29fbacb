/* ES003 - more of something than Lua 5.1 can compile. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

static void check(const evs__facts *facts, evs__findings *out)
{
    if (facts->refusal == EVS__REFUSAL_LIMIT)
        evs__finding_add(out, facts->syntax_at, "%s", facts->syntax_message);
}

const evs__rule evs__rule_compile_limit = {
    .info =
        {
            .code = "ES003",
            .name = "compile-limit",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_B,
            .why = "A function has at most 200 locals and 60 upvalues, and syntax is "
                   "nested at most 200 levels deep. Scripts that are put together "
                   "from many files, all at the top level, get there.",
            .bad =
                "return "
                "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
                "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
                "(((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))"
                "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
                ")))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
            .good = "local H = {}\n"
                    "function H.a() return 1 end\n"
                    "return H.a()",
            .exceptions = "",
            .false_positives = "None: these are the limits that servers compile Lua with.",
            .server = "ERR Error compiling script (new function)",
            .fix = "wrap helpers in do ... end blocks, or keep them in one table",
            .companions = "",
            .target = "",
        },
    .check = check,
};
