/*
 * script-audit --extract: which files are read, and that reports point into them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUDIT "tools/script-audit"

static char folder[64];

static char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const struct {
    const char *name, *text;
} files[] = {
    {"jobs.py", "# don't\nGET = \"\"\"\n  return redis.call('GET', ARGV[1])\n\"\"\"\n"},
    {"limit.js", "client.eval(`return redis.call('GET', '${prefix}:x')`)\n"},
    {"none.go", "package main // KEYS[1]\n"},
    {"plain.lua", "return redis.call('GET', KEYS[1])\n"},
    {"readme.txt", "return redis.call('GET', ARGV[1])\n"},
    {"sub/Part.java",
     "class P { String s = \"if redis.call('GET', KEYS[1]) == 1 then return\"; }\n"},
};

enum { FILES = sizeof files / sizeof *files };

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/script-audit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(at("sub"), 0700), 0);
    for (size_t i = 0; i < FILES; i++) {
        FILE *file = fopen(at(files[i].name), "wb");
        assert_non_null(file);
        fputs(files[i].text, file);
        fclose(file);
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        unlink(at(files[i].name));
    rmdir(at("sub"));
    return rmdir(folder);
}

static void programs_in_folders_are_read_when_asked_for(void **state)
{
    (void)state;
    program_run run;
    const char *paths[4], *verdict;
    int line, column, fragment;
    RUN(&run, NULL, AUDIT, "--format", "json", folder);
    assert_non_null(strstr(run.out, "plain.lua"));
    assert_null(strstr(run.out, "jobs.py"));
    program_free(&run);

    RUN(&run, NULL, AUDIT, "--extract", "--format", "json", folder);
    json_t *all = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    assert_int_equal(json_unpack(all, "{s:[{s:s,s:i,s:i},{s:s,s:s},{s:s},{s:s,s:b}!]}", "scripts",
                                 "path", &paths[0], "line", &line, "col", &column, "path",
                                 &paths[1], "verdict", &verdict, "path", &paths[2], "path",
                                 &paths[3], "fragment", &fragment),
                     0);
    assert_string_equal(paths[0], at("jobs.py"));
    assert_int_equal(line, 2);
    assert_int_equal(column, 10);
    assert_string_equal(paths[1], at("limit.js"));
    assert_string_equal(verdict, "undeclared");
    assert_string_equal(paths[2], at("plain.lua"));
    assert_string_equal(paths[3], at("sub/Part.java"));
    assert_true(fragment);
    json_decref(all);
    program_free(&run);
}

static void holes_are_told(void **state)
{
    (void)state;
    program_run run;
    const char *code, *place;
    int line, column;
    RUN(&run, NULL, AUDIT, "--extract", "--format", "json", at("limit.js"));
    json_t *all = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    assert_int_equal(json_unpack(all, "{s:[{s:n,s:[{s:i,s:i,s:s,s:s}!]}!]}", "scripts", "sha1",
                                 "holes", "line", &line, "col", &column, "code", &code, "place",
                                 &place),
                     0);
    assert_int_equal(line, 1);
    assert_int_equal(column, 40);
    assert_string_equal(code, "${prefix}");
    assert_string_equal(place, "string");
    json_decref(all);
    program_free(&run);
}

static void every_format_points_into_the_program(void **state)
{
    (void)state;
    static const struct {
        const char *format, *shown;
    } cases[] = {
        {"text", "jobs.py:3:28\n"},        {"concise", "jobs.py:3:28: ES102 "},
        {"json", "\"line\":3,\"col\":28"}, {"jsonl", "\"line\":3,\"col\":28"},
        {"sarif", "\"startLine\":3"},      {"github", "jobs.py,line=3,"},
        {"gitlab", "\"begin\":3"},         {"junit", "jobs.py:3:28"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        program_run run;
        RUN(&run, NULL, AUDIT, "--extract", "--format", cases[i].format, at("jobs.py"));
        assert_int_equal(run.exit_code, 1);
        if (strstr(run.out, cases[i].shown) == NULL)
            fail_msg("%s: %s", cases[i].format, run.out);
        program_free(&run);
    }
}

static void text_shows_lines_of_the_program(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--extract", at("limit.js"), at("jobs.py"));
    assert_non_null(
        strstr(run.out, " 1 | client.eval(`return redis.call('GET', '${prefix}:x')`)\n"));
    assert_non_null(strstr(run.out, " 3 |   return redis.call('GET', ARGV[1])\n"));
    assert_non_null(strstr(run.out, "jobs.py:2: undeclared  sha1 "));
    assert_non_null(strstr(run.out, "limit.js: undeclared  1 site"));
    program_free(&run);
}

static void standard_input_has_a_language_by_its_name(void **state)
{
    (void)state;
    program_run run;
    program_how how = {.input = "x = \"return redis.call('GET', KEYS[1])\""};
    RUN(&run, &how, AUDIT, "--extract", "--stdin-filename", "app/x.py", "-");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "app/x.py: declared"));
    program_free(&run);
    RUN(&run, &how, AUDIT, "--extract", "--select", "ES1", "-");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "-: no_keys  sha1 "));
    program_free(&run);
}

static void parts_of_scripts_are_notes(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--extract", "--show", "note", at("sub/Part.java"));
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "note[ES001] syntax-error: a part of a script"));
    assert_non_null(strstr(run.out, "Part.java: fragment  0 sites"));
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_in_folders_are_read_when_asked_for),
        cmocka_unit_test(holes_are_told),
        cmocka_unit_test(every_format_points_into_the_program),
        cmocka_unit_test(text_shows_lines_of_the_program),
        cmocka_unit_test(standard_input_has_a_language_by_its_name),
        cmocka_unit_test(parts_of_scripts_are_notes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
