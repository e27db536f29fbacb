/* The hash tag of a key: as Redis, twemproxy, Envoy, go-redis and redis-py take it, and where Codis
 * and Jedis differ from that. */
#include "sharding/hashtag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct tag_case {
    const char *key;
    const char *tag;
} tag_case;

static void check(const tag_case *cases, size_t count, char open, char close)
{
    for (size_t i = 0; i < count; i++) {
        evs_bytes tag = evs__hash_tag(evs_text(cases[i].key), open, close);
        if (tag.len != strlen(cases[i].tag) || memcmp(tag.data, cases[i].tag, tag.len) != 0)
            fail_msg("the tag of \"%s\" is \"%.*s\", not \"%s\"", cases[i].key, (int)tag.len,
                     tag.data, cases[i].tag);
    }
}

static void braces_follow_the_rule_of_redis(void **state)
{
    (void)state;
    static const tag_case cases[] = {
        {"{}", "{}"},
        {"{}a", "{}a"},
        {"a{}", "a{}"},
        {"{}{a}", "{}{a}"},
        {"foo{}{bar}", "foo{}{bar}"},
        {"{}}", "{}}"},
        {"{{a}}", "{a"},
        {"{{a", "{{a"},
        {"{a", "{a"},
        {"a}b", "a}b"},
        {"a{b}{c}", "b"},
        {"a{b}c", "b"},
        {"}{a}", "a"},
        {"{\r\n}x", "\r\n"},
        {"plain", "plain"},
        {"{user:7}:cart", "user:7"},
    };
    check(cases, sizeof cases / sizeof cases[0], '{', '}');
}

static void other_pairs_follow_the_same_rule(void **state)
{
    (void)state;
    static const tag_case dollars[] = {
        {"a$b$c", "b"}, {"$$a$", "$$a$"}, {"$a", "$a"}, {"{a}", "{a}"}};
    static const tag_case brackets[] = {{"a[b]c", "b"}, {"a]b[c", "a]b[c"}, {"[[b]", "[b"}};
    check(dollars, sizeof dollars / sizeof dollars[0], '$', '$');
    check(brackets, sizeof brackets / sizeof brackets[0], '[', ']');
}

static void without_tag_characters_the_whole_key_is_hashed(void **state)
{
    (void)state;
    static const tag_case cases[] = {{"{a}b", "{a}b"}, {"a{b}", "a{b}"}};
    check(cases, sizeof cases / sizeof cases[0], '\0', '\0');
}

static void nul_bytes_are_bytes_like_any_other(void **state)
{
    (void)state;
    evs_bytes key = {"x\0{\0}\0", 6};
    evs_bytes tag = evs__hash_tag(key, '{', '}');
    assert_ptr_equal(tag.data, key.data + 3);
    assert_int_equal(tag.len, 1);
    key = (evs_bytes){"\0a\0b", 4};
    assert_int_equal(evs__hash_tag(key, '\0', '\0').len, 4);
}

/* Keys about which the rules differ, or are often thought to. */
static const struct {
    const char *key, *codis, *jedis;
} styles[] = {
    {"{}", "", "{}"},
    {"{}a", "", "{}a"},
    {"a{}", "", "a{}"},
    {"{}{a}", "", "}{a"},
    {"foo{}{bar}", "", "}{bar"},
    {"{}}", "", "}"},
    {"{{a}}", "{a", "{a"},
    {"{{a", "{{a", "{{a"},
    {"{a", "{a", "{a"},
    {"a}b", "a}b", "a}b"},
    {"a{b}{c}", "b", "b"},
    {"a{b}c", "b", "b"},
    {"}{a}", "a", "a"},
    {"{\r\n}x", "\r\n", "{\r\n}x"},
    {"{a\xe2\x80\xa8}{b}", "a\xe2\x80\xa8", "b"}, /* LINE SEPARATOR ends a line of Java */
    {"{\xc2\x85}x", "\xc2\x85", "{\xc2\x85}x"},   /* and so does NEXT LINE */
    {"plain", "plain", "plain"},
    {"", "", ""},
};

static void codis_and_jedis_have_rules_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        evs_bytes key = evs_text(styles[i].key);
        evs_bytes codis = evs__hash_tag_codis(key), jedis = evs__hash_tag_jedis(key);
        if (codis.len != strlen(styles[i].codis) ||
            memcmp(codis.data, styles[i].codis, codis.len) != 0)
            fail_msg("to Codis the tag of \"%s\" is \"%.*s\"", styles[i].key, (int)codis.len,
                     codis.data);
        if (jedis.len != strlen(styles[i].jedis) ||
            memcmp(jedis.data, styles[i].jedis, jedis.len) != 0)
            fail_msg("to Jedis the tag of \"%s\" is \"%.*s\"", styles[i].key, (int)jedis.len,
                     jedis.data);
    }
}

/* The rule, byte by byte. */
static evs_bytes slow_tag(evs_bytes key, char open, char close)
{
    size_t start = 0;
    while (start < key.len && key.data[start] != open)
        start++;
    size_t end = start + 1;
    while (end < key.len && key.data[end] != close)
        end++;
    return end < key.len && end > start + 1 ? (evs_bytes){key.data + start + 1, end - start - 1}
                                            : key;
}

/* Keys of every length up to 70 with braces here and there. */
static void tags_are_found_in_keys_of_any_length(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned i = 0; i < 100000; i++) {
        char bytes[70];
        size_t len = i % (sizeof bytes + 1);
        char *key = bytes + sizeof bytes - len; /* nothing behind may be read */
        for (size_t j = 0; j < len; j++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            key[j] = random >> 33 & 15 ? 'a' : "{}"[random >> 40 & 1];
        }
        evs_bytes want = slow_tag((evs_bytes){key, len}, '{', '}');
        evs_bytes got = evs__hash_tag((evs_bytes){key, len}, '{', '}');
        assert_ptr_equal(got.data, want.data);
        assert_int_equal(got.len, want.len);
    }
}

static void an_empty_key_is_its_own_tag(void **state)
{
    (void)state;
    assert_int_equal(evs__hash_tag((evs_bytes){NULL, 0}, '{', '}').len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_follow_the_rule_of_redis),
        cmocka_unit_test(other_pairs_follow_the_same_rule),
        cmocka_unit_test(without_tag_characters_the_whole_key_is_hashed),
        cmocka_unit_test(nul_bytes_are_bytes_like_any_other),
        cmocka_unit_test(codis_and_jedis_have_rules_of_their_own),
        cmocka_unit_test(tags_are_found_in_keys_of_any_length),
        cmocka_unit_test(an_empty_key_is_its_own_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
