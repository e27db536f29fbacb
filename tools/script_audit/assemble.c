#include "tools/script_audit/assemble.h"

#include "tools/script_audit/input.h"
#include "tools/script_audit/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, MOST_BYTES = 16 * 1024 * 1024 };

typedef struct assembler {
    assembled *out;
    const config *settings;
    failures *failed;
    size_t open[DEPTH_MAX]; /* the files that we are in */
    size_t depth;
} assembler;

/* A line that stands for a file. */
typedef struct include {
    const char *file; /* in the text, not terminated */
    size_t len;
    int column; /* where it stands, from 1 */
    int once;
} include;

static int nomem(assembler *a, const char *name)
{
    failures_add(a->failed, name, "out of memory");
    return 0;
}

/* ---- what is collected ---- */

/* `array` points to a pointer. 0 when out of memory; nothing has changed then. */
static int grow(void *array, size_t size)
{
    void **at = array;
    void *more = realloc(*at, size);
    if (more == NULL)
        return 0;
    *at = more;
    return 1;
}

/* Takes over `text`; the number of the file, or SIZE_MAX. */
static size_t add_file(assembler *a, const char *name, char *text, size_t len)
{
    assembled *out = a->out;
    if (out->nfiles == out->files_cap) {
        size_t cap = out->files_cap * 2 + 4;
        if (!grow(&out->names, cap * sizeof *out->names) ||
            !grow(&out->texts, cap * sizeof *out->texts) ||
            !grow(&out->files, cap * sizeof *out->files)) {
            free(text);
            return SIZE_MAX;
        }
        out->files_cap = cap;
    }
    size_t i = out->nfiles;
    out->texts[i] = text;
    out->names[i] = strdup(name);
    out->nfiles++;
    if (out->names[i] == NULL)
        return SIZE_MAX;
    out->files[i] = (evs_source_file){out->names[i], {text, len}};
    return i;
}

/* Appends what stands in a file at `at`; a `length` of its own when `text` is not from there. */
static int append(assembler *a, size_t file, size_t at, evs_bytes text, size_t length)
{
    assembled *out = a->out;
    if (text.len == 0)
        return 1;
    if (out->nparts == out->parts_cap) {
        size_t cap = out->parts_cap * 2 + 16;
        evs_source_part *parts = realloc(out->parts, cap * sizeof *parts);
        if (parts == NULL)
            return nomem(a, out->names[file]);
        out->parts = parts;
        out->parts_cap = cap;
    }
    out->parts[out->nparts++] = (evs_source_part){out->text.len, file, at, length};
    evs__buf_append(&out->text, text.data, text.len);
    if (out->text.len > MOST_BYTES) {
        failures_add(a->failed, out->names[0], "larger than 16 MiB with all it includes");
        return 0;
    }
    return evs__buf_ok(&out->text) || nomem(a, out->names[file]);
}

/* ---- include lines ---- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);
    if (at == NULL || (size_t)(end - at) < len || memcmp(at, word, len) != 0)
        return NULL;
    return at + len;
}

/* Up to `close`, which must end the line. */
static int take_name(include *out, const char *line, const char *at, const char *end, char close)
{
    while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    if (end - at < 2 || end[-1] != close)
        return 0;
    out->file = at;
    out->column = (int)(at - line) + 1;
    out->len = (size_t)(end - 1 - at);
    return memchr(at, close, out->len) == NULL;
}

/* Is the line one of the two forms? */
static int is_include(include *out, const char *line, const char *end)
{
    const char *at = skip_blanks(line, end);
    const char *name = skip_word(at, end, "---");
    if (name != NULL && (name = skip_word(skip_blanks(name, end), end, "@include")) != NULL) {
        name = skip_blanks(name, end);
        out->once = 1;
        if (name < end && (*name == '"' || *name == '\''))
            return take_name(out, line, name + 1, end, *name);
        return 0;
    }
    name = skip_word(at, end, "--");
    name = name == NULL ? NULL : skip_word(skip_blanks(name, end), end, "$include(");
    out->once = 0;
    return name != NULL && take_name(out, line, name, end, ')');
}

/* ---- finding files ---- */

/* `folder`/`name`, with ".lua" behind it when there is no such file. NULL when there is neither. */
static char *existing(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    if (path == NULL || access(path, F_OK) == 0)
        return path;
    size_t len = strlen(path);
    char *longer = realloc(path, len + sizeof ".lua");
    if (longer == NULL) {
        free(path);
        return NULL;
    }
    memcpy(longer + len, ".lua", sizeof ".lua");
    if (access(longer, F_OK) == 0)
        return longer;
    free(longer);
    return NULL;
}

/* The file that an include in `from` means; NULL when there is none. */
static char *resolve(const assembler *a, const char *from, const char *name)
{
    char *folder = path_folder(from);
    char *path = folder == NULL ? NULL : existing(folder, name);
    free(folder);
    for (size_t i = 0; path == NULL && a->settings != NULL && i < a->settings->ninclude_paths;
         i++) {
        char *base = path_join(a->settings->folder, a->settings->include_paths[i]);
        char *found = base == NULL ? NULL : existing(base, name);
        path = found == NULL ? NULL : path_shown(found);
        free(found);
        free(base);
    }
    return path;
}

