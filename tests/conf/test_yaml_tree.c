/* The tree of a YAML text: kinds, places, keys, what is a secret. */
#include "conf/yaml_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct reading {
    evs__arena arena;
    evs_diagnostics *diags;
    const evs__yaml *root;
} reading;

static reading read_text(const char *text)
{
    reading r = {.arena = EVS__ARENA_INIT};
    r.diags = evs__diagnostics_new("t.yaml", evs_text(text));
    assert_non_null(r.diags);
    r.root = evs__yaml_read(&r.arena, evs_text(text), r.diags);
    return r;
}

static void done(reading *r)
{
    evs_diagnostics_free(r->diags);
    evs__arena_free(&r->arena);
}

static void nodes_know_what_and_where_they_are(void **state)
{
    (void)state;
    reading r = read_text("a: 1\nlist:\n  - x\n  - 'y'\nmap: {k: , m: ~}\n");
    const evs__yaml *a = r.root->first, *list = a->next, *map = list->next;
    assert_int_equal(r.root->kind, EVS__YAML_MAP);
    assert_int_equal(r.root->count, 3);
    assert_string_equal(a->key->text.data, "a");
    assert_string_equal(a->text.data, "1");
    assert_int_equal(a->at.line, 1);
    assert_int_equal(a->at.column, 4);
    assert_int_equal(a->at.end_column, 5);
    assert_int_equal(list->kind, EVS__YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_false(list->first->quoted);
    assert_true(list->first->next->quoted);
    assert_null(list->first->key);
    assert_int_equal(map->at.end_column, 17);
    assert_true(evs__yaml_empty(map->first));
    assert_true(evs__yaml_empty(map->first->next));
    assert_false(evs__yaml_empty(a));
    assert_null(map->next);
    assert_false(evs__diagnostics_bad(r.diags));
    done(&r);
}

static void a_key_that_is_there_twice_stays_once(void **state)
{
    (void)state;
    reading r = read_text("a: 1\nb: 2\na: 3\n");
    assert_int_equal(r.root->count, 2);
    assert_string_equal(r.root->first->text.data, "1");
    assert_string_equal(r.root->first->next->text.data, "2");
    assert_null(r.root->first->next->next);
    assert_int_equal(evs_diagnostics_errors(r.diags), 1);
    done(&r);
}

static void aliases_and_tags_are_bad_nodes(void **state)
{
    (void)state;
    reading r = read_text("a: *x\nb: !t y\n<<: z\nc: 1\n");
    assert_int_equal(r.root->count, 3);
    assert_int_equal(r.root->first->kind, EVS__YAML_BAD);
    assert_int_equal(r.root->first->next->kind, EVS__YAML_BAD);
    assert_string_equal(r.root->first->next->next->key->text.data, "c");
    assert_int_equal(evs_diagnostics_errors(r.diags), 3);
    done(&r);
}

static void values_that_may_be_passwords_are_marked(void **state)
{
    (void)state;
    reading r = read_text(
        "password: x\npassword_env: X\nurl: redis://u:p@h:1\npasswords: [a, {b: c}]\n");
    const evs__yaml *plain = r.root->first, *env = plain->next, *url = env->next;
    const evs__yaml *many = url->next;
    assert_true(plain->secret);
    assert_false(env->secret);
    assert_true(url->secret);
    assert_true(many->first->secret);
    assert_true(many->first->next->first->secret);
    done(&r);
}

static void broken_text_has_no_tree(void **state)
{
    (void)state;
    static const char *const texts[] = {"a: [", "a: \"x", "\x01", "a: b: c", "", "# x\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        reading r = read_text(texts[i]);
        assert_null(r.root);
        done(&r);
    }
}

/* 16 levels are read, the 17th is not. */
static void depth_is_limited(void **state)
{
    (void)state;
    reading r = read_text("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
    assert_non_null(r.root);
    assert_false(evs__diagnostics_bad(r.diags));
    done(&r);
    r = read_text("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]");
    assert_null(r.root);
    assert_true(evs__diagnostics_bad(r.diags));
    done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_what_and_where_they_are),
        cmocka_unit_test(a_key_that_is_there_twice_stays_once),
        cmocka_unit_test(aliases_and_tags_are_bad_nodes),
        cmocka_unit_test(values_that_may_be_passwords_are_marked),
        cmocka_unit_test(broken_text_has_no_tree),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
