/*
 * The command script-audit: exit codes, what it writes and where.
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

/* good.lua, bad.lua, derived.lua, sub/broken.lua, sub/other.txt */
static char folder[64];

static char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *const files[] = {"good.lua", "bad.lua", "derived.lua", "sub/broken.lua",
                                    "sub/other.txt"};

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/script-audit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(at("sub"), 0700), 0);
    write_file("good.lua", "return redis.call('GET', KEYS[1])\n");
    write_file("bad.lua", "return redis.call('GET', ARGV[1])\n");
    write_file("derived.lua", "return redis.call('GET', KEYS[1] .. ':x')\n");
    write_file("sub/broken.lua", "return (\n");
    write_file("sub/other.txt", "return (\n");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(at(files[i]));
    rmdir(at("sub"));
    return rmdir(folder);
}

static void exit_codes_say_what_was_found(void **state)
{
    (void)state;
    static const struct {
        const char *option, *file;
        int exit_code;
    } cases[] = {
        {"--fail-on=error", "good.lua", 0},     {"--fail-on=error", "bad.lua", 1},
        {"--fail-on=error", "derived.lua", 0},  {"--fail-on=warning", "derived.lua", 1},
        {"--fail-on=note", "good.lua", 0},      {"--fail-on=never", "bad.lua", 0},
        {"--format=json", "sub/broken.lua", 1}, {"--fail-on=sometimes", "good.lua", 2},
        {"--format=xml", "good.lua", 2},        {"--fail-on=never", "missing.lua", 3},
        {"--format=text", "missing.lua", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        program_run run;
        RUN(&run, NULL, AUDIT, cases[i].option, at(cases[i].file));
        if (run.exit_code != cases[i].exit_code)
            fail_msg("%s %s: %d", cases[i].option, cases[i].file, run.exit_code);
        assert_int_equal(run.err_len > 0, cases[i].exit_code >= 2);
        program_free(&run);
    }
}

static void what_cannot_be_read_weighs_more_than_findings(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, at("bad.lua"), at("missing.lua"));
    assert_int_equal(run.exit_code, 3);
    assert_non_null(strstr(run.out, "ES102"));
    assert_non_null(strstr(run.err, "missing.lua: No such file or directory"));
    program_free(&run);
}

static void folders_are_read_in_order(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--format", "json", folder);
    json_t *all = json_loads(run.out, 0, NULL);
    const char *paths[4];
    assert_non_null(all);
    assert_int_equal(json_unpack(all, "{s:[{s:s},{s:s},{s:s},{s:s}!]}", "scripts", "path",
                                 &paths[0], "path", &paths[1], "path", &paths[2], "path",
                                 &paths[3]),
                     0);
    assert_string_equal(paths[0], at("bad.lua"));
    assert_string_equal(paths[1], at("derived.lua"));
    assert_string_equal(paths[2], at("good.lua"));
    assert_string_equal(paths[3], at("sub/broken.lua"));
    json_decref(all);
    program_free(&run);
}

static void standard_input_is_a_script(void **state)
{
    (void)state;
    program_run run;
    program_how how = {.input = "return redis.call('GET', 'x')"};
    RUN(&run, &how, AUDIT, "-");
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(run.out, "--> -:1:26\n"));
    program_free(&run);
}

static void colours_follow_terminal_option_and_environment(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *setting;
        int on_terminal, coloured;
    } cases[] = {
        {"--color=auto", NULL, 0, 0},         {"--color=auto", "TERM=xterm", 1, 1},
        {"--color=auto", "NO_COLOR=1", 1, 0}, {"--color=never", "TERM=xterm", 1, 0},
        {"--color=always", NULL, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        program_run run;
        program_how how = {.settings = {cases[i].setting}, .on_terminal = cases[i].on_terminal};
        RUN(&run, &how, AUDIT, cases[i].option, at("bad.lua"));
        if ((strchr(run.out, '\033') != NULL) != cases[i].coloured)
            fail_msg("case %zu", i);
        program_free(&run);
    }
}

static void usage_errors_help(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--formt", "json");
    assert_int_equal(run.exit_code, 2);
    assert_non_null(strstr(run.err, "did you mean --format?"));
    program_free(&run);
    RUN(&run, NULL, AUDIT);
    assert_int_equal(run.exit_code, 2);
    assert_non_null(strstr(run.err, "no PATH given"));
    program_free(&run);
    RUN(&run, NULL, AUDIT, "--format");
    assert_int_equal(run.exit_code, 2);
    assert_non_null(strstr(run.err, "--format needs a value"));
    program_free(&run);
}

static void rules_are_explained(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--explain", "ES102");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "ES102 undeclared-key-argument (error)\n"));
    assert_non_null(strstr(run.out, "    return redis.call('LLEN', KEYS[1])\n"));
    program_free(&run);
    RUN(&run, NULL, AUDIT, "--explain", "ES999");
    assert_int_equal(run.exit_code, 2);
    program_free(&run);
    RUN(&run, NULL, AUDIT, "--explain");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "ES001  error    syntax-error\n"));
    program_free(&run);
}

static void help_and_version_go_to_standard_output(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, AUDIT, "--help");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "usage: script-audit"));
    program_free(&run);
    RUN(&run, NULL, AUDIT, "--version");
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(strncmp(run.out, "script-audit 0.", 15), 0);
    program_free(&run);
}

static void a_full_disk_is_no_success(void **state)
{
    (void)state;
    program_run run;
    char command[256];
    snprintf(command, sizeof command, "'%s/" AUDIT "' '%s' > /dev/full", EVS_TEST_BINARY_DIR,
             at("good.lua"));
    RUN(&run, NULL, "/bin/sh", "-c", command);
    assert_int_equal(run.exit_code, 3);
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_say_what_was_found),
        cmocka_unit_test(what_cannot_be_read_weighs_more_than_findings),
        cmocka_unit_test(folders_are_read_in_order),
        cmocka_unit_test(standard_input_is_a_script),
        cmocka_unit_test(colours_follow_terminal_option_and_environment),
        cmocka_unit_test(usage_errors_help),
        cmocka_unit_test(rules_are_explained),
        cmocka_unit_test(help_and_version_go_to_standard_output),
        cmocka_unit_test(a_full_disk_is_no_success),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
