/* docs/shard-map.md names every key, and every code that a map can get. */
#include "conf/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 64 * 1024 };

static char page[LONGEST];

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen(EVS_TEST_SOURCE_DIR "/docs/shard-map.md", "r");
    if (file == NULL)
        return -1;
    size_t len = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    return len > 0 && len < sizeof page - 1 ? 0 : -1;
}

static void check_kind(const evs__kind *kind, const char *prefix)
{
    for (size_t i = 0; i < kind->nfields; i++) {
        char row[100];
        snprintf(row, sizeof row, "\n| `%s%s` |", prefix, kind->fields[i].name);
        if (strstr(page, row) == NULL)
            fail_msg("the page has no row for %s%s", prefix, kind->fields[i].name);
    }
}

static void every_key_has_a_row(void **state)
{
    (void)state;
    check_kind(&evs__kind_top, "");
    check_kind(&evs__kind_pool, "");
    check_kind(&evs__kind_shard, "");
    check_kind(&evs__kind_connection, "");
    check_kind(&evs__kind_auth, "auth.");
    check_kind(&evs__kind_tls, "tls.");
    check_kind(&evs__kind_cluster, "cluster.");
    check_kind(&evs__kind_sentinel, "sentinels.");
    check_kind(&evs__kind_retry, "retry.");
    check_kind(&evs__kind_route, "");
}

/* Codes stand in the sources as "E204" or "W310". */
static size_t check_codes(const char *source)
{
    size_t found = 0;
    for (const char *at = source; (at = strpbrk(at, "EW")) != NULL; at++) {
        char code[5] = "";
        if (at == source || at[-1] != '"' || strspn(at + 1, "0123456789") != 3 || at[4] != '"')
            continue;
        memcpy(code, at, 4);
        found++;
        if (strstr(page, code) == NULL)
            fail_msg("the page does not explain %s", code);
    }
    return found;
}

static size_t check_folder(const char *folder)
{
    static char source[LONGEST];
    struct dirent **entries;
    char path[1024];
    size_t found = 0;
    snprintf(path, sizeof path, "%s/%s", EVS_TEST_SOURCE_DIR, folder);
    int count = scandir(path, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", EVS_TEST_SOURCE_DIR, folder, entries[i]->d_name);
        FILE *file = strstr(path, ".c") == NULL ? NULL : fopen(path, "r");
        if (file != NULL) {
            size_t len = fread(source, 1, sizeof source - 1, file);
            source[len] = '\0';
            found += check_codes(source);
            fclose(file);
        }
        free(entries[i]);
    }
    free(entries);
    return found;
}

static void every_code_is_explained(void **state)
{
    (void)state;
    assert_true(check_folder("conf") > 50);
    assert_true(check_folder("tools/evalshard") > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_a_row),
        cmocka_unit_test(every_code_is_explained),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
