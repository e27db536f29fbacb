/* The schema of maps; that it is one, and holds, is the business of schema.py. */
#include "core/mem.h"
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

static void it_is_json_with_every_kind(void **state)
{
    (void)state;
    static const char *const kinds[] = {"map", "pool", "shard", "route", "connection"};
    char *text;
    assert_int_equal(evs_shardmap_schema(&text, NULL), EVS_OK);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(root);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_non_null(json_object_get(json_object_get(root, "definitions"), kinds[i]));
    json_decref(root);
    evs_text_free(text);
}

static void a_failing_allocation_is_a_status(void **state)
{
    (void)state;
    evs_status status;
    size_t n = 0;
    do {
        char *text = NULL;
        evs__mem_fail_at(++n);
        status = evs_shardmap_schema(&text, NULL);
        evs__mem_fail_at(0);
        assert_int_equal(status == EVS_OK, text != NULL);
        evs_text_free(text);
    } while (status == EVS_E_NOMEM && n < 1000);
    assert_int_equal(status, EVS_OK);
    assert_in_range(n, 5, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_json_with_every_kind),
        cmocka_unit_test(a_failing_allocation_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
