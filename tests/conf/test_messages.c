/*
 * The full text that people see: golden/NAME.yaml, read as shards.yml, gives golden/NAME.txt.
 */
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define FOLDER EVS_TEST_SOURCE_DIR "/tests/conf/golden/"

enum { LONGEST = 64 * 1024 };

static size_t read_file(char *out, const char *name, const char *extension)
{
    char path[1024];
    snprintf(path, sizeof path, "%s%s%s", FOLDER, name, extension);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(out, 1, LONGEST - 1, file);
    fclose(file);
    out[len] = '\0';
    return len;
}

/* The same of a map that has warnings alone. */
static void check_usable(const char *name)
{
    static char yaml[LONGEST], expected[LONGEST];
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    size_t len = read_file(yaml, name, ".yaml");
    read_file(expected, name, ".txt");
    assert_int_equal(evs_shardmap_parse(&map, (evs_bytes){yaml, len}, "shards.yml", &diags, NULL),
                     EVS_OK);
    assert_string_equal(evs_diagnostics_text(diags), expected);
    evs_diagnostics_free(diags);
    evs_shardmap_free(map);
}

static void check(const char *name)
{
    static char yaml[LONGEST], expected[LONGEST];
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err = {0};
    size_t len = read_file(yaml, name, ".yaml");
    read_file(expected, name, ".txt");
    assert_int_not_equal(
        evs_shardmap_parse(&map, (evs_bytes){yaml, len}, "shards.yml", &diags, &err), EVS_OK);
    assert_null(map);
    assert_string_equal(evs_diagnostics_text(diags), expected);
    evs_diagnostics_free(diags);
}

static void messages_show_place_line_caret_and_hint(void **state)
{
    (void)state;
    check("content");
    check("placement");
    check_usable("warnings");
    check_usable("addresses");
}

static void syntax_errors_name_the_real_mistake(void **state)
{
    (void)state;
    check("tab");
    check("space");
    check("quote");
    check("anchor");
}

static void long_lines_are_cut_around_the_caret(void **state)
{
    (void)state;
    check("wide");
}

static void more_than_twenty_errors_are_counted(void **state)
{
    (void)state;
    check("many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_show_place_line_caret_and_hint),
        cmocka_unit_test(syntax_errors_name_the_real_mistake),
        cmocka_unit_test(long_lines_are_cut_around_the_caret),
        cmocka_unit_test(more_than_twenty_errors_are_counted),
    };
    unsetenv("LEDGER3_PASSWORD");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
