/* schema.c - evalshard schema: a JSON Schema of shard maps, for editors. */
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>
#include <stdio.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

static int run(const opts *given)
{
    char *text;
    evs_error err;
    if (given->plain.count > 0) {
        complain("schema: unexpected word \"%s\"", given->plain.words[0]);
        return EXIT_USAGE;
    }
    if (evs_shardmap_schema(&text, &err) != EVS_OK) {
        complain("%s", err.message);
        return EXIT_UNREACHABLE;
    }
    fputs(text, stdout);
    evs_text_free(text);
    return EXIT_FINE;
}

const command command_schema = {
    .name = "schema",
    .usage = "",
    .summary = "print a JSON Schema of shard maps, for editors",
    .details = "An editor that knows JSON Schema (draft 7) for YAML completes keys and words with "
               "it, shows\n"
               "what they mean, and marks many mistakes while you type. `check` finds those, too, "
               "and all\n"
               "others.\n"
               "\n"
               "  evalshard schema >evalshard.schema.json\n"
               "\n"
               "and in the map: # yaml-language-server: $schema=evalshard.schema.json\n"
               "\n"
               "exit codes: 0 printed; 2 wrong usage\n",
    .run = run,
};
