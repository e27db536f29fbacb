#include "conf/secret.h"

#include "conf/ascii.h"
#include "conf/file.h"
#include "conf/path.h"
#include "conf/quoted.h"
#include "core/mem.h"

#include <errno.h>
#include <stdlib.h>

enum { MOST_BYTES = 4096 };

/* Something else than the name of a variable may be the password itself, so it is not shown. */
static int check_variable(evs__reading *r, const evs__yaml *at)
{
    int good = at->text.len > 0 && !evs__is_digit(at->text.data[0]);
    for (size_t i = 0; good && i < at->text.len; i++)
        good = evs__is_alnum(at->text.data[i]) || at->text.data[i] == '_';
    if (good)
        return 1;
    evs__conceal(r->diags, at->at);
    evs__complain(r->diags, "E217", at->at, "%s must be the name of an environment variable",
                  evs__subject(r, at));
    evs__hint(r->diags, "letters, digits and _; the password itself does not belong here");
    return 0;
}

static int check_source(evs__reading *r, evs__secret_kind kind, const evs__yaml *at)
{
    if (kind == EVS__SECRET_ENV)
        return check_variable(r, at);
    if (at->text.len > 0 && memchr(at->text.data, '\0', at->text.len) == NULL)
        return 1;
    evs__complain(r->diags, at->text.len == 0 ? "E218" : "E217", at->at, "%s %s",
                  evs__subject(r, at), at->text.len == 0 ? "is empty" : "holds a NUL character");
    return 0;
}

evs__secret *evs__secret_new(evs__reading *r, evs__secret_kind kind, const evs__yaml *at)
{
    if (!evs__want_text(r, at) || !check_source(r, kind, at))
        return NULL;
    evs__secret *secret = evs__arena_zalloc(r->scratch, 1, sizeof *secret);
    const char *owner = r->name == NULL
                            ? evs__arena_format(r->scratch, "auth in %s", r->noun)
                            : evs__arena_format(r->scratch, "auth of %s \"%s\"", r->noun, r->name);
    if (secret == NULL || owner == NULL) {
        evs__diagnostics_nomem(r->diags);
        return NULL;
    }
    *secret = (evs__secret){.kind = kind, .at = at, .owner = owner};
    return secret;
}

static const char *plain(evs__reading *r, evs__secret *secret)
{
    evs__complain(r->diags, "W343", secret->at->key->at,
                  "a password stands in the file as plain text (%s)", secret->owner);
    evs__hint(r->diags, "use password_env or password_file");
    return evs__keep(r, secret->at->text);
}

/* ---- reading it again ---- */

static char *read_variable(const evs__secret_source *self)
{
    const char *value = getenv(self->from);
    return value == NULL || value[0] == '\0' ? NULL : evs__copy_text(value, strlen(value));
}

/* Without the line end at its end. */
static evs_bytes trim(evs_bytes text)
{
    if (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    return text;
}

static char *read_file(const evs__secret_source *self)
{
    char *password = NULL;
    evs__buf text = EVS__BUF_INIT;
    if (evs__file_read(&text, self->from, MOST_BYTES, NULL) == EVS__FILE_READ) {
        evs_bytes found = trim((evs_bytes){text.data, text.len});
        if (found.len > 0 && memchr(found.data, '\0', found.len) == NULL)
            password = evs__copy_text(found.data, found.len);
    }
    if (text.data != NULL)
        explicit_bzero(text.data, text.cap);
    evs__buf_free(&text);
    return password;
}

static void keep_source(evs__reading *r, evs__secret *secret, const char *from)
{
    evs__secret_source *source = evs__arena_zalloc(r->arena, 1, sizeof *source);
    if (source == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    source->read = secret->kind == EVS__SECRET_ENV ? read_variable : read_file;
    source->from = evs__keep(r, evs_text(from));
    secret->source = source;
}

/* ---- the first time ---- */

static const char *from_environment(evs__reading *r, evs__secret *secret)
{
    const char *value = getenv(secret->at->text.data);
    keep_source(r, secret, secret->at->text.data);
    if (value != NULL && value[0] != '\0')
        return evs__keep(r, evs_text(value));
    evs__complain(r->diags, "E266", secret->at->at, "environment variable %s (%s) is %s",
                  secret->at->text.data, secret->owner, value == NULL ? "not set" : "empty");
    return NULL;
}

static void complain_file(evs__reading *r, const evs__secret *secret, const char *what)
{
    evs__complain(r->diags, "E267", secret->at->at, "password file %s (%s) %s",
                  evs__quoted(r->scratch, secret->at->text), secret->owner, what);
}

/* Takes one trailing line end off, and makes sure that the rest can be a password. */
static const char *password_of(evs__reading *r, const evs__secret *secret, evs_bytes text)
{
    text = trim(text);
    if (text.len == 0)
        complain_file(r, secret, "is empty");
    else if (memchr(text.data, '\0', text.len) != NULL)
        complain_file(r, secret, "holds a NUL character");
    else
        return evs__keep(r, text);
    return NULL;
}

static const char *from_file(evs__reading *r, evs__secret *secret)
{
    int open_to_all = 0;
    const char *password = NULL, *path = evs__full_path(r, secret->at->text.data);
    evs__buf text = EVS__BUF_INIT;
    if (path == NULL)
        return NULL;
    keep_source(r, secret, path);
    switch (evs__file_read(&text, path, MOST_BYTES, &open_to_all)) {
    case EVS__FILE_READ:
        password = password_of(r, secret, (evs_bytes){text.data, text.len});
        break;
    case EVS__FILE_FAILED:
        evs__complain(r->diags, "E267", secret->at->at, "password file %s (%s) cannot be read: %s",
                      evs__quoted(r->scratch, secret->at->text), secret->owner, strerror(errno));
        break;
    case EVS__FILE_TOO_BIG:
        complain_file(r, secret, "is larger than 4 KiB");
        break;
    case EVS__FILE_NOMEM:
        evs__diagnostics_nomem(r->diags);
        break;
    }
    evs__buf_free(&text);
    if (password != NULL && open_to_all) {
        evs__complain(r->diags, "W342", secret->at->at, "everybody may read password file %s",
                      evs__quoted(r->scratch, secret->at->text));
        evs__hint(r->diags, "chmod o-r on it");
    }
    return password;
}

const char *evs__secret_value(evs__reading *r, evs__secret *secret)
{
    static const char *(*const get[])(evs__reading *, evs__secret *) = {
        [EVS__SECRET_PLAIN] = plain,
        [EVS__SECRET_ENV] = from_environment,
        [EVS__SECRET_FILE] = from_file,
    };
    if (!secret->tried && !(r->bare && secret->kind != EVS__SECRET_PLAIN)) {
        secret->tried = 1;
        secret->value = get[secret->kind](r, secret);
    }
    return secret->value;
}
