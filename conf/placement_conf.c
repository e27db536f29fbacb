/*
 * placement_conf.c - from the placement keys of a pool to a recipe with every value filled in:
 * compat first, since it decides defaults, then distribution, hash, tags, sizes.
 */
#include "conf/placement_conf.h"

#include "conf/kinds.h"
#include "conf/quoted.h"
#include "core/similar.h"

enum { MOST_NAMES = 24, SMALL_KEYS = 4 };

#define WORDS(table) .words = table, .nwords = sizeof table / sizeof table[0]

/* One pool's placement in the making. */
typedef struct making {
    evs__reading *r;
    const evs__placement_conf *conf;
    evs__pool *pool;
    const evs__compat *compat;
    int failed;
} making;

static const evs__word distributions[] = {
    {"rendezvous", 0}, {"ketama", 0}, {"ketama_plain", 0}, {"modula", 0},
    {"jump", 0},       {"maglev", 0}, {"ring_hash", 0},    {"jedis", 0},
    {"crc32_mod", 0},  {"slots", 0},  {"ch3", 0},
};

static const evs__word tag_styles[] = {
    {"redis", EVS__TAGS_REDIS}, {"codis", EVS__TAGS_CODIS}, {"jedis", EVS__TAGS_JEDIS}};

static const evs__word namings[] = {{"shard", 0}, {"address", 1}};

const evs__field evs__field_distribution = {.name = "distribution", WORDS(distributions)};
const evs__field evs__field_tag_style = {.name = "tag_style", WORDS(tag_styles)};
const evs__field evs__field_ring_names = {.name = "ring_names", WORDS(namings)};

#define NUMBER(key, feature, least, most)                                                     \
    {                                                                                         \
        .name = key, .read = evs__read_integer, .offset = feature, .min = least, .max = most, \
    }
const evs__field evs__field_points = NUMBER("points_per_shard", EVS__TAKES_POINTS, 1, 4096);
const evs__field evs__field_ring_size = NUMBER("ring_size", EVS__TAKES_RING, 1, 8388608);
const evs__field evs__field_table_size = NUMBER("table_size", EVS__TAKES_TABLE, 2, 5000011);
const evs__field evs__field_slots_total = NUMBER("slots_total", EVS__TAKES_SLOTS, 1, 65536);

/* The word `value` is, by its table; -1 after complaining. */
static int word_of(making *m, const evs__field *field, const evs__yaml *value)
{
    int word = -1;
    evs__read_word(m->r, field, value, &word);
    m->failed |= word < 0;
    return word;
}

static void contradicts(making *m, const evs__yaml *value)
{
    evs__complain(m->r->diags, "E208", value->at, "%s: %s contradicts compat: %s%s",
                  value->key->text.data, evs__found(m->r, value), m->compat->name,
                  evs__where(m->r));
    m->failed = 1;
}

static int read_compat(making *m)
{
    const evs__yaml *value = m->conf->compat;
    const char *names[MOST_NAMES], *near;
    size_t n = 0;
    m->compat = evs__compat_find("none");
    if (value == NULL)
        return 1;
    if (!evs__want_text(m->r, value))
        return 0;
    m->compat = evs__compat_find(value->text.data);
    if (m->compat != NULL)
        return 1;
    while (n < MOST_NAMES && evs__compat_name(n) != NULL) {
        names[n] = evs__compat_name(n);
        n++;
    }
    evs__complain(m->r->diags, "E204", value->at, "unknown compat %s%s", evs__found(m->r, value),
                  evs__where(m->r));
    near = evs__most_similar(value->text, names, n);
    if (near != NULL)
        evs__hint(m->r->diags, "did you mean \"%s\"?", near);
    else
        evs__hint(m->r->diags, "allowed: %s", evs__join(m->r, names, n));
    return 0;
}

static int goes_with(const evs__compat *compat, const char *distribution)
{
    if (compat->distributions[0] == NULL)
        return 1;
    for (int i = 0; i < EVS__COMPAT_DISTRIBUTIONS && compat->distributions[i] != NULL; i++) {
        if (strcmp(compat->distributions[i], distribution) == 0)
            return 1;
    }
    return 0;
}

static const char *own_distribution(const evs__compat *compat)
{
    return compat->distributions[0] == NULL ? "rendezvous" : compat->distributions[0];
}

