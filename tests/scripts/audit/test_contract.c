/* The header block: what good ones say, and where bad ones are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scripts/audit/contract.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define S           "--- S.\n" /* a sentence, so tags begin on line 2 */

/* Without a block. */
static const struct {
    const char *what, *source;
} plain[] = {
    {"nothing", ""},
    {"code alone", "return 1\n"},
    {"a comment of two dashes", "-- posts a message\nreturn 1\n"},
    {"a ruler", "--------\n-- posts a message\n--------\nreturn 1\n"},
    {"three dashes without a sentence", "---\nreturn 1\n"},
    {"three dashes without a blank", "---posts\nreturn 1\n"},
    {"a long comment", "--[[ \n-- @key a\n]]\nreturn 1\n"},
    {"a long comment with a level", "--[==[ \n-- @key a\n]==]\nreturn 1\n"},
    {"an empty line first", "\n--- S.\n-- @key a\n"},
    {"a blank first", " --- S.\n-- @key a\n"},
    {"an empty line behind the shebang", "#!lua\n\n--- S.\n-- @key a\n"},
    {"a shebang alone", "#!lua flags=no-writes"},
    {"code before the tags", "local a = 1\n--- S.\n-- @key a\n"},
    {"an empty line before the tags", "-- x\n\n-- @key a\n"},
    {"a mail address is no tag", "-- bob @home\n-- bob@example.com\n"},
    {"an at sign alone is no tag", "-- @\n-- @ key\n"},
    {"a language server's annotation", "---@diagnostic disable\nreturn 1\n"},
};

static void scripts_without_a_block_declare_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__contract c;
        evs_error err = {0};
        evs_status status = evs__contract_read(&c, &arena, evs_text(plain[i].source), &err);
        if (status != EVS_OK || c.present || c.counts || c.summary[0] != '\0')
            fail_msg("%s: %d %s", plain[i].what, status, err.message);
        evs__arena_free(&arena);
    }
}

/* Good blocks, rendered by `render` below. */
static const struct {
    const char *what, *source, *expect;
} good[] = {
    {"a sentence alone", "--- Posts a message.", "[Posts a message.] once v0"},
    {"behind a shebang", "#!lua flags=no-writes\n--- S.\n-- @key a", "[S.] key a once v0"},
    {"every tag",
     "--- Posts a message.\n"
     "-- @key  user       {user:<uid>}, hash\n"
     "-- @key  status     hash\n"
     "-- @arg  id\n"
     "-- @arg  fields...  field, value, ...\n"
     "-- @returns string id, or nil\n"
     "-- @retry idempotent\n"
     "-- @version 12\n"
     "return 1\n",
     "[Posts a message.] key user{{user:<uid>}, hash} key status{hash} arg id arg "
     "fields{field, value, ...} ... returns string{string id, or nil} idempotent v12"},
    {"every class", S "-- @retry read_only", "[S.] read_only v0"},
    {"the default said", S "-- @retry once", "[S.] once v0"},
    {"tags in any order", S "-- @arg a\n-- @version 2\n-- @key k\n-- @arg b",
     "[S.] key k arg a arg b once v2"},
    {"three dashes for two", S "--- @key a", "[S.] key a once v0"},
    {"no blank before the tag", S "--@key a", "[S.] key a once v0"},
    {"tabs", S "--\t@key\ta\ttext", "[S.] key a{text} once v0"},
    {"indented", S "   -- @key a", "[S.] key a once v0"},
    {"carriage returns", "--- S.\r\n-- @key a  \r\n-- @arg b x\r\n", "[S.] key a arg b{x} once v0"},
    {"a sentence over lines", "--- Posts\n--- a\n--   message.\n-- @key a",
     "[Posts a message.] key a once v0"},
    {"text over lines", S "-- @key a one\n--   two\n-- @arg b\n--   three",
     "[S.] key a{one two} arg b{three} once v0"},
    {"an empty comment ends the text", S "--\n-- remark\n-- @key a x\n--\n-- remark",
     "[S.] key a{x} once v0"},
    {"a ruler ends the text", S "-- ------\n-- remark", "[S.] once v0"},
    {"text below a class is a remark", S "-- @retry once\n-- because", "[S.] once v0"},
    {"a directive of the auditor", S "-- evalshard: keys=9\n-- remark\n-- @key a",
     "[S.] key a once v0"},
    {"a tail of keys", S "-- @key a...\n-- @arg b", "[S.] key a ... arg b once v0"},
    {"the tail of the other kind", S "-- @arg a...\n-- @key b...",
     "[S.] key b ... arg a ... once v0"},
    {"one name for a key and an argument", S "-- @key a\n-- @arg a", "[S.] key a arg a once v0"},
    {"a name with underscores", S "-- @key _a_1", "[S.] key _a_1 once v0"},
    {"the block ends at an empty line", S "-- @key a\n\n-- @key b", "[S.] key a once v0"},
    {"the block ends at code", S "-- @key a\nreturn 1\n-- @kee b", "[S.] key a once v0"},
    {"the block ends at a long comment", S "-- @key a\n--[[\n-- @key b\n]]", "[S.] key a once v0"},
    {"one bracket makes no long comment", S "--[ x\n--=[ x\n--[= x\n-- @key a",
     "[S. [ x =[ x [= x] key a once v0"},
    {"the last line without its end", S "-- @version 2147483647", "[S.] once v2147483647"},
    {"an annotation inside is skipped", S "---@type x\n-- @key a", "[S.] key a once v0"},
};

