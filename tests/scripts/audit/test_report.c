/*
 * Reports: sites, text, JSON, and memory that runs out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"

#include <evalshard/audit.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Of the script below. */
#define SHA "5898ed6b59032f88d0947c3abda962693e9401f6"

static const char add[] = "local prefix = ARGV[1]\n"
                          "local id = redis.call('INCR', KEYS[1])\n"
                          "\tlocal key = prefix .. ':'\n"
                          "redis.call('HSET', key, 'name', id)\n"
                          "if false then redis.call('DEL', 'x') end\n";

static evs_report *audit(const char *source, const char *path)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    evs_report *report;
    options.path = path;
    assert_int_equal(evs_audit(&report, evs_text(source), &options, NULL), EVS_OK);
    return report;
}

static char *render(const evs_report *report, const char *format, int colour)
{
    evs_render_options options = EVS_RENDER_OPTIONS_INIT;
    char *text;
    options.format = format;
    options.colour = colour;
    assert_int_equal(evs_reports_render(&text, &report, 1, &options, NULL), EVS_OK);
    return text;
}

static void a_site_per_key_argument(void **state)
{
    (void)state;
    static const struct {
        int line, column, argument;
        const char *command;
        evs_verdict verdict;
    } expected[] = {
        {1, 20, 1, "MSET", EVS_VERDICT_DECLARED},
        {1, 34, 3, "MSET", EVS_VERDICT_UNDECLARED},
        {2, 32, 2, "OBJECT ENCODING", EVS_VERDICT_DECLARED},
        {3, 30, 1, "BLMOVE", EVS_VERDICT_UNREACHED},
        {3, 39, 2, "BLMOVE", EVS_VERDICT_UNREACHED},
    };
    evs_report *report = audit(
        "redis.call('MSET', KEYS[1], 1, 'b', 2)\n"
        "redis.call('object', 'encoding', KEYS[1])\n"
        "if nil then redis.call('BLMOVE', KEYS[1], KEYS[2], 'L', 'R', 0) end",
        NULL);
    size_t count;
    const evs_site *sites = evs_report_sites(report, &count);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(sites[i].command, expected[i].command);
        assert_int_equal(sites[i].argument, expected[i].argument);
        assert_int_equal(sites[i].verdict, expected[i].verdict);
        assert_int_equal(sites[i].at.line, expected[i].line);
    }
    assert_int_equal(sites[0].at.column, 20);
    assert_int_equal(evs_report_verdict(report), EVS_VERDICT_UNDECLARED);
    evs_report_free(report);
}

static void text_shows_the_way_of_a_key(void **state)
{
    (void)state;
    evs_report *report = audit(add, "add.lua");
    char *text = render(report, "text", 0);
    assert_string_equal(
        text,
        "error[ES102] undeclared-key-argument: key of HSET is built from ARGV[1], not taken from "
        "KEYS\n"
        "  --> add.lua:4:20\n"
        "   |\n"
        " 1 | local prefix = ARGV[1]\n"
        "   |                ------- 1. enters here\n"
        " 3 | \tlocal key = prefix .. ':'\n"
        "   | \t            ------------- 2. becomes the key\n"
        " 4 | redis.call('HSET', key, 'name', id)\n"
        "   |                    ^^^ 3. key argument 1 of HSET\n"
        "   = cluster: ERR Script attempted to access a non local key in a cluster node\n"
        "   = fix: pass the complete key as a further KEYS element\n"
        "   = script-audit --explain ES102\n"
        "add.lua: undeclared  sha1 " SHA "  3 sites: 1 declared 1 undeclared 1 unreached\n");
    evs_text_free(text);
    evs_report_free(report);
}

