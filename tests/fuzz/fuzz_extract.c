/* Programs with scripts in them. The first line names the language (py, js, ...); any rest is read
 * within its bounds, the pieces of scripts stand in the program, and what is found can be audited.
 */
#include <evalshard/extract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_map(const evs_embedded_script *script, size_t size)
{
    const evs_source_map *map = &script->map;
    if (map->nparts == 0 || map->parts[0].begin != 0)
        abort();
    for (size_t i = 0; i < map->nparts; i++) {
        const evs_source_part *part = &map->parts[i];
        if (part->at > size || part->length > size - part->at || part->begin >= script->source.len)
            abort();
        if (i > 0 && part->begin <= map->parts[i - 1].begin)
            abort();
    }
}

static void check_holes(const evs_embedded_script *script)
{
    for (size_t i = 0; i < script->nholes; i++) {
        const evs_hole *hole = &script->holes[i];
        if (hole->begin >= hole->end || hole->end > script->source.len || hole->code == NULL)
            abort();
        if (i > 0 && hole->begin < script->holes[i - 1].end)
            abort();
    }
}

static void check_audit(const evs_embedded_script *script, const char *path)
{
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    evs_report *report;
    how.path = path;
    how.map = &script->map;
    how.holes = script->holes;
    how.nholes = script->nholes;
    how.wholeness = script->wholeness;
    if (evs_audit(&report, script->source, &how, NULL) == EVS_OK)
        evs_report_free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const languages[] = {"py", "js", "go", "java", "rb", "php", "c", "tsx"};
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size < 8 ? size : 8);
    size_t head = line == NULL ? 0 : (size_t)(line - data) + 1;
    char path[16];
    snprintf(path, sizeof path, "x.%.*s", (int)(head > 0 ? head - 1 : 0), (const char *)data);
    if (evs_extract_language(path) == NULL)
        snprintf(path, sizeof path, "x.%s", languages[size % 8]);

    evs_bytes source = {(const char *)data + head, size - head};
    evs_extraction *extraction;
    if (evs_extract(&extraction, source, path, NULL) != EVS_OK)
        return 0;
    size_t count;
    const evs_embedded_script *scripts = evs_extraction_scripts(extraction, &count);
    for (size_t i = 0; i < count; i++) {
        check_map(&scripts[i], source.len);
        check_holes(&scripts[i]);
        check_audit(&scripts[i], path);
    }
    evs_extraction_free(extraction);
    return 0;
}
