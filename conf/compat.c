/* compat.c - the presets. Recorded placements of each are in tests/data/vectors. */
#include "conf/compat.h"

static const evs__compat presets[] = {
    {.name = "none", .hash_tag = "{}"},
    {.name = "twemproxy", .distributions = {"ketama", "modula"}, .hash_tag = "off"},
    {.name = "twemproxy-unsigned",
     .distributions = {"ketama", "modula"},
     .hash_tag = "off",
     .unsigned_chars = 1},
    {.name = "libmemcached",
     .distributions = {"modula", "ketama", "ketama_plain"},
     .first_hash = "one_at_a_time",
     .hash_tag = "off"},
    {.name = "jedis-2.9",
     .distributions = {"jedis"},
     .hash_tag = "off",
     .tag_style = EVS__TAGS_JEDIS,
     .point_names = EVS__POINT_NAMES_WEIGHED},
    {.name = "jedis", .distributions = {"jedis"}, .hash_tag = "off", .tag_style = EVS__TAGS_JEDIS},
    {.name = "envoy", .distributions = {"ring_hash", "maglev"}, .hash_tag = "off"},
    {.name = "go-redis",
     .distributions = {"rendezvous"},
     .hash_tag = "{}",
     .fixed_tag = 1,
     .no_weights = 1},
    {.name = "redis-in-action",
     .distributions = {"crc32_mod"},
     .hash = "crc32x",
     .hash_tag = "off",
     .fixed_tag = 1},
    {.name = "codis",
     .distributions = {"slots"},
     .hash = "crc32a",
     .hash_tag = "{}",
     .tag_style = EVS__TAGS_CODIS,
     .fixed_tag = 1},
    {.name = "mcrouter", .distributions = {"ch3", "crc32_mod"}, .hash_tag = "off", .fixed_tag = 1},
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

const evs__compat *evs__compat_find(const char *name)
{
    for (size_t i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    }
    return NULL;
}

const char *evs__compat_name(size_t i)
{
    return i < PRESETS ? presets[i].name : NULL;
}