static void render_params(evs__buf *out, const char *kind, const evs__params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        evs__buf_format(out, "%s %s", kind, params->items[i].name);
        if (params->items[i].text[0] != '\0')
            evs__buf_format(out, "{%s}", params->items[i].text);
        evs__buf_char(out, ' ');
    }
    if (params->tail)
        evs__buf_text(out, "... ");
}

static void render(evs__buf *out, const evs__contract *c)
{
    static const char *const classes[] = {"once", "idempotent", "read_only"};
    evs__buf_format(out, "[%s] ", c->summary);
    render_params(out, "key", &c->keys);
    render_params(out, "arg", &c->args);
    if (c->returns[0] != '\0')
        evs__buf_format(out, "returns %s{%s} ", c->type, c->returns);
    evs__buf_format(out, "%s v%d", classes[c->retry], c->version);
}

static void good_blocks_say_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__buf text = EVS__BUF_INIT;
        evs__contract c;
        evs_error err = {0};
        if (evs__contract_read(&c, &arena, evs_text(good[i].source), &err) != EVS_OK)
            fail_msg("%s: %d:%d: %s", good[i].what, err.line, err.column, err.message);
        assert_true(c.present);
        render(&text, &c);
        if (strcmp(text.data, good[i].expect) != 0)
            fail_msg("%s: %s\nexpected %s", good[i].what, text.data, good[i].expect);
        evs__buf_free(&text);
        evs__arena_free(&arena);
    }
}

