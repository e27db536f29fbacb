/* Names to scripts: loading from memory, from folders and from the library itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "scripts/shipped.h"

#include <evalshard/script.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define DECLARED    "return redis.call('GET', KEYS[1])"
#define DERIVED     "return redis.call('GET', KEYS[1] .. ':more')"
#define UNPROVEN                                      \
    "local pick = {KEYS[1], cjson.decode(ARGV[1])}\n" \
    "return redis.call('GET', pick[tonumber(ARGV[2])])"
#define TEN "0123456789"

static evs_registry *make(evs_audit_policy policy)
{
    evs_registry_options opts = EVS_REGISTRY_OPTIONS_INIT;
    evs_registry *registry;
    opts.policy = policy;
    assert_int_equal(evs_registry_new(&registry, &opts, NULL), EVS_OK);
    return registry;
}

static void load(evs_registry *registry, const char *name, const char *source)
{
    evs_error err;
    if (evs_script_load(registry, name, evs_text(source), NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static const struct {
    const char *name;
    evs_status status;
} names[] = {
    {"a", EVS_OK},
    {"7", EVS_OK},
    {"create_status", EVS_OK},
    {"book/create-status.v2", EVS_OK},
    {"a/b/c/d", EVS_OK},
    {TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN, EVS_OK},
    {TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0", EVS_E_INVALID},
    {"", EVS_E_INVALID},
    {NULL, EVS_E_INVALID},
    {"/a", EVS_E_INVALID},
    {"a/", EVS_E_INVALID},
    {"a//b", EVS_E_INVALID},
    {".a", EVS_E_INVALID},
    {"a.", EVS_E_INVALID},
    {"_a", EVS_E_INVALID},
    {"../a", EVS_E_INVALID},
    {"a b", EVS_E_INVALID},
    {"a\nb", EVS_E_INVALID},
    {"caf\xc3\xa9", EVS_E_INVALID},
    {"a\\b", EVS_E_INVALID},
};

static void names_are_letters_digits_and_some_signs_between(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    size_t count = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        evs_error err = {0};
        evs_status status = evs_script_load(registry, names[i].name, evs_text("return 1"), NULL,
                                            &err);
        if (status != names[i].status || err.status != status || strchr(err.message, '\n') != NULL)
            fail_msg("%s: %d %s", names[i].name, status, err.message);
        count += status == EVS_OK;
        assert_int_equal(evs_registry_count(registry), count);
    }
    evs_registry_free(registry);
}

static void a_name_is_taken_once(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err;
    load(registry, "a", "return 1");
    assert_int_equal(evs_script_load(registry, "a", evs_text("return 2"), NULL, &err),
                     EVS_E_INVALID);
    assert_string_equal(err.message, "script a is loaded already");
    assert_string_equal(err.script, "a");
    assert_int_equal(evs_registry_count(registry), 1);
    assert_memory_equal(evs_script_source(evs_script_find(registry, "a")).data, "return 1", 8);
    evs_registry_free(registry);
}

static void scripts_are_found_by_name_and_by_order(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    load(registry, "b", "return 1");
    load(registry, "a", "return 1");
    assert_string_equal(evs_script_name(evs_registry_at(registry, 0)), "b");
    assert_string_equal(evs_script_name(evs_registry_at(registry, 1)), "a");
    assert_null(evs_registry_at(registry, 2));
    assert_ptr_equal(evs_script_find(registry, "a"), evs_registry_at(registry, 1));
    assert_null(evs_script_find(registry, "c"));
    assert_null(evs_script_find(registry, NULL));
    evs_registry_free(registry);
}

static void scripts_stay_where_they_are(void **state)
{
    (void)state;
    enum { MANY = 500 };
    evs_registry *registry = make(EVS_AUDIT_OFF);
    const evs_script *scripts[MANY];
    char name[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "s%d", i);
        load(registry, name, "return 1");
        scripts[i] = evs_script_find(registry, name);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_ptr_equal(evs_script_find(registry, name), scripts[i]);
        assert_ptr_equal(evs_registry_at(registry, (size_t)i), scripts[i]);
        assert_string_equal(evs_script_name(scripts[i]), name);
    }
    evs_registry_free(registry);
}

static const struct {
    const char *name, *first, *second;
} alike[] = {
    {"lock/aquire", "lock/acquire", NULL},
    {"lock/release2", "lock/release", NULL},
    {"acquire", "lock/acquire", "semaphore/acquire"},
    {"refresh", "semaphore/refresh", NULL},
    {"Lock/Release", "lock/release", NULL},
    {"creat_status", "create_status", "book/create_status"},
    {"create_status", "create_status", "book/create_status"},
    {"xyz", NULL, NULL},
    {"", NULL, NULL},
    {NULL, NULL, NULL},
};

static void similar_names_are_suggested(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    assert_int_equal(evs_script_load_shipped(registry, NULL), EVS_OK);
    for (size_t i = 0; i < COUNT(alike); i++) {
        const char *out[2] = {NULL, NULL};
        size_t count = evs_registry_similar(registry, alike[i].name, out);
        size_t expected = (alike[i].first != NULL) + (size_t)(alike[i].second != NULL);
        if (count != expected)
            fail_msg("%s: %zu names, %s %s", alike[i].name, count, out[0], out[1]);
        if (count > 0)
            assert_string_equal(out[0], alike[i].first);
        if (count > 1)
            assert_string_equal(out[1], alike[i].second);
    }
    evs_registry_free(registry);
}

static void the_policy_of_the_registry_is_asked(void **state)
{
    (void)state;
    static const evs_audit_policy policies[] = {EVS_AUDIT_OFF, EVS_AUDIT_WARN, EVS_AUDIT_DENY};
    for (size_t i = 0; i < COUNT(policies); i++) {
        evs_registry *registry = make(policies[i]);
        evs_status expected = policies[i] == EVS_AUDIT_DENY ? EVS_E_AUDIT : EVS_OK;
        load(registry, "good", DECLARED);
        assert_int_equal(evs_script_load(registry, "bad", evs_text(DERIVED), NULL, NULL), expected);
        assert_int_equal(evs_script_find(registry, "bad") == NULL, expected != EVS_OK);
        evs_registry_free(registry);
    }
}

static void a_reason_lets_unproven_keys_pass(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_DENY);
    evs_script_options opts = EVS_SCRIPT_OPTIONS_INIT;
    evs_bytes source = evs_text(UNPROVEN);
    assert_int_equal(evs_script_load(registry, "a", source, &opts, NULL), EVS_E_AUDIT);
    opts.allow_unproven = "the index is always 1";
    assert_int_equal(evs_script_load(registry, "a", source, &opts, NULL), EVS_OK);
    evs_registry_free(registry);
}

static void without_options_the_policy_is_warn(void **state)
{
    (void)state;
    evs_registry *registry;
    evs_registry_options unset = {0};
    assert_int_equal(evs_registry_new(&registry, NULL, NULL), EVS_OK);
    load(registry, "bad", DERIVED);
    assert_int_equal(evs_report_verdict(evs_script_report(evs_script_find(registry, "bad"))),
                     EVS_VERDICT_DERIVED);
    evs_script_options none = {0};
    assert_int_equal(evs_script_load(registry, "a", evs_text(DECLARED), &none, NULL),
                     EVS_E_INVALID);
    evs_registry_free(registry);
    assert_int_equal(evs_registry_new(&registry, &unset, NULL), EVS_E_INVALID);
}

static void what_is_faulty_is_not_loaded(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_OFF);
    evs_error err;
    assert_int_equal(evs_script_load(registry, "a", evs_text("return ("), NULL, &err),
                     EVS_E_COMPILE);
    assert_int_equal(err.line, 1);
    assert_int_equal(evs_script_load(registry, "a", evs_text("-- @key a"), NULL, &err),
                     EVS_E_INVALID);
    assert_int_equal(evs_registry_count(registry), 0);
    load(registry, "a", "return 1");
    evs_registry_free(registry);
}

static void text_may_hold_any_bytes(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_bytes source = {"return 'a\0b'", 12};
    assert_int_equal(evs_script_load(registry, "a", source, NULL, NULL), EVS_OK);
    evs_bytes kept = evs_script_source(evs_script_find(registry, "a"));
    assert_int_equal(kept.len, 12);
    assert_memory_equal(kept.data, source.data, 12);
    evs_registry_free(registry);
}

static void what_ships_is_loaded_but_for_what_deny_refuses(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    assert_true(evs__shipped_count >= 7);
    assert_int_equal(evs_script_load_shipped(registry, NULL), EVS_OK);
    assert_int_equal(evs_registry_count(registry), evs__shipped_count);
    assert_int_equal(evs_script_load_shipped(registry, NULL), EVS_E_INVALID);
    evs_registry_free(registry);

    registry = make(EVS_AUDIT_DENY);
    evs_error err = {0};
    assert_int_equal(evs_script_load_shipped(registry, &err), EVS_OK);
    assert_int_equal(err.status, EVS_OK);
    assert_int_equal(evs_registry_count(registry), evs__shipped_count - 1);
    assert_null(evs_script_find(registry, "book/create_status"));
    assert_non_null(evs_script_find(registry, "create_status"));
    evs_registry_free(registry);
}

/* ---- folders ---- */

