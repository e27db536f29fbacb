/*
 * Which settings an input has: the file named .script-audit.yaml in its folder or in the nearest
 * one above. Each folder is looked at once.
 */
#include "tools/script_audit/config.h"

#include "tools/script_audit/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct config_entry {
    char *folder;     /* absolute */
    config *settings; /* NULL: none, or not usable */
    int usable;
    int owned; /* the first entry with these settings frees them */
} config_entry;

static int nomem(void)
{
    fputs("script-audit: out of memory\n", stderr);
    return 0;
}

static config_entry *find(config_set *set, const char *folder)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->entries[i].folder, folder) == 0)
            return &set->entries[i];
    return NULL;
}

static config_entry *add(config_set *set, const char *folder, config_entry entry)
{
    if (set->count == set->cap) {
        size_t cap = set->cap * 2 + 16;
        config_entry *entries = realloc(set->entries, cap * sizeof *entries);
        if (entries == NULL)
            return NULL;
        set->entries = entries;
        set->cap = cap;
    }
    entry.folder = strdup(folder);
    if (entry.folder == NULL)
        return NULL;
    set->entries[set->count] = entry;
    return &set->entries[set->count++];
}

static config_entry read_entry(config_set *set, const char *path)
{
    config_entry entry = {NULL, config_read(path, &set->choice, &set->unreadable), 0, 1};
    entry.usable = entry.settings != NULL;
    set->maps += !entry.usable || entry.settings->map != NULL;
    set->failed |= !entry.usable;
    return entry;
}

static config_entry *parent_entry(config_set *set, char *folder);

/* The settings of a folder; NULL when out of memory. As deep as the folder is. */
static config_entry *look(config_set *set, char *folder)
{
    config_entry *known = find(set, folder);
    if (known != NULL)
        return known;
    size_t size = strlen(folder) + sizeof CONFIG_NAME + 2;
    char *path = malloc(size);
    if (path == NULL)
        return NULL;
    snprintf(path, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, CONFIG_NAME);
    int there = access(path, F_OK) == 0;
    config_entry *entry = NULL;
    if (there)
        entry = add(set, folder, read_entry(set, path));
    else if ((entry = parent_entry(set, folder)) != NULL) {
        config_entry same = *entry;
        same.owned = 0;
        entry = add(set, folder, same);
    }
    free(path);
    return entry;
}

static config_entry *parent_entry(config_set *set, char *folder)
{
    static const config_entry none = {NULL, NULL, 1, 0};
    if (strcmp(folder, "/") == 0)
        return add(set, "//", none);
    char *slash = strrchr(folder, '/');
    char kept = slash == folder ? slash[1] : '/';
    *(slash == folder ? slash + 1 : slash) = '\0';
    config_entry *entry = look(set, folder);
    *(slash == folder ? slash + 1 : slash) = kept;
    return entry;
}

/* The absolute path of the folder that a file is in. */
static char *folder_of(const char *path)
{
    char *folder = path_folder(path);
    char *real = folder == NULL ? NULL : realpath(folder, NULL);
    if (real == NULL && folder != NULL)
        real = realpath(".", NULL); /* a name for standard input may be in no folder that exists */
    free(folder);
    return real;
}

static config_entry *entry_for(config_set *set, const char *path)
{
    if (set->given != NULL) {
        config_entry *entry = find(set, "");
        return entry != NULL ? entry : add(set, "", read_entry(set, set->given));
    }
    char *folder = folder_of(path);
    config_entry *entry = folder == NULL ? NULL : look(set, folder);
    free(folder);
    return entry;
}

int config_for(config_set *set, const char *path, const config **out)
{
    *out = NULL;
    if (set->none)
        return 1;
    config_entry *entry = entry_for(set, path);
    if (entry == NULL) {
        set->failed = 1;
        return nomem();
    }
    *out = entry->settings;
    return entry->usable;
}

void config_set_free(config_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->entries[i].owned)
            config_free(set->entries[i].settings);
        free(set->entries[i].folder);
    }
    free(set->entries);
}