/* Bad blocks: line, column, and how the message begins. */
static const struct {
    const char *what, *source;
    int line, column;
    const char *message;
} bad[] = {
    {"an unknown tag", S "-- @author Bob", 2, 4,
     "unknown tag @author; there are @key, @arg, @returns, @retry, @version"},
    {"a misspelt tag", S "-- @kee a", 2, 4, "unknown tag @kee, did you mean @key"},
    {"a tag of upper case", S "-- @Key a", 2, 4, "unknown tag @Key, did you mean @key"},
    {"a longer tag", S "-- @return string", 2, 4, "unknown tag @return, did you mean @returns"},
    {"indented", S "  --   @kee a", 2, 8, "unknown tag @kee"},
    {"a key without a name", S "-- @key", 2, 8, "@key wants a name of letters, digits and _"},
    {"an argument without a name", S "-- @arg   ", 2, 8, "@arg wants a name"},
    {"a name with a dash", S "-- @key user-id", 2, 9, "@key wants a name"},
    {"a name that begins with a digit", S "-- @arg 1st", 2, 9, "@arg wants a name"},
    {"dots alone", S "-- @arg ...", 2, 9, "@arg wants a name"},
    {"dots apart from the name", S "-- @arg fields ... all", 2, 16,
     "the dots belong to the name: fields..."},
    {"a key twice", S "-- @key a\n-- @key b\n-- @key a", 4, 9,
     "@key a is there twice (first on line 2)"},
    {"a key behind the tail", S "-- @key a...\n-- @key b", 3, 9,
     "@key b comes after a..., which takes all the rest"},
    {"two tails", S "-- @arg a...\n-- @arg b...", 3, 9, "@arg b comes after a..."},
    {"@returns without a type", S "-- @returns", 2, 12, "@returns wants a type"},
    {"@returns twice", S "-- @returns string\n-- @key a\n-- @returns integer", 4, 4,
     "@returns is there twice (first on line 2)"},
    {"@retry twice", S "-- @retry once\n-- @retry once", 3, 4,
     "@retry is there twice (first on line 2)"},
    {"@version twice", S "-- @version 1\n-- @version 1", 3, 4, "@version is there twice"},
    {"no class", S "-- @retry", 2, 10, "@retry wants once, idempotent or read_only"},
    {"another class", S "-- @retry sometimes", 2, 11, "@retry wants once, idempotent or read_only"},
    {"a misspelt class", S "-- @retry idempotnet", 2, 11,
     "@retry idempotnet is unknown, did you mean idempotent"},
    {"a class with a dash", S "-- @retry read-only", 2, 11,
     "@retry read-only is unknown, did you mean read_only"},
    {"two classes", S "-- @retry once idempotent", 2, 16, "@retry takes one word"},
    {"no number", S "-- @version", 2, 12, "@version wants a whole number"},
    {"version 0", S "-- @version 0", 2, 13, "@version wants a whole number"},
    {"a negative version", S "-- @version -1", 2, 13, "@version wants a whole number"},
    {"version 1.2", S "-- @version 1.2", 2, 13, "@version wants a whole number"},
    {"a number too big", S "-- @version 2147483648", 2, 13, "@version wants a whole number"},
    {"two numbers", S "-- @version 1 2", 2, 15, "@version takes one number"},
    {"behind a shebang", "#!lua\n" S "-- @kee a", 3, 4, "unknown tag @kee"},
    {"tags without a sentence", "-- @key a", 1, 4,
     "tags need a header block: open it on line 1 with \"--- \" and a sentence"},
    {"tags in a plain comment", "-- posts\n-- a message\n-- @key a", 3, 4,
     "tags need a header block: open it on line 1"},
    {"a tag instead of the sentence", "#!lua\n--- @key a", 2, 5,
     "tags need a header block: open it on line 2"},
    {"an empty sentence", "---\n-- @key a", 2, 4, "tags need a header block: open it on line 1"},
};

static void bad_blocks_are_refused_with_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__contract c;
        evs_error err = {0};
        evs_status status = evs__contract_read(&c, &arena, evs_text(bad[i].source), &err);
        if (status != EVS_E_INVALID || err.status != status || err.line != bad[i].line ||
            err.column != bad[i].column ||
            strncmp(err.message, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %d, %d:%d: %s", bad[i].what, status, err.line, err.column, err.message);
        evs__arena_free(&arena);
    }
}

static void names_and_classes_have_spans(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__contract c;
    evs_bytes source = evs_text(S "--  @key  user... x\n-- @retry once");
    assert_int_equal(evs__contract_read(&c, &arena, source, NULL), EVS_OK);
    const evs_span name = {2, 11, 2, 15}, class = {3, 11, 3, 15};
    assert_memory_equal(&c.keys.items[0].at, &name, sizeof name);
    assert_memory_equal(&c.retry_at, &class, sizeof class);
    evs__arena_free(&arena);
}