static int read_distribution(making *m)
{
    const evs__yaml *value = m->conf->distribution;
    const char *name = own_distribution(m->compat);
    if (value != NULL) {
        if (word_of(m, &evs__field_distribution, value) < 0)
            return 0;
        name = value->text.data;
        if (!goes_with(m->compat, name)) {
            contradicts(m, value);
            evs__hint(m->r->diags, "%s places keys by %s", m->compat->name,
                      own_distribution(m->compat));
            return 0;
        }
    }
    m->pool->placement = evs__placement_find(name);
    m->pool->layout.points = m->pool->placement->points;
    m->pool->layout.size = m->pool->placement->size;
    m->pool->layout.point_names = m->compat->point_names;
    return 1;
}

/* The names of `choices`; returns how many. */
static size_t choice_names(const char **names, const evs__hash_choice *choices)
{
    size_t n = 0;
    for (; n < MOST_NAMES && choices[n].name != NULL; n++)
        names[n] = choices[n].name;
    return n;
}

/* Does any placement have a hash of this name? */
static int known_hash(const char *name)
{
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0]; i++) {
        const evs__placement *placement = evs__placement_find(distributions[i].text);
        if (evs__hash_choice_find(placement->hashes, name) != NULL)
            return 1;
    }
    return 0;
}

static void complain_hash(making *m, const evs__yaml *value, const evs__hash_choice *choices)
{
    const char *names[MOST_NAMES];
    size_t n = choice_names(names, choices);
    const char *near = evs__most_similar(value->text, names, n);
    const char *distribution = m->pool->placement->name;
    if (known_hash(value->text.data))
        evs__complain(m->r->diags, "E205", value->at,
                      "%s \"%s\" does not go with distribution %s%s", value->key->text.data,
                      value->text.data, distribution, evs__where(m->r));
    else
        evs__complain(m->r->diags, "E204", value->at, "unknown %s %s%s", value->key->text.data,
                      evs__found(m->r, value), evs__where(m->r));
    if (near != NULL)
        evs__hint(m->r->diags, "did you mean \"%s\"? allowed with %s: %s", near, distribution,
                  evs__join(m->r, names, n));
    else
        evs__hint(m->r->diags, "allowed with %s: %s", distribution, evs__join(m->r, names, n));
    m->failed = 1;
}

static const evs__key_hash *read_hash(making *m, const evs__yaml *value,
                                      const evs__hash_choice *choices, const char *own)
{
    if (value == NULL)
        return own == NULL ? choices[0].hash : evs__hash_choice_find(choices, own);
    if (!evs__want_text(m->r, value)) {
        m->failed = 1;
        return NULL;
    }
    const evs__key_hash *hash = evs__hash_choice_find(choices, value->text.data);
    if (hash == NULL)
        complain_hash(m, value, choices);
    return hash;
}

/* mcrouter's crc32_mod is no other than 31 bits of CRC-32. */
static const char *own_hash(const making *m)
{
    if (m->compat->hash != NULL)
        return m->compat->hash;
    if (strcmp(m->compat->name, "mcrouter") == 0 &&
        strcmp(m->pool->placement->name, "crc32_mod") == 0)
        return "crc32m";
    return m->compat->first_hash;
}

static void read_hashes(making *m)
{
    const evs__placement *placement = m->pool->placement;
    evs__layout *layout = &m->pool->layout;
    const evs__yaml *value = m->conf->hash;
    layout->hash = read_hash(m, value, placement->hashes, own_hash(m));
    if (value != NULL && layout->hash != NULL && m->compat->hash != NULL &&
        strcmp(value->text.data, m->compat->hash) != 0)
        contradicts(m, value);
    if (layout->hash != NULL && m->compat->unsigned_chars && layout->hash->unsigned_twin != NULL)
        layout->hash = layout->hash->unsigned_twin;
    if (placement->point_hashes != NULL)
        layout->ring_hash = read_hash(m, m->conf->ring_hash, placement->point_hashes, NULL);
}

static int tag_char(char c)
{
    return c > ' ' && c < 0x7f;
}

static void set_tag(evs__pool *pool, const char *text)
{
    int off = strcmp(text, "off") == 0;
    pool->tag_open = off ? '\0' : text[0];
    pool->tag_close = off ? '\0' : text[1];
}

static int is_tag(const evs__yaml *value)
{
    return value->kind == EVS__YAML_TEXT &&
           (strcmp(value->text.data, "off") == 0 ||
            (value->text.len == 2 && tag_char(value->text.data[0]) &&
             tag_char(value->text.data[1])));
}

