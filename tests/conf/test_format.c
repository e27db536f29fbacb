/*
 * The canonical form of maps: what changes and what does not, and that every good map there is
 * keeps meaning and comments.
 */
#include "core/mem.h"
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 64 * 1024 };

static const struct {
    const char *what, *before, *after;
} cases[] = {
    {"two blanks a level, items below their key",
     "evalshard: 1\nshards:\n    a:   h:1\n    b:\n        address: h:2\n"
     "routes:\n- prefix:  x\n  pool: default\n-   default: true\n    pool: default\n",
     "evalshard: 1\nshards:\n  a: h:1\n  b:\n    address: h:2\n"
     "routes:\n  - prefix: x\n    pool: default\n  - default: true\n    pool: default\n"},
    {"inside of brackets",
     "evalshard: 1\nshards: { a : {address:   h:1 ,weight: 2} ,b: \"h:2\"  }\n",
     "evalshard: 1\nshards: {a: {address: h:1, weight: 2}, b: \"h:2\"}\n"},
    {"brackets over lines move as their first",
     "evalshard: 1\nshards:\n      {a: h:1,   # one\n       b: h:2\n      }\n",
     "evalshard: 1\nshards:\n  {a: h:1, # one\n   b: h:2\n  }\n"},
    {"a comment alone in brackets",
     "evalshard: 1\nshards:\n    {a: h:1,\n    # of b\n     b: h:2}\n",
     "evalshard: 1\nshards:\n  {a: h:1,\n  # of b\n   b: h:2}\n"},
    {"a dash alone",
     "evalshard: 1\nshards: {a: h:1}\nroutes:\n  -\n    # all\n    default: true\n    pool: "
     "default\n",
     "evalshard: 1\nshards: {a: h:1}\nroutes:\n  -\n    # all\n    default: true\n    pool: "
     "default\n"},
    {"comments stay with their lines, those of neighbours below each other",
     "#top\nevalshard: 1     # one\ngeneration: 12 # two\n\n\n\n"
     "shards:\n      # of a\n      a: h:1\n      # behind the last\n# at the end\n\n\n",
     "#top\nevalshard: 1   # one\ngeneration: 12 # two\n\n"
     "shards:\n  # of a\n  a: h:1\n  # behind the last\n# at the end\n"},
    {"texts stay as they are",
     "evalshard: 1\nshards:\n    a:\n        address: h:1\n        note: \"two   # no comment\n"
     "          lines,  and\\  \\\n          more\"\n        ring_name: 'it''s  {x: 1}'\n",
     "evalshard: 1\nshards:\n  a:\n    address: h:1\n    note: \"two   # no comment\n"
     "      lines,  and\\  \\\n      more\"\n    ring_name: 'it''s  {x: 1}'\n"},
    {"blocks of text move as a whole",
     "evalshard: 1\nshards:\n    a:\n        address: h:1\n        note: >-\n            one\n"
     "            # two\n        weight: 1\n",
     "evalshard: 1\nshards:\n  a:\n    address: h:1\n    note: >-\n        one\n"
     "        # two\n    weight: 1\n"},
    {"a byte order mark and carriage returns go",
     "\xef\xbb\xbf"
     "evalshard: 1\r\nshards: {a: h:1}   \r\n",
     "evalshard: 1\nshards: {a: h:1}\n"},
    {"no line end at the end", "evalshard: 1\nshards: {a: h:1}",
     "evalshard: 1\nshards: {a: h:1}\n"},
    {"JSON is YAML", "{\"evalshard\":1,\"shards\":{\"a\":\"h:1\"}}",
     "{\"evalshard\": 1, \"shards\": {\"a\": \"h:1\"}}\n"},
    {"characters, not bytes, are columns",
     "evalshard: 1\nshards:\n  a: {address: h:1, note: grüße} # ä\n  b: {address: h:2, note: "
     "gruesse} # b\n",
     "evalshard: 1\nshards:\n  a: {address: h:1, note: grüße}   # ä\n"
     "  b: {address: h:2, note: gruesse} # b\n"},
    {"directives and the marks of a document",
     "%YAML 1.2\n---\nevalshard:  1\nshards: {a: h:1}\n...\n",
     "%YAML 1.2\n---\nevalshard: 1\nshards: {a: h:1}\n...\n"},
    {"what stood at the margin below a list stays there",
     "evalshard: 1\nshards: {a: h:1}\nroutes:\n- default: true\n  pool: default\n# end\n",
     "evalshard: 1\nshards: {a: h:1}\nroutes:\n  - default: true\n    pool: default\n# end\n"},
    {"an empty value", "evalshard: 1\ndefaults:\n    # nothing yet\nshards: {a: h:1}\n",
     "evalshard: 1\ndefaults:\n  # nothing yet\nshards: {a: h:1}\n"},
};

