/*
 * shardmap_load.c - from a file or a text to a map: read, build, seal, and say what is wrong.
 */
#include "conf/building.h"
#include "conf/file.h"
#include "core/error.h"
#include "core/mem.h"

#include <errno.h>

enum { MOST_BYTES = 4 * 1024 * 1024 };

/* A file in the making. */
typedef struct input {
    const char *name;   /* for messages */
    const char *folder; /* of the file; NULL for a text */
    evs_bytes text;
    int is_named; /* by the caller */
    int bare;     /* files and variables that it names are not looked at */
} input;

static const evs__range nowhere = {0, 0, 0, 0};

/* The file's name without folders and extension. */
static evs_bytes stem(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash == NULL ? name : slash + 1;
    const char *dot = strrchr(base, '.');
    return (evs_bytes){base, dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base)};
}

static void complain_empty(evs_diagnostics *diags)
{
    evs__complain(diags, "E218", (evs__range){1, 1, 1, 1}, "the file holds no map");
    evs__hint(diags, "begin with \"evalshard: 1\"");
}

static void complain_size(evs_diagnostics *diags)
{
    evs__complain(diags, "E107", nowhere, "the file is larger than %d MiB",
                  MOST_BYTES / (1024 * 1024));
}

/* Builds the content of `map` from the text, and seals it when there is no error. */
static evs_status build(evs_shardmap *map, const input *in, evs_diagnostics *diags, evs_error *err)
{
    evs_status status = EVS_OK;
    evs__arena scratch = EVS__ARENA_INIT;
    evs__building b = {
        .r = {.arena = &map->arena,
              .scratch = &scratch,
              .diags = diags,
              .folder = in->folder,
              .bare = in->bare},
        .map = map,
        .pools = EVS__TABLE_INIT,
    };
    map->name = evs__keep(&b.r, stem(in->name));
    if (in->is_named)
        map->file = evs__keep(&b.r, evs_text(in->name));
    const evs__yaml *root = evs__yaml_read(&scratch, in->text, diags);
    if (root != NULL)
        evs__build_map(&b, root);
    else if (!evs__diagnostics_bad(diags))
        complain_empty(diags);
    if (!evs__diagnostics_bad(diags)) {
        status = evs__shardmap_seal(map, err);
        if (status == EVS_OK)
            evs__check_fingerprints(&b);
    }
    evs__table_free(&b.pools);
    evs__arena_free(&scratch);
    return status;
}

static evs_status make(evs_shardmap **out, const input *in, evs_diagnostics *diags, evs_error *err)
{
    evs_shardmap *map = evs__shardmap_new();
    if (map == NULL)
        return evs__fail_nomem(err);
    evs_status status = EVS_OK;
    if (in->text.len > MOST_BYTES)
        complain_size(diags);
    else
        status = build(map, in, diags, err);
    if (status == EVS_OK)
        status = evs__diagnostics_finish(diags, err);
    if (status != EVS_OK) {
        evs_shardmap_free(map);
        return status;
    }
    *out = map;
    return EVS_OK;
}

/* Hands the diagnostics over, or frees them when nobody wants them. */
static void deliver(evs_diagnostics **out, evs_diagnostics *diags)
{
    if (out != NULL)
        *out = diags;
    else
        evs_diagnostics_free(diags);
}

static evs_status parse(evs_shardmap **out, const input *in, evs_diagnostics **diags,
                        evs_error *err)
{
    evs_diagnostics *collected = evs__diagnostics_new(in->name, in->text);
    if (collected == NULL) {
        deliver(diags, NULL);
        return evs__fail_nomem(err);
    }
    evs_status status = make(out, in, collected, err);
    deliver(diags, collected);
    return status;
}

evs_status evs_shardmap_parse(evs_shardmap **out, evs_bytes yaml, const char *name,
                              evs_diagnostics **diags, evs_error *err)
{
    input in = {.name = name == NULL ? "-" : name, .is_named = name != NULL, .text = yaml};
    return parse(out, &in, diags, err);
}

evs_status evs_shardmap_parse_bare(evs_shardmap **out, evs_bytes yaml, const char *name,
                                   evs_diagnostics **diags, evs_error *err)
{
    input in = {
        .name = name == NULL ? "-" : name, .is_named = name != NULL, .text = yaml, .bare = 1};
    return parse(out, &in, diags, err);
}

/* There is no text to parse: says why. */
static evs_status fail_unread(const char *path, evs__file_got got, evs_diagnostics **diags,
                              evs_error *err)
{
    int why = errno;
    evs_diagnostics *collected = evs__diagnostics_new(path, (evs_bytes){"", 0});
    if (collected == NULL || got == EVS__FILE_NOMEM) {
        evs_diagnostics_free(collected);
        deliver(diags, NULL);
        return evs__fail_nomem(err);
    }
    if (got == EVS__FILE_TOO_BIG)
        complain_size(collected);
    else
        evs__complain(collected, "E100", nowhere, "cannot read the file: %s", strerror(why));
    evs_status status = evs__diagnostics_finish(collected, err);
    deliver(diags, collected);
    return status;
}

/* `in` has the name of the file. */
static evs_status parse_in_folder(evs_shardmap **out, input *in, evs_diagnostics **diags,
                                  evs_error *err)
{
    const char *path = in->name, *slash = strrchr(path, '/');
    char *folder = evs__copy_text(slash == NULL ? "." : path,
                                  slash == NULL || slash == path ? 1 : (size_t)(slash - path));
    if (folder == NULL) {
        deliver(diags, NULL);
        return evs__fail_nomem(err);
    }
    in->folder = folder;
    evs_status status = parse(out, in, diags, err);
    evs__free(folder);
    return status;
}

static evs_status load(evs_shardmap **out, input *in, evs_diagnostics **diags, evs_error *err)
{
    evs__buf text = EVS__BUF_INIT;
    evs__file_got got = evs__file_read(&text, in->name, MOST_BYTES, NULL);
    in->text = (evs_bytes){text.data, text.len};
    evs_status status = got == EVS__FILE_READ ? parse_in_folder(out, in, diags, err)
                                              : fail_unread(in->name, got, diags, err);
    evs__buf_free(&text);
    return status;
}

evs_status evs_shardmap_load(evs_shardmap **out, const char *path, evs_diagnostics **diags,
                             evs_error *err)
{
    input in = {.name = path, .is_named = 1};
    return load(out, &in, diags, err);
}

evs_status evs_shardmap_load_bare(evs_shardmap **out, const char *path, evs_diagnostics **diags,
                                  evs_error *err)
{
    input in = {.name = path, .is_named = 1, .bare = 1};
    return load(out, &in, diags, err);
}
