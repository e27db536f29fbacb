/*
 * Shard maps: any text gives a map or complaints, never neither; what is named lies inside the
 * text; a map that loads places every key.
 */
#include "sharding/shardmap.h"

#include <evalshard/audit.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_complaints(const evs_diagnostics *diags, size_t size)
{
    const char *text = evs_diagnostics_text(diags);
    for (size_t i = 0; i < evs_diagnostics_count(diags); i++) {
        evs_diagnostic d;
        require(evs_diagnostics_at(&d, diags, i, NULL) == EVS_OK);
        require(d.line >= 0 && (size_t)d.line <= size + 1 && (size_t)d.column <= size + 1);
        require((d.line == 0) == (d.column == 0));
        require(d.message[0] != '\0' && strlen(d.code) == 4);
        require(strchr(d.message, '\n') == NULL && strchr(d.hint, '\n') == NULL);
    }
    require((evs_diagnostics_count(diags) == 0) == (text[0] == '\0'));
}

static void check_map(const evs_shardmap *map)
{
    static const char *const keys[] = {"", "user:{7}", "cart:[7]", "x"};
    size_t number;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        evs_route route;
        evs_status status = evs_shardmap_route(&route, map, evs_text(keys[i]), NULL);
        require(status == EVS_E_NO_ROUTE ||
                (status == EVS_OK && route.shard < evs_shardmap_count(map)));
    }
    for (size_t i = 0; i < evs_shardmap_count(map); i++) {
        evs_status status = evs_shardmap_find(&number, map, map->shards[i].name, NULL);
        require(status == EVS_OK ? strcmp(map->shards[number].name, map->shards[i].name) == 0
                                 : evs_shardmap_pool_count(map) > 1);
    }
}

/* The canonical form is its own canonical form. */
static void check_format(evs_bytes text)
{
    char *made = NULL, *again = NULL;
    evs_status status = evs_shardmap_format(&made, text, "fuzz.yaml", NULL, NULL);
    require(status == EVS_OK || status == EVS_E_INVALID);
    if (status != EVS_OK)
        return;
    require(evs_shardmap_format(&again, evs_text(made), "fuzz.yaml", NULL, NULL) == EVS_OK);
    require(strcmp(made, again) == 0);
    evs_text_free(made);
    evs_text_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err = {0};
    evs_bytes text = {(const char *)data, size};
    evs_status status = evs_shardmap_parse(&map, text, "fuzz.yaml", &diags, &err);
    require((status == EVS_OK) == (map != NULL));
    require((status == EVS_OK) == (evs_diagnostics_errors(diags) == 0));
    require(status == EVS_OK || status == EVS_E_YAML || status == EVS_E_CONFIG ||
            status == EVS_E_SECRET);
    check_complaints(diags, size);
    if (map != NULL)
        check_map(map);
    if (map != NULL)
        check_format(text);
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);
    return 0;
}