static char folder[64];

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/evs-registry-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *below(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(below(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static void put_folder(const char *name)
{
    assert_int_equal(mkdir(below(name), 0700), 0);
}

static void put_link(const char *name, const char *target)
{
    assert_int_equal(symlink(target, below(name)), 0);
}

static void assert_loads(const char *expected)
{
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err;
    char text[512] = "";
    if (evs_script_load_folder(registry, folder, &err) != EVS_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < evs_registry_count(registry); i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
                 evs_script_name(evs_registry_at(registry, i)));
    assert_string_equal(text, expected);
    evs_registry_free(registry);
}

/* The message begins with the path of `name`; scripts before it stay. */
static void assert_fails(const char *name, evs_status expected, const char *rest, size_t stay)
{
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err = {0};
    char message[600];
    evs_status status = evs_script_load_folder(registry, folder, &err);
    snprintf(message, sizeof message, "%s%s", below(name), rest);
    if (status != expected || strncmp(err.message, message, strlen(message)) != 0)
        fail_msg("%d %s\nexpected %s", status, err.message, message);
    assert_int_equal(evs_registry_count(registry), stay);
    evs_registry_free(registry);
}

static void a_folder_is_loaded_in_order_of_name(void **state)
{
    (void)state;
    put_folder("lock");
    put_folder("lock/deep");
    put("zebra.lua", "return 1");
    put("lock/release.lua", DECLARED);
    put("lock/deep/one.lua", "return 1");
    put("apple.lua", "return 1");
    put("apple-tree.lua", "return 1");
    put("README.md", "no script");
    put("lua", "no script");
    assert_loads("apple apple-tree lock/deep/one lock/release zebra ");
    snprintf(folder + strlen(folder), sizeof folder - strlen(folder), "//");
    assert_loads("apple apple-tree lock/deep/one lock/release zebra ");
}

static void an_empty_folder_is_fine(void **state)
{
    (void)state;
    assert_loads("");
}

static void hidden_names_are_left_out(void **state)
{
    (void)state;
    put_folder(".git");
    put(".git/a.lua", "return (");
    put(".b.lua", "return (");
    put(".lua", "return (");
    put("c.lua", "return 1");
    assert_loads("c ");
}

static void links_to_files_are_read_and_to_folders_are_not_entered(void **state)
{
    (void)state;
    put_folder("real");
    put("real/a.lua", "return 1");
    put_link("link.lua", "real/a.lua");
    put_link("circle", ".");
    put_link("circle.lua", ".");
    put_link("real/up", "..");
    assert_loads("link real/a ");
}

static void a_file_named_in_vain_is_said(void **state)
{
    (void)state;
    put("a.lua", "return 1");
    put_link("b.lua", "nowhere");
    assert_fails("b.lua", EVS_E_INVALID, ": No such file", 1);
}

static void a_pipe_is_no_script_and_does_not_block(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(below("p.lua"), 0600), 0);
    assert_fails("p.lua", EVS_E_INVALID, ": not a file", 0);
}

static void a_file_too_large_is_refused(void **state)
{
    (void)state;
    put("big.lua", "");
    assert_int_equal(truncate(below("big.lua"), 17 * 1024 * 1024), 0);
    assert_fails("big.lua", EVS_E_INVALID, ": larger than 16777216 bytes", 0);
}

static void a_folder_too_deep_is_refused(void **state)
{
    (void)state;
    char name[512] = "d";
    for (int i = 0; i < 40; i++) {
        put_folder(name);
        strcat(name, "/d");
    }
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err;
    assert_int_equal(evs_script_load_folder(registry, folder, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "more than 32 folders deep"));
    evs_registry_free(registry);
}

static void errors_name_the_file(void **state)
{
    (void)state;
    put("a.lua", "return 1");
    put("b.lua", "--- S.\n-- @kee a\nreturn 1");
    put("c.lua", "return 1");
    assert_fails("b.lua", EVS_E_INVALID, ":2:4: unknown tag @kee", 1);
    put("b.lua", "local a\nreturn (");
    assert_fails("b.lua", EVS_E_COMPILE, ":2:", 1);
    assert_int_equal(remove(below("b.lua")), 0);
    put("b b.lua", "return 1");
    assert_fails("b b.lua", EVS_E_INVALID, ": \"b b\" is no name of a script", 1);
}

static void deny_names_the_file_too(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_DENY);
    evs_error err;
    char message[600];
    put("a.lua", DERIVED);
    assert_int_equal(evs_script_load_folder(registry, folder, &err), EVS_E_AUDIT);
    snprintf(message, sizeof message, "%s:1:26: ES104 ", below("a.lua"));
    assert_memory_equal(err.message, message, strlen(message));
    assert_string_equal(err.script, "a");
    evs_registry_free(registry);
}

static void a_name_taken_from_memory_is_said(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err;
    load(registry, "a", "return 1");
    put("a.lua", "return 1");
    assert_int_equal(evs_script_load_folder(registry, folder, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "/a.lua: script a is loaded already"));
    evs_registry_free(registry);
}

static void a_missing_folder_is_said(void **state)
{
    (void)state;
    evs_registry *registry = make(EVS_AUDIT_WARN);
    evs_error err;
    assert_int_equal(evs_script_load_folder(registry, below("none"), &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "/none: No such file"));
    assert_int_equal(evs_script_load_folder(registry, NULL, &err), EVS_E_INVALID);
    assert_int_equal(evs_script_load_folder(registry, "", &err), EVS_E_INVALID);
    evs_registry_free(registry);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    put_folder("sub");
    put("sub/b.lua", "--- S.\n-- @key a\n" DECLARED);
    put("a.lua", DERIVED);
    size_t fail_at = 0;
    evs_status status;
    do {
        evs_registry *registry = NULL;
        evs__mem_fail_at(++fail_at);
        status = evs_registry_new(&registry, NULL, NULL);
        if (status == EVS_OK)
            status = evs_script_load_folder(registry, folder, NULL);
        evs__mem_fail_at(0);
        assert_true(status == EVS_OK || status == EVS_E_NOMEM);
        for (size_t i = 0; registry != NULL && i < evs_registry_count(registry); i++) {
            const evs_script *script = evs_registry_at(registry, i);
            assert_ptr_equal(evs_script_find(registry, evs_script_name(script)), script);
        }
        evs_registry_free(registry);
    } while (status != EVS_OK);
    assert_true(fail_at > 10);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_letters_digits_and_some_signs_between),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(scripts_are_found_by_name_and_by_order),
        cmocka_unit_test(scripts_stay_where_they_are),
        cmocka_unit_test(similar_names_are_suggested),
        cmocka_unit_test(the_policy_of_the_registry_is_asked),
        cmocka_unit_test(a_reason_lets_unproven_keys_pass),
        cmocka_unit_test(without_options_the_policy_is_warn),
        cmocka_unit_test(what_is_faulty_is_not_loaded),
        cmocka_unit_test(text_may_hold_any_bytes),
        cmocka_unit_test(what_ships_is_loaded_but_for_what_deny_refuses),
        IN_FOLDER(a_folder_is_loaded_in_order_of_name),
        IN_FOLDER(an_empty_folder_is_fine),
        IN_FOLDER(hidden_names_are_left_out),
        IN_FOLDER(links_to_files_are_read_and_to_folders_are_not_entered),
        IN_FOLDER(a_file_named_in_vain_is_said),
        IN_FOLDER(a_pipe_is_no_script_and_does_not_block),
        IN_FOLDER(a_file_too_large_is_refused),
        IN_FOLDER(a_folder_too_deep_is_refused),
        IN_FOLDER(errors_name_the_file),
        IN_FOLDER(deny_names_the_file_too),
        IN_FOLDER(a_name_taken_from_memory_is_said),
        IN_FOLDER(a_missing_folder_is_said),
        IN_FOLDER(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
