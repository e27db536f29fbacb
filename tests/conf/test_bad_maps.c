/*
 * Every map in bad/ has exactly the complaints its first line names: `# expect: 7:11 E204, ...`.
 * Nothing that is said shows the password that some of them hold ("hunter2", "s3cret!").
 */
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER EVS_TEST_SOURCE_DIR "/tests/conf/bad"

enum { LONGEST = 4096 };

static void read_expectation(char *out, const char *path)
{
    static const char prefix[] = "# expect: ";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    if (fgets(out, LONGEST, file) == NULL || strncmp(out, prefix, sizeof prefix - 1) != 0)
        fail_msg("%s does not begin with \"%s\"", path, prefix);
    fclose(file);
    memmove(out, out + sizeof prefix - 1, strlen(out + sizeof prefix - 1) + 1);
    out[strcspn(out, "\n")] = '\0';
}

static void list_complaints(char *out, const evs_diagnostics *diags)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < evs_diagnostics_count(diags); i++) {
        evs_diagnostic d;
        assert_int_equal(evs_diagnostics_at(&d, diags, i, NULL), EVS_OK);
        assert_non_null(strstr(evs_diagnostics_text(diags), d.message));
        len += (size_t)snprintf(out + len, LONGEST - len, "%s%d:%d %s", i > 0 ? ", " : "", d.line,
                                d.column, d.code);
    }
}

static void check_no_secret(const char *text)
{
    assert_null(strstr(text, "hunter2"));
    assert_null(strstr(text, "s3cret!"));
}

static void check(const char *path)
{
    static char expected[LONGEST], found[LONGEST];
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err = {0};

    evs_status status = evs_shardmap_load(&map, path, &diags, &err);
    read_expectation(expected, path);
    list_complaints(found, diags);
    if (strcmp(expected, found) != 0)
        fail_msg("%s\n  expected: %s\n  found:    %s\n%s", path, expected, found,
                 evs_diagnostics_text(diags));
    assert_int_equal(status == EVS_OK, evs_diagnostics_errors(diags) == 0);
    assert_int_equal(status == EVS_OK, map != NULL);
    check_no_secret(evs_diagnostics_text(diags));
    check_no_secret(err.message);
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);
}

static int is_map(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".yaml") == 0;
}

static void every_bad_map_has_the_complaints_it_expects(void **state)
{
    (void)state;
    struct dirent **entries;
    int count = scandir(FOLDER, &entries, is_map, alphasort);
    assert_true(count > 90);
    for (int i = 0; i < count; i++) {
        char path[LONGEST];
        snprintf(path, sizeof path, "%s/%s", FOLDER, entries[i]->d_name);
        check(path);
        free(entries[i]);
    }
    free(entries);
    printf("%d maps checked\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bad_map_has_the_complaints_it_expects),
    };
    setenv("EVS_TEST_SECRET", "s3cret!", 1);
    setenv("EVS_TEST_EMPTY", "", 1);
    unsetenv("EVS_TEST_UNSET");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
