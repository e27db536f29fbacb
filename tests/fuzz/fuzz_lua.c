/* Any bytes are a script or an error with a place inside of them; what parses can be dumped. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "scripts/syntax/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_lua: %s\n", what);
    abort();
}

static void check_error(const evs__chunk *chunk)
{
    const evs__parse_error *error = &chunk->error;
    check(chunk->main == NULL, "an error and a tree");
    check(error->message != NULL && error->message[0] != '\0', "an error without a message");
    check(error->at.start <= error->at.end && error->at.end <= chunk->source.len,
          "an error outside of the source");
    evs_span span = evs__span_public(chunk, error->at);
    check(span.line >= 1 && span.column >= 1 && span.end_line >= span.line,
          "an error with an impossible place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    evs__buf out = EVS__BUF_INIT;
    check(evs__lua_parse(&chunk, &arena, (evs_bytes){(const char *)data, size}), "out of memory");
    if (chunk->error.problem != EVS__PARSE_OK) {
        check_error(chunk);
    } else {
        check(chunk->main != NULL, "neither an error nor a tree");
        evs__ast_dump(&out, chunk->main);
        check(evs__buf_ok(&out), "no dump");
    }
    evs__buf_free(&out);
    evs__arena_free(&arena);
    return 0;
}
