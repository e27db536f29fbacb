/*
 * script-audit: which keys scripts touch, and what is wrong with that.
 */
#include "tools/script_audit/explain.h"
#include "tools/script_audit/options.h"
#include "tools/script_audit/run.h"

#include <stdio.h>

static int run(const options *o)
{
    switch (o->task) {
    case TASK_HELP:
        options_help();
        return EXIT_FINE;
    case TASK_VERSION:
        printf("script-audit %s\n", evs_version());
        return EXIT_FINE;
    case TASK_EXPLAIN:
        return explain(o->rule, o->format) ? EXIT_FINE : EXIT_USAGE;
    case TASK_AUDIT:
        break;
    }
    return run_audit(o);
}

int main(int argc, char **argv)
{
    options o;
    int code = options_read(&o, argc, argv) ? run(&o) : EXIT_USAGE;
    options_free(&o);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("script-audit: standard output");
        return EXIT_UNREADABLE;
    }
    return code;
}
