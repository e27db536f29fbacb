/* evalshard fmt on files: what is printed, what is written, what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/program.h"

static const char EVALSHARD[] = "tools/evalshard";
static const char UNTIDY[] = "evalshard:   1\nshards: { a: h:1 }\n";
static const char TIDY[] = "evalshard: 1\nshards: {a: h:1}\n";
static const char BROKEN[] = "evalshard:   1\nshards: { a: h:1 \n";

static char folder[] = "/tmp/evs-fmt-XXXXXX";
static char map[64], other[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(map, sizeof map, "%s/map.yaml", folder);
    snprintf(other, sizeof other, "%s/other.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(map);
    unlink(other);
    return rmdir(folder); /* nothing else may be left */
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *path, const char *text)
{
    char found[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(found, text);
}

static void it_prints_and_leaves_the_file_alone(void **state)
{
    (void)state;
    program_run run;
    const program_how how = {.input = UNTIDY};
    put(map, UNTIDY);
    RUN(&run, NULL, EVALSHARD, "fmt", map);
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.out, TIDY);
    program_free(&run);
    assert_file(map, UNTIDY);
    RUN(&run, &how, EVALSHARD, "fmt", "-");
    assert_string_equal(run.out, TIDY);
    program_free(&run);
}

static void check_names_what_would_change(void **state)
{
    (void)state;
    program_run run;
    put(map, UNTIDY);
    put(other, TIDY);
    RUN(&run, NULL, EVALSHARD, "fmt", "--check", other, map);
    assert_int_equal(run.exit_code, 1);
    assert_int_equal(run.out_len, strlen(map) + 1);
    assert_memory_equal(run.out, map, strlen(map));
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "fmt", "--check", other);
    assert_int_equal(run.exit_code, 0);
    program_free(&run);
}

static void writing_keeps_mode_and_links(void **state)
{
    (void)state;
    program_run run;
    struct stat about;
    put(other, UNTIDY);
    assert_int_equal(chmod(other, 0640), 0);
    assert_int_equal(symlink("other.yaml", map), 0);
    RUN(&run, NULL, EVALSHARD, "fmt", "-w", map);
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(run.out_len, 0);
    program_free(&run);
    assert_file(other, TIDY);
    assert_int_equal(lstat(map, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(stat(other, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0640);
    ino_t before = about.st_ino;
    RUN(&run, NULL, EVALSHARD, "fmt", "-w", map);
    program_free(&run);
    assert_int_equal(stat(other, &about), 0);
    assert_int_equal(about.st_ino, before); /* nothing to write */
}

static void a_file_with_errors_is_left_alone(void **state)
{
    (void)state;
    program_run run;
    put(map, BROKEN);
    put(other, UNTIDY);
    RUN(&run, NULL, EVALSHARD, "fmt", "-w", map, other);
    assert_int_equal(run.exit_code, 2);
    assert_non_null(strstr(run.err, "map.yaml:2:9: error[E104]"));
    assert_non_null(strstr(run.err, "is left alone"));
    program_free(&run);
    assert_file(map, BROKEN);
    assert_file(other, TIDY);
}

static void words_and_files_can_be_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        int code;
        const char *part;
    } cases[] = {
        {{NULL}, 2, "no files"},
        {{"--check", "-w", "x"}, 2, "--check goes without --write"},
        {{"a", "b"}, 2, "several files"},
        {{"-w", "-"}, 2, "cannot be written"},
        {{"/nowhere/map.yaml"}, 3, "cannot read /nowhere/map.yaml"},
        {{"/tmp"}, 3, "cannot read /tmp"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *argv[8] = {EVALSHARD, "fmt"};
        program_run run;
        memcpy(argv + 2, cases[i].words, sizeof cases[i].words);
        program_run_it(&run, NULL, argv);
        if (run.exit_code != cases[i].code || strstr(run.err, cases[i].part) == NULL)
            fail_msg("%s: %d, %s", cases[i].part, run.exit_code, run.err);
        assert_int_equal(run.out_len, 0);
        program_free(&run);
    }
}

static void the_examples_are_in_their_canonical_form(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, "/bin/sh", "-c", "\"$0\" fmt --check \"$1\"/*.yaml",
        EVS_TEST_BINARY_DIR "/tools/evalshard", EVS_TEST_SOURCE_DIR "/conf/examples");
    if (run.exit_code != 0)
        fail_msg("%s%s", run.out, run.err);
    program_free(&run);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(it_prints_and_leaves_the_file_alone),
        IN_FOLDER(check_names_what_would_change),
        IN_FOLDER(writing_keeps_mode_and_links),
        IN_FOLDER(a_file_with_errors_is_left_alone),
        cmocka_unit_test(words_and_files_can_be_wrong),
        cmocka_unit_test(the_examples_are_in_their_canonical_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