static void counts_have_limits(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__contract c;
    evs_bytes source = evs_text(S "-- @key a\n-- @key b\n-- @arg c\n-- @arg d...");
    assert_int_equal(evs__contract_read(&c, &arena, source, NULL), EVS_OK);
    assert_int_equal(evs__params_min(&c.keys), 2);
    assert_int_equal(evs__params_max(&c.keys), 2);
    assert_int_equal(evs__params_min(&c.args), 1);
    assert_true(evs__params_max(&c.args) == SIZE_MAX);
    assert_true(c.counts);

    assert_int_equal(evs__contract_read(&c, &arena, evs_text(S "-- @retry once"), NULL), EVS_OK);
    assert_false(c.counts);
    evs__arena_free(&arena);
}

static void many_parameters_are_fine_too_many_are_not(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__buf text = EVS__BUF_INIT;
    evs__contract c;
    evs_error err;
    evs__buf_text(&text, S);
    for (int i = 0; i < 255; i++)
        evs__buf_format(&text, "-- @arg a%d number %d\n", i, i);
    evs_bytes source = {text.data, text.len};
    assert_int_equal(evs__contract_read(&c, &arena, source, &err), EVS_OK);
    assert_int_equal(c.args.count, 255);
    assert_string_equal(c.args.items[254].name, "a254");
    assert_string_equal(c.args.items[3].text, "number 3");

    evs__buf_text(&text, "-- @arg more\n");
    source = (evs_bytes){text.data, text.len};
    assert_int_equal(evs__contract_read(&c, &arena, source, &err), EVS_E_INVALID);
    assert_int_equal(err.line, 257);
    evs__buf_free(&text);
    evs__arena_free(&arena);
}

/* Every prefix of a block is read without touching a byte behind it (a copy of exact size lets the
 * sanitizer see that), and ends in EVS_OK or in a place inside the text. */
static void every_prefix_is_read_inside_its_bounds(void **state)
{
    (void)state;
    evs_bytes whole = evs_text("#!lua\n--- S.\n-- @key a...  text\n--  more\n-- @arg b\r\n"
                               "-- @returns string x\n-- evalshard: x\n-- @retry once\n"
                               "-- @version 3\n--[[ @key c ]]\n");
    for (size_t len = 0; len <= whole.len; len++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__contract c;
        evs_error err = {0};
        char *copy = evs__alloc_array(len, 1);
        assert_non_null(copy);
        memcpy(copy, whole.data, len);
        evs_bytes source = {copy, len};
        evs_status status = evs__contract_read(&c, &arena, source, &err);
        assert_true(status == EVS_OK || (err.line > 0 && err.line < 12 && err.column > 0));
        evs__free(copy);
        evs__arena_free(&arena);
    }
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    evs__buf text = EVS__BUF_INIT;
    evs__buf_text(&text, S);
    for (int i = 0; i < 40; i++)
        evs__buf_format(&text, "-- @key a%d some text that takes room in an arena\n", i);
    evs_bytes source = {text.data, text.len};

    size_t fail_at = 0;
    evs_status status;
    do {
        evs__arena arena = EVS__ARENA_INIT;
        evs__contract c;
        evs_error err = {0};
        evs__mem_fail_at(++fail_at);
        status = evs__contract_read(&c, &arena, source, &err);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
        evs__arena_free(&arena);
    } while (status != EVS_OK);
    assert_true(fail_at > 3);
    evs__buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_without_a_block_declare_nothing),
        cmocka_unit_test(good_blocks_say_what_they_say),
        cmocka_unit_test(bad_blocks_are_refused_with_line_and_column),
        cmocka_unit_test(names_and_classes_have_spans),
        cmocka_unit_test(counts_have_limits),
        cmocka_unit_test(many_parameters_are_fine_too_many_are_not),
        cmocka_unit_test(every_prefix_is_read_inside_its_bounds),
        cmocka_unit_test(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
