/*
 * schema_rules.c - what keys of a pool mean for each other: which hashes and keys go with a
 * distribution, what a preset (compat) leaves open, what a cluster has no use for.
 *
 * All of it comes from the tables of placements and presets. A rule forbids a key by giving it a
 * schema that nothing fits, so that an editor marks the key itself.
 */
#include "conf/compat.h"
#include "conf/placement_conf.h"
#include "conf/schema.h"

#include <stdio.h>

/* Begins a rule: `condition` is the inside of an object in single quotes. */
static void begin(evs__json *json, const char *condition)
{
    evs__json_object(json, NULL);
    evs__json_object(json, "if");
    evs__schema_raw(json, NULL, condition);
    evs__json_close(json, '}');
    evs__json_object(json, "then");
    evs__json_object(json, "properties");
}

static void end(evs__json *json)
{
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

static void forbid(evs__json *json, const char *key)
{
    evs__schema_raw(json, key, "false");
}

static void put_choices(evs__json *json, const char *key, const evs__hash_choice *choices)
{
    evs__json_object(json, key);
    evs__json_list(json, "enum");
    for (size_t i = 0; choices[i].name != NULL; i++)
        evs__json_text(json, NULL, choices[i].name);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
}

/* Keys of shards that the distribution has no use for. */
static void forbid_in_shards(evs__json *json, unsigned takes)
{
    static const struct {
        const char *key;
        unsigned takes;
    } keys[] = {{"weight", EVS__TAKES_WEIGHTS},
                {"index", EVS__TAKES_INDEX | EVS__NEEDS_INDEX},
                {"slots", EVS__TAKES_SLOTS}};
    evs__json_object(json, "shards");
    evs__json_object(json, "additionalProperties");
    evs__json_object(json, "properties");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if ((takes & keys[i].takes) == 0)
            forbid(json, keys[i].key);
    }
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

static void put_distribution(evs__json *json, const char *condition, const char *name)
{
    static const struct {
        const char *key;
        unsigned takes;
    } keys[] = {{"points_per_shard", EVS__TAKES_POINTS},
                {"ring_size", EVS__TAKES_RING},
                {"table_size", EVS__TAKES_TABLE},
                {"slots_total", EVS__TAKES_SLOTS}};
    const evs__placement *placement = evs__placement_find(name);
    begin(json, condition);
    put_choices(json, "hash", placement->hashes);
    if (placement->point_hashes != NULL)
        put_choices(json, "ring_hash", placement->point_hashes);
    else
        forbid(json, "ring_hash");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if ((placement->takes & keys[i].takes) == 0)
            forbid(json, keys[i].key);
    }
    forbid_in_shards(json, placement->takes);
    end(json);
}

static void put_distributions(evs__json *json)
{
    char condition[200];
    for (size_t i = 0; i < evs__field_distribution.nwords; i++) {
        const char *name = evs__field_distribution.words[i].text;
        snprintf(condition, sizeof condition,
                 "'required': ['shards', 'distribution'], 'properties': {'distribution': {'const': "
                 "'%s'}}",
                 name);
        put_distribution(json, condition, name);
    }
}

static void put_only(evs__json *json, const char *key, const char *text)
{
    evs__json_object(json, key);
    evs__json_text(json, "const", text);
    evs__json_close(json, '}');
}

static void limit_weights(evs__json *json, unsigned most)
{
    evs__json_object(json, "shards");
    evs__json_object(json, "additionalProperties");
    evs__json_object(json, "properties");
    evs__json_object(json, "weight");
    evs__json_number(json, "maximum", most);
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

/* What a preset leaves open. */
static void put_preset(evs__json *json, const evs__compat *compat)
{
    if (compat->distributions[0] == NULL) {
        forbid(json, "tag_style");
        limit_weights(json, EVS__MOST_WEIGHT);
        return;
    }
    evs__json_object(json, "distribution");
    evs__json_list(json, "enum");
    for (int i = 0; i < EVS__COMPAT_DISTRIBUTIONS && compat->distributions[i] != NULL; i++)
        evs__json_text(json, NULL, compat->distributions[i]);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
    if (compat->hash != NULL)
        put_only(json, "hash", compat->hash);
    if (compat->fixed_tag)
        put_only(json, "hash_tag", compat->hash_tag);
    else if (compat->tag_style != EVS__TAGS_REDIS)
        evs__schema_raw(json, "hash_tag", "{'enum': ['{}', 'off']}");
    for (size_t i = 0; i < evs__field_tag_style.nwords; i++) {
        if (evs__field_tag_style.words[i].value == (int)compat->tag_style)
            put_only(json, "tag_style", evs__field_tag_style.words[i].text);
    }
    if (compat->no_weights)
        limit_weights(json, 1);
}

static void put_presets(evs__json *json)
{
    char condition[200];
    const char *name;
    for (size_t i = 0; (name = evs__compat_name(i)) != NULL; i++) {
        const evs__compat *compat = evs__compat_find(name);
        int none = compat->distributions[0] == NULL; /* also without the key */
        snprintf(condition, sizeof condition,
                 "'required': ['shards'%s], 'properties': {'compat': {'const': '%s'}, "
                 "'distribution': false}",
                 none ? "" : ", 'compat'", name);
        put_distribution(json, condition, none ? "rendezvous" : compat->distributions[0]);
        snprintf(condition, sizeof condition,
                 "'required': ['shards'%s], 'properties': {'compat': {'const': '%s'}}",
                 none ? "" : ", 'compat'", name);
        begin(json, condition);
        put_preset(json, compat);
        end(json);
    }
}

void evs__schema_presets(evs__json *json)
{
    evs__json_list(json, "enum");
    for (size_t i = 0; evs__compat_name(i) != NULL; i++)
        evs__json_text(json, NULL, evs__compat_name(i));
    evs__json_close(json, ']');
}

static void put_cluster(evs__json *json)
{
    begin(json, "'required': ['cluster']");
    for (const char *const *key = evs__keys_of_placement; *key != NULL; key++)
        forbid(json, *key);
    evs__schema_raw(json, "db", "{'const': 0}");
    evs__schema_raw(json, "on_no_keys", "{'not': {'pattern': '^shard:'}}");
    end(json);
}

void evs__schema_rules(evs__json *json)
{
    evs__json_list(json, "allOf");
    put_cluster(json);
    put_distributions(json);
    put_presets(json);
    evs__json_close(json, ']');
}

void evs__schema_short_rules(evs__json *json)
{
    evs__json_list(json, "allOf");
    put_distribution(json, "'required': ['shards']", "rendezvous");
    begin(json, "'required': ['shards']");
    limit_weights(json, EVS__MOST_WEIGHT);
    end(json);
    evs__json_close(json, ']');
}
