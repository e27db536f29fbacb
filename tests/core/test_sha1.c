/* SHA-1: check values of FIPS 180-4, and every length around the block border. */
#include "core/sha1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static void known_texts_have_their_published_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } rows[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "mno"
         "pqrsmnopqrstnopqrstu",
         "a49b2446a02c645bf419f995b67091253a04a259"},
        /* What EVAL "return 1" is known by. */
        {"return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char hex[41];
        evs__sha1_hex(hex, evs_text(rows[i].text));
        assert_string_equal(hex, rows[i].digest);
    }
}

static void a_million_letters_have_the_published_digest(void **state)
{
    (void)state;
    char hex[41];
    size_t len = 1000000;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    evs__sha1_hex(hex, (evs_bytes){text, len});
    free(text);
    assert_string_equal(hex, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* The digests of 0..130 letters, one after the other, have the digest below: padding takes one
 * block or two, and the expected value came from sha1sum. */
static void every_length_around_a_block_is_padded_right(void **state)
{
    (void)state;
    char text[131], all[131 * 40 + 1], hex[41];
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len <= 130; len++)
        evs__sha1_hex(all + 40 * len, (evs_bytes){len == 0 ? NULL : text, len});
    evs__sha1_hex(hex, (evs_bytes){all, 131 * 40});
    assert_string_equal(hex, "264556ac95806d1e869b3f1fad8691f6633bcdfa");
}

static void bytes_may_be_any(void **state)
{
    (void)state;
    char hex[41];
    evs__sha1_hex(hex, (evs_bytes){"\0\xff\0", 3});
    assert_string_equal(hex, "35a7ea9b5563f39b3283cded62110b88f0bbbb05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_published_digests),
        cmocka_unit_test(a_million_letters_have_the_published_digest),
        cmocka_unit_test(every_length_around_a_block_is_padded_right),
        cmocka_unit_test(bytes_may_be_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
