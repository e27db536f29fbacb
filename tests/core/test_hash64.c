/* XXH64 keeps its published values: placement depends on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash64.h"
#include <cmocka.h>

static void xxh64_has_its_published_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seed, hash;
    } rows[] = {
        {"", 0, 0xef46db3751d8e999u},
        {"", 0x9e3779b1u, 0xac75fda2929b17efu},
        {"a", 0, 0xd24ec4f1a98c6e5bu},
        {"abc", 0, 0x44bc2cf5ad770999u},
        {"Nobody inspects the spammish repetition", 0, 0xfbcea83c8a378bf1u},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(evs__xxh64(evs_text(rows[i].text), rows[i].seed) == rows[i].hash);
    assert_true(evs__xxh64((evs_bytes){NULL, 0}, 0) == rows[0].hash);
}

static void short_ways_come_to_the_same(void **state)
{
    (void)state;
    char bytes[EVS__XXH64_STRIPE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 151 + 77);
    for (size_t len = 0; len < EVS__XXH64_STRIPE; len++)
        for (size_t from = 0; from + len <= sizeof bytes; from++) {
            evs_bytes data = {bytes + from, len};
            assert_true(evs__xxh64_short(data) == evs__xxh64(data, 0));
        }
    assert_true(evs__xxh64_short((evs_bytes){NULL, 0}) == evs__xxh64(evs_text(""), 0));
}

static void the_table_hash_tells_bytes_apart(void **state)
{
    (void)state;
    assert_true(evs__hash(evs_text("a")) == evs__hash((evs_bytes){"ab", 1}));
    assert_true(evs__hash(evs_text("a")) != evs__hash(evs_text("b")));
    assert_true(evs__hash((evs_bytes){"a\0b", 3}) != evs__hash((evs_bytes){"a\0c", 3}));
    assert_true(evs__hash((evs_bytes){NULL, 0}) == evs__hash(evs_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xxh64_has_its_published_values),
        cmocka_unit_test(short_ways_come_to_the_same),
        cmocka_unit_test(the_table_hash_tells_bytes_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