static void of_a_very_long_line_the_part_around_the_finding_is_shown(void **state)
{
    (void)state;
    enum { PADDING = 5000 };
    static char source[2 * PADDING + 100];
    memset(source, ' ', sizeof source - 1);
    memcpy(source, "local p=ARGV[1]", 15);
    memcpy(source + PADDING, "redis.call('GET', p)", 20);
    evs_report *report;
    assert_int_equal(evs_audit(&report, evs_text(source), NULL, NULL), EVS_OK);
    char *text = render(report, "text", 0);
    assert_non_null(strstr(text, "local p=ARGV[1]"));
    assert_non_null(strstr(text, "redis.call('GET', p)"));
    assert_non_null(strstr(text, "1. enters here"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") < 600);
    evs_text_free(text);
    evs_report_free(report);
}

static void colours_only_when_asked(void **state)
{
    (void)state;
    evs_report *report = audit(add, "add.lua");
    char *with = render(report, "text", 1), *without = render(report, "text", 0);
    assert_non_null(strchr(with, '\033'));
    assert_null(strchr(without, '\033'));
    evs_text_free(with);
    evs_text_free(without);
    evs_report_free(report);
}

static void a_script_that_does_not_parse_is_a_report(void **state)
{
    (void)state;
    evs_report *report = audit("return (", "broken.lua");
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    assert_int_equal(count, 1);
    assert_string_equal(findings[0].code, "ES001");
    assert_int_equal(evs_report_verdict(report), EVS_VERDICT_NONE);
    char *text = render(report, "json", 0);
    json_t *all = json_loads(text, 0, NULL);
    json_t *script = json_array_get(json_object_get(all, "scripts"), 0);
    assert_true(json_is_null(json_object_get(script, "verdict")));
    json_decref(all);
    evs_text_free(text);
    evs_report_free(report);
}

static void json_has_its_shape(void **state)
{
    (void)state;
    evs_report *report = audit(add, "a\"\xff.lua");
    char *text = render(report, "json", 0);
    json_t *all = json_loads(text, 0, NULL);
    const char *path, *kind, *sha1, *verdict, *command, *code, *site_verdict;
    int schema, complete, line, column, argument, scripts, undeclared, errors;
    assert_non_null(all);
    assert_int_equal(
        json_unpack(all,
                    "{s:i, s:[{s:s, s:s, s:s, s:s, s:b, s:[{}, {s:i, s:i, s:s, s:i, s:s}], "
                    "s:[{s:s}]}], s:{s:i, s:i, s:{s:i}}}",
                    "schema", &schema, "scripts", "path", &path, "kind", &kind, "sha1", &sha1,
                    "verdict", &verdict, "complete", &complete, "sites", "line", &line, "col",
                    &column, "command", &command, "arg", &argument, "verdict", &site_verdict,
                    "findings", "code", &code, "summary", "scripts", &scripts, "undeclared",
                    &undeclared, "findings", "error", &errors),
        0);
    assert_int_equal(schema, 1);
    assert_string_equal(path, "a\"\xef\xbf\xbd.lua");
    assert_string_equal(kind, "eval");
    assert_string_equal(sha1, SHA);
    assert_string_equal(verdict, "undeclared");
    assert_int_equal(complete, 1);
    assert_int_equal(line, 4);
    assert_int_equal(column, 20);
    assert_string_equal(command, "HSET");
    assert_int_equal(argument, 1);
    assert_string_equal(site_verdict, "undeclared");
    assert_string_equal(code, "ES102");
    assert_int_equal(scripts + undeclared + errors, 3);
    json_decref(all);
    evs_text_free(text);
    evs_report_free(report);
}

static void a_library_is_one(void **state)
{
    (void)state;
    evs_report *report = audit("#!lua name=lib\n"
                               "redis.register_function('f', function(keys, args)\n"
                               "  return redis.call('GET', keys[1])\n"
                               "end)\n",
                               NULL);
    char *text = render(report, "json", 0);
    assert_int_equal(evs_report_verdict(report), EVS_VERDICT_DECLARED);
    assert_non_null(strstr(text, "\"kind\":\"function\""));
    evs_text_free(text);
    evs_report_free(report);
}

static void an_unknown_format_is_refused(void **state)
{
    (void)state;
    evs_render_options options = EVS_RENDER_OPTIONS_INIT;
    evs_error err;
    char *text = NULL;
    options.format = "xml";
    assert_int_equal(evs_reports_render(&text, NULL, 0, &options, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "no such format 'xml'");
    assert_null(text);
}

static evs_status all_of_it(const char *source)
{
    evs_report *report;
    evs_error err;
    evs_status status = evs_audit(&report, evs_text(source), NULL, &err);
    if (status != EVS_OK)
        return status;
    const evs_report *one = report;
    char *text;
    status = evs_reports_render(&text, &one, 1, NULL, &err);
    if (status == EVS_OK)
        evs_text_free(text);
    evs_report_free(report);
    return status;
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    static const char *const sources[] = {
        add,
        "local function f(n, ...) if n > 0 then return f(n - 1, ...) end return ... end\n"
        "local t = {} for i, k in ipairs(KEYS) do t[#t + 1] = k end\n"
        "pcall(redis.call, 'DEL', unpack(t))\n"
        "return redis.call('GET', f(3, KEYS[1], string.format('%s', ARGV[1])))",
        "#!lua name=lib\nredis.register_function('f', function(k) redis.call('GETT', k[1]) end)",
        "local x = loadstring('a') x() return redis.call(ARGV[1], 'a')",
        "return (",
        "--- S.\n-- @key a\n-- evalshard: keys=2 small=KEYS[1] bad\n"
        "-- evalshard: ignore[ES101,ES102] r\nredis.call('GET', 'x') -- evalshard: ignore",
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        evs__mem_fail_at(0);
        assert_int_equal(all_of_it(sources[i]), EVS_OK);
        size_t total = evs__mem_count();
        assert_true(total > 3);
        for (size_t n = 1; n <= total; n++) {
            evs__mem_fail_at(n);
            evs_status status = all_of_it(sources[i]);
            evs__mem_fail_at(0);
            assert_int_equal(status, EVS_E_NOMEM);
        }
    }
}

static void huge_scripts_end(void **state)
{
    (void)state;
    static char source[400000];
    size_t len = 0;
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(source + len, sizeof source - len, "for i%d = 1, #KEYS do ", i % 9);
    len += (size_t)snprintf(source + len, sizeof source - len, "redis.call('GET', KEYS[1]) ");
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(source + len, sizeof source - len, "end ");
    len += (size_t)snprintf(source + len, sizeof source - len, "return 1");
    for (int i = 0; i < 50000; i++)
        len += (size_t)snprintf(source + len, sizeof source - len, "+1");
    evs_report *report = audit(source, NULL);
    assert_true(evs_report_verdict(report) == EVS_VERDICT_UNPROVEN ||
                evs_report_verdict(report) == EVS_VERDICT_DECLARED);
    evs_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_per_key_argument),
        cmocka_unit_test(text_shows_the_way_of_a_key),
        cmocka_unit_test(of_a_very_long_line_the_part_around_the_finding_is_shown),
        cmocka_unit_test(colours_only_when_asked),
        cmocka_unit_test(a_script_that_does_not_parse_is_a_report),
        cmocka_unit_test(json_has_its_shape),
        cmocka_unit_test(a_library_is_one),
        cmocka_unit_test(an_unknown_format_is_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(huge_scripts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