static char *format(const char *text, size_t len, const char *what)
{
    char *made = NULL;
    evs_error err;
    if (evs_shardmap_format(&made, (evs_bytes){text, len}, what, NULL, &err) != EVS_OK)
        fail_msg("%s: %s", what, err.message);
    return made;
}

static void check_again(const char *made, const char *what)
{
    char *again = format(made, strlen(made), what);
    if (strcmp(made, again) != 0)
        fail_msg("%s: formatted again it is\n%s", what, again);
    evs_text_free(again);
}

static void maps_get_their_canonical_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *made = format(cases[i].before, strlen(cases[i].before), cases[i].what);
        if (strcmp(made, cases[i].after) != 0)
            fail_msg("%s:\n%s", cases[i].what, made);
        check_again(made, cases[i].what);
        evs_text_free(made);
    }
}

/* ---- every good map ---- */

static uint64_t fingerprint(const char *text, size_t len)
{
    evs_shardmap *map;
    evs_error err;
    if (evs_shardmap_parse_bare(&map, (evs_bytes){text, len}, "x", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    uint64_t number = evs_shardmap_fingerprint(map) ^ evs_shardmap_generation(map);
    evs_shardmap_free(map);
    return number;
}

/* All that is no blank: nothing else may change, comments included. */
static size_t squeeze(char *out, const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0')
            out[n++] = text[i];
    }
    return n;
}

static int check_file(const char *path)
{
    static char text[LONGEST], before[LONGEST], after[LONGEST];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    evs_shardmap *map = NULL;
    evs_status status = evs_shardmap_parse_bare(&map, (evs_bytes){text, len}, "x", NULL, NULL);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        return 0;
    char *made = format(text, len, path);
    assert_int_equal(fingerprint(text, len), fingerprint(made, strlen(made)));
    size_t nbefore = squeeze(before, text, len), nafter = squeeze(after, made, strlen(made));
    size_t mark = nbefore >= 3 && memcmp(before, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    assert_int_equal(nbefore - mark, nafter);
    assert_memory_equal(before + mark, after, nafter);
    check_again(made, path);
    evs_text_free(made);
    return 1;
}

static int check_folder(const char *folder)
{
    struct dirent **entries;
    char path[1024];
    int good = 0;
    snprintf(path, sizeof path, "%s/%s", EVS_TEST_SOURCE_DIR, folder);
    int count = scandir(path, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", EVS_TEST_SOURCE_DIR, folder, entries[i]->d_name);
        if (strstr(entries[i]->d_name, ".yaml") != NULL)
            good += check_file(path);
        free(entries[i]);
    }
    free(entries);
    return good;
}

static void every_good_map_stays_the_same(void **state)
{
    (void)state;
    int good = check_folder("tests/conf/good") + check_folder("conf/examples") +
               check_folder("tests/tools/maps") + check_folder("tests/conf/bad");
    printf("%d maps formatted\n", good);
    assert_true(good > 30);
}

static void a_map_with_errors_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "evalshard: 1\n", "evalshard: 1\nshards: {a: h:1\n",
                                        "evalshard: 1\nshards: {a: x}\n",
                                        "evalshard: 1\nshards: {a: h:1}\nshards: {a: h:1}\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *made = NULL;
        evs_diagnostics *diags = NULL;
        assert_int_not_equal(evs_shardmap_format(&made, evs_text(wrong[i]), "x", &diags, NULL),
                             EVS_OK);
        assert_null(made);
        assert_true(evs_diagnostics_errors(diags) > 0);
        evs_diagnostics_free(diags);
    }
    char *made = NULL;
    const char *breaks = "evalshard: 1 # one\xc2\x85shards: {a: h:1}\n";
    assert_int_equal(evs_shardmap_format(&made, evs_text(breaks), "x", NULL, NULL), EVS_E_INVALID);
}

static void a_failing_allocation_is_a_status(void **state)
{
    (void)state;
    evs_status status;
    size_t n = 0;
    do {
        char *made = NULL;
        evs__mem_fail_at(++n);
        status = evs_shardmap_format(&made, evs_text(cases[4].before), "x", NULL, NULL);
        evs__mem_fail_at(0);
        assert_int_equal(status == EVS_OK, made != NULL);
        evs_text_free(made);
    } while (status == EVS_E_NOMEM && n < 1000);
    assert_int_equal(status, EVS_OK);
    assert_in_range(n, 10, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_get_their_canonical_form),
        cmocka_unit_test(every_good_map_stays_the_same),
        cmocka_unit_test(a_map_with_errors_is_refused),
        cmocka_unit_test(a_failing_allocation_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
