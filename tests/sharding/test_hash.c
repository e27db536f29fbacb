/*
 * Hashes of keys against recorded ones: every column of hash_values.tsv, and the slots that a real
 * server answered. Data and origin: tests/data/vectors.
 */
#include "sharding/hash.h"
#include "sharding/hashtag.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* In the order of the columns behind the id. */
static const evs__key_hash *const columns_of_values[] = {
    &evs__hash_one_at_a_time,  &evs__hash_md5,      &evs__hash_crc32,
    &evs__hash_fnv1_64,        &evs__hash_fnv1a_64, &evs__hash_fnv1_32,
    &evs__hash_fnv1a_32,       &evs__hash_murmur,   &evs__hash_jenkins,
    &evs__hash_crc16,          &evs__hash_crc32a,   &evs__hash_hsieh,
    &evs__hash_crc16_slot,     &evs__hash_xxh64,    &evs__hash_murmur64a_jedis,
    &evs__hash_murmur64a_envoy};

enum { VALUES = sizeof columns_of_values / sizeof columns_of_values[0] };

static void compare_values(void *arg, char **columns, size_t count)
{
    (void)arg;
    evs_bytes key = vector_key_of(columns[0]);
    assert_int_equal(count, VALUES + 1);
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t want = strtoull(columns[i + 1], NULL, 16), got = columns_of_values[i]->of(key);
        if (want != got)
            fail_msg("%s of key %s is %" PRIx64 ", recorded is %s", columns_of_values[i]->name,
                     columns[0], got, columns[i + 1]);
    }
}

static void every_recorded_value_is_reproduced(void **state)
{
    (void)state;
    assert_int_equal(vector_rows("hash_values.tsv", compare_values, NULL), VECTOR_KEYS);
    printf("hash_values.tsv: %d rows, %d values equal\n", VECTOR_KEYS, VECTOR_KEYS * VALUES);
}

static void compare_slot(void *arg, char **columns, size_t count)
{
    (void)arg;
    assert_int_equal(count, 2);
    evs_bytes key = vector_bytes(columns[0]);
    uint64_t slot = evs__hash_crc16_slot.of(evs__hash_tag(key, '{', '}')) % 16384;
    if (slot != strtoull(columns[1], NULL, 10))
        fail_msg("key %s is in slot %s, not %" PRIu64, columns[0], columns[1], slot);
    free((char *)(uintptr_t)key.data);
}

static void slots_are_those_of_a_real_server(void **state)
{
    (void)state;
    assert_int_equal(vector_rows("redis_cluster_keyslot.tsv", compare_slot, NULL), 500);
    printf("redis_cluster_keyslot.tsv: 500 rows, 500 slots equal\n");
}

static void unsigned_twins_differ_where_bytes_are_large(void **state)
{
    (void)state;
    static const evs__key_hash *const hashes[] = {&evs__hash_one_at_a_time, &evs__hash_fnv1_64,
                                                  &evs__hash_fnv1a_64,      &evs__hash_fnv1_32,
                                                  &evs__hash_fnv1a_32,      &evs__hash_hsieh};
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        const evs__key_hash *twin = hashes[i]->unsigned_twin;
        assert_non_null(twin);
        assert_true(hashes[i]->of(evs_text("abc")) == twin->of(evs_text("abc")));
        assert_true(hashes[i]->of(evs_text("ab\xe9")) != twin->of(evs_text("ab\xe9")));
        assert_string_not_equal(hashes[i]->name, twin->name);
    }
    assert_null(evs__hash_jenkins.unsigned_twin);
}

/* Published check values of FNV: offset basis and "a" of the 32-bit variants are the common ones.
 */
static void check_values_of_the_algorithms(void **state)
{
    (void)state;
    assert_true(evs__hash_crc16_slot.of(evs_text("123456789")) == 0x31c3);
    assert_true(evs__hash_crc32a.of(evs_text("123456789")) == 0xcbf43926);
    assert_true(evs__hash_crc32x.of(evs_text("a")) == evs__hash_crc32a.of(evs_text("xa")));
    assert_true(evs__hash_crc32m.of(evs_text("123456789")) == 0x4bf43926);
    assert_true(evs__hash_md5.of(evs_text("127.0.0.1:21001-0")) == 0xe8b65ed5);
}

static void an_empty_key_is_0_to_the_family_of_twemproxy(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++)
        assert_true(columns_of_values[i]->of(evs_text("")) == 0);
    assert_true(evs__hash_md5_jedis.of(evs_text("")) == 0xd98c1dd4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_value_is_reproduced),
        cmocka_unit_test(slots_are_those_of_a_real_server),
        cmocka_unit_test(unsigned_twins_differ_where_bytes_are_large),
        cmocka_unit_test(check_values_of_the_algorithms),
        cmocka_unit_test(an_empty_key_is_0_to_the_family_of_twemproxy),
    };
    return cmocka_run_group_tests(tests, vector_keys_read, vector_keys_free);
}
