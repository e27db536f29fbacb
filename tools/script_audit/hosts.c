#include "tools/script_audit/hosts.h"

#include <stdio.h>
#include <stdlib.h>

static int has_room(hosts *all)
{
    if (all->count < all->cap)
        return 1;
    size_t cap = all->cap * 2 + 64;
    host *items = realloc(all->items, cap * sizeof *items);
    if (items == NULL)
        return 0;
    all->items = items;
    all->cap = cap;
    return 1;
}

/* Most programs have no scripts: their text need not be kept. */
const evs_extraction *hosts_add(hosts *all, evs_bytes text, const char *name, evs_error *err)
{
    host made = {(char *)text.data, NULL};
    size_t count = 0;
    snprintf(err->message, sizeof err->message, "out of memory");
    if (!has_room(all) || evs_extract(&made.extraction, text, name, err) != EVS_OK) {
        free(made.text);
        return NULL;
    }
    evs_extraction_scripts(made.extraction, &count);
    if (count == 0) {
        free(made.text);
        made.text = NULL;
    }
    all->items[all->count++] = made;
    return made.extraction;
}

void hosts_free(hosts *all)
{
    for (size_t i = 0; i < all->count; i++) {
        evs_extraction_free(all->items[i].extraction);
        free(all->items[i].text);
    }
    free(all->items);
}