/* ---- putting together ---- */

static int expand(assembler *a, size_t file);

static size_t file_called(const assembler *a, const char *path)
{
    for (size_t i = 0; i < a->out->nfiles; i++)
        if (strcmp(a->out->names[i], path) == 0)
            return i;
    return SIZE_MAX;
}

static int is_open(const assembler *a, size_t file)
{
    for (size_t i = 0; i < a->depth; i++)
        if (a->open[i] == file)
            return 1;
    return 0;
}

static int enter(assembler *a, const char *path, int once)
{
    size_t len, file = file_called(a, path);
    if (file != SIZE_MAX && once)
        return 1;
    if (file == SIZE_MAX) {
        char *text = input_read(path, path, &len, a->failed);
        if (text == NULL)
            return 0;
        file = add_file(a, path, text, len);
    }
    return file != SIZE_MAX ? expand(a, file) : nomem(a, path);
}

static int take_include(assembler *a, size_t from, const include *inc, int line)
{
    const char *name = a->out->names[from];
    int column = inc->column, done = 0;
    char *wanted = strndup(inc->file, inc->len);
    char *path = wanted == NULL ? NULL : resolve(a, name, wanted);
    size_t file = path == NULL ? SIZE_MAX : file_called(a, path);
    a->out->composed = 1;
    if (wanted == NULL)
        nomem(a, name);
    else if (path == NULL)
        failures_add_at(a->failed, name, line, column, "there is no file %s to include", wanted);
    else if (file != SIZE_MAX && is_open(a, file))
        failures_add_at(a->failed, name, line, column, "%s includes itself", path);
    else if (a->depth == DEPTH_MAX)
        failures_add_at(a->failed, name, line, column, "includes are nested deeper than %d",
                        DEPTH_MAX);
    else
        done = enter(a, path, inc->once);
    free(path);
    free(wanted);
    return done;
}

/* The text of a file, with other files for its include lines. */
static int expand(assembler *a, size_t file)
{
    evs_bytes all = a->out->files[file].text;
    size_t from = 0;
    int line = 1, done = 1;
    a->open[a->depth++] = file;
    for (size_t at = 0; at < all.len && done; line++) {
        const char *end = memchr(all.data + at, '\n', all.len - at);
        size_t stop = end == NULL ? all.len : (size_t)(end - all.data);
        include inc;
        if (is_include(&inc, all.data + at, all.data + stop)) {
            evs_bytes before = {all.data + from, at - from};
            done = append(a, file, from, before, before.len) && take_include(a, file, &inc, line);
            from = stop;
        }
        at = stop + 1;
    }
    evs_bytes rest = {all.data + from, all.len - from};
    a->depth--;
    return done && append(a, file, from, rest, rest.len);
}

static int has_includes(evs_bytes text)
{
    return memmem(text.data, text.len, "include", strlen("include")) != NULL;
}

static int take_file(assembler *a, const char *path, const char *name)
{
    size_t len;
    char *text = input_read(path, name, &len, a->failed);
    size_t file = text == NULL ? SIZE_MAX : add_file(a, name, text, len);
    if (text == NULL)
        return 0;
    if (file == SIZE_MAX)
        return nomem(a, name);
    evs_bytes all = {text, len};
    if ((a->settings == NULL || a->settings->includes) && has_includes(all))
        return expand(a, file);
    return append(a, file, 0, all, len);
}

static void finish(assembled *out)
{
    out->map = (evs_source_map){out->files, out->nfiles, out->parts, out->nparts};
}

int assemble_file(assembled *out, const char *path, const char *name, const config *settings,
                  failures *failed)
{
    assembler a = {.out = out, .settings = settings, .failed = failed};
    memset(out, 0, sizeof *out);
    evs__buf_text(&out->text, "");
    int done = take_file(&a, path, name);
    finish(out);
    return done;
}

/* A line end between files that do not end with one. */
static int separate(assembler *a)
{
    assembled *out = a->out;
    evs_bytes end = {"\n", 1};
    if (out->text.len == 0 || out->text.data[out->text.len - 1] == '\n')
        return 1;
    size_t last = out->parts[out->nparts - 1].file;
    return append(a, last, out->files[last].text.len, end, 0);
}

int assemble_list(assembled *out, const config_concat *list, const config *settings,
                  failures *failed)
{
    assembler a = {.out = out, .settings = settings, .failed = failed};
    int done = 1;
    memset(out, 0, sizeof *out);
    evs__buf_text(&out->text, "");
    out->composed = 1;
    for (size_t i = 0; i < list->nfiles && done; i++) {
        char *path = path_join(settings->folder, list->files[i]);
        char *shown = path == NULL ? NULL : path_shown(path);
        done = shown == NULL ? nomem(&a, list->name) : separate(&a) && take_file(&a, shown, shown);
        free(shown);
        free(path);
    }
    finish(out);
    return done;
}

void assembled_free(assembled *a)
{
    for (size_t i = 0; i < a->nfiles; i++) {
        free(a->names[i]);
        free(a->texts[i]);
    }
    free(a->names);
    free(a->texts);
    free(a->files);
    free(a->parts);
    evs__buf_free(&a->text);
}