static void complain_tag(making *m, const evs__yaml *value)
{
    evs__complain(m->r->diags, "E206", value->at,
                  "hash_tag must be text of exactly 2 characters, found %s",
                  evs__found(m->r, value));
    if (value->kind == EVS__YAML_MAP && value->count == 0)
        evs__hint(m->r->diags, "write \"{}\" in quotes; bare {} means an empty YAML mapping");
    else if (value->kind == EVS__YAML_LIST && value->count == 0)
        evs__hint(m->r->diags, "write \"[]\" in quotes; bare [] means an empty YAML list");
    else
        evs__hint(m->r->diags,
                  "an opening and a closing character in ASCII, such as \"{}\", or off");
    m->failed = 1;
}

static void read_hash_tag(making *m)
{
    const evs__yaml *value = m->conf->hash_tag;
    set_tag(m->pool, m->compat->hash_tag);
    if (value == NULL)
        return;
    if (!evs__want_filled(m->r, value) || !is_tag(value)) {
        if (!evs__yaml_empty(value))
            complain_tag(m, value);
        return;
    }
    if (m->compat->fixed_tag && strcmp(value->text.data, m->compat->hash_tag) != 0)
        contradicts(m, value);
    set_tag(m->pool, value->text.data);
}

/* Codis and Jedis know only braces; without them there are no tags, whatever the style. */
static void read_tag_style(making *m)
{
    const evs__yaml *value = m->conf->tag_style;
    evs__pool *pool = m->pool;
    pool->tag_style = m->compat->tag_style;
    if (value != NULL) {
        int style = word_of(m, &evs__field_tag_style, value);
        if (style >= 0 && m->compat->distributions[0] == NULL) {
            evs__complain(m->r->diags, "E207", value->at, "tag_style stands only beside compat%s",
                          evs__where(m->r));
            evs__hint(m->r->diags, "leave it out: tags are those of Redis");
        } else if (style >= 0 && style != (int)m->compat->tag_style) {
            contradicts(m, value);
        }
    }
    if (pool->tag_open == '\0')
        pool->tag_style = EVS__TAGS_REDIS;
    if (pool->tag_style != EVS__TAGS_REDIS && (pool->tag_open != '{' || pool->tag_close != '}')) {
        evs__complain(m->r->diags, "E208", m->conf->hash_tag->at,
                      "compat: %s knows hash_tag \"{}\" and off only%s", m->compat->name,
                      evs__where(m->r));
        m->failed = 1;
    }
}

/* Reads a number that only some distributions have and no preset lets be changed. */
static void read_number(making *m, const evs__yaml *value, const evs__field *field, unsigned *out)
{
    uint64_t number = *out;
    if (value == NULL)
        return;
    if ((m->pool->placement->takes & (unsigned)field->offset) == 0) {
        evs__complain(m->r->diags, "E209", value->key->at,
                      "%s has no meaning with distribution %s%s", field->name,
                      m->pool->placement->name, evs__where(m->r));
        m->failed = 1;
        return;
    }
    evs__read_integer(m->r, field, value, &number);
    if (field->offset != EVS__TAKES_TABLE && field->offset != EVS__TAKES_RING &&
        m->compat->distributions[0] != NULL && number != *out)
        contradicts(m, value);
    *out = (unsigned)number;
}

static void read_sizes(making *m)
{
    evs__layout *layout = &m->pool->layout;
    read_number(m, m->conf->points, &evs__field_points, &layout->points);
    read_number(m, m->conf->ring_size, &evs__field_ring_size, &layout->size);
    read_number(m, m->conf->table_size, &evs__field_table_size, &layout->size);
    read_number(m, m->conf->slots_total, &evs__field_slots_total, &layout->size);
    if (m->conf->ring_hash != NULL && m->pool->placement->point_hashes == NULL)
        evs__complain(m->r->diags, "E209", m->conf->ring_hash->key->at,
                      "ring_hash has no meaning with distribution %s%s", m->pool->placement->name,
                      evs__where(m->r));
}

static void read_ring_names(making *m, evs__place_rules *rules)
{
    const evs__yaml *value = m->conf->ring_names;
    if (value == NULL)
        return;
    rules->ring_names_are_addresses = word_of(m, &evs__field_ring_names, value) == 1;
}

int evs__placement_resolve(evs__reading *r, const evs__placement_conf *conf, evs__pool *pool,
                           evs__place_rules *rules)
{
    making m = {r, conf, pool, NULL, 0};
    if (!read_compat(&m) || !read_distribution(&m))
        return 0;
    read_hashes(&m);
    read_hash_tag(&m);
    read_tag_style(&m);
    read_sizes(&m);
    rules->placement = pool->placement;
    rules->compat = m.compat;
    read_ring_names(&m, rules);
    return !m.failed;
}
