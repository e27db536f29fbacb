/* fmt.c - evalshard fmt: shard maps in their canonical form. */
#include <errno.h>
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

enum { CHECK, WRITE };

enum { MOST_BYTES = 4 * 1024 * 1024 };

static const opt_spec options[] = {
    [CHECK] = {'\0', "check", OPT_FLAG, NULL, "only name the files that would change"},
    [WRITE] = {'w', "write", OPT_FLAG, NULL, "write the files in place of printing them"},
};

/* The whole file; NULL after saying why not. A map has no more than MOST_BYTES. */
static char *read_all(const char *path, size_t *len)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *text = need(malloc(MOST_BYTES + 2));
    errno = 0;
    *len = file == NULL ? 0 : fread(text, 1, MOST_BYTES + 1, file);
    int failed = file == NULL || ferror(file);
    if (failed)
        complain("cannot read %s: %s", path, strerror(errno));
    if (file != NULL && file != stdin)
        fclose(file);
    if (!failed)
        return text;
    free(text);
    return NULL;
}

static int write_to(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* Fills the new file `fd` with what the one at `target` shall become, its mode and owner. */
static int make_like(int fd, const char *target, const char *text)
{
    struct stat about;
    if (stat(target, &about) != 0)
        return -1;
    if (fchown(fd, about.st_uid, about.st_gid) != 0 && errno != EPERM)
        return -1;
    return fchmod(fd, about.st_mode & 07777) != 0 ? -1 : write_to(fd, text);
}

/* In one step: a file beside it is renamed over it. A symbolic link stays one. */
static int replace(const char *path, const char *text)
{
    char *target = realpath(path, NULL), *beside = NULL;
    int done = 0, len = target == NULL ? -1 : asprintf(&beside, "%s.XXXXXX", target);
    int fd = len == -1 ? -1 : mkostemp(beside, O_CLOEXEC);
    if (fd != -1) {
        done = make_like(fd, target, text) == 0 && rename(beside, target) == 0;
        int why = errno;
        close(fd);
        if (!done)
            unlink(beside);
        errno = why;
    }
    if (!done)
        complain("cannot write %s: %s", path, strerror(errno));
    if (len != -1)
        free(beside);
    free(target);
    return done ? EXIT_FINE : EXIT_UNREACHABLE;
}

/* The canonical form of the text of `path`; NULL after saying what is wrong. */
static char *format(const char *path, evs_bytes text)
{
    char *made = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err;
    if (evs_shardmap_format(&made, text, path, &diags, &err) != EVS_OK) {
        made = NULL;
        if (evs_diagnostics_errors(diags) > 0)
            fputs(evs_diagnostics_text(diags), stderr);
        complain("%s is left alone: %s", path, err.message);
    }
    evs_diagnostics_free(diags);
    return made;
}

static int settle(const opts *given, const char *path, int differs, const char *made)
{
    if (opt_given(given, CHECK)) {
        if (differs)
            printf("%s\n", path);
        return differs ? EXIT_NO : EXIT_FINE;
    }
    if (opt_given(given, WRITE))
        return differs ? replace(path, made) : EXIT_FINE;
    fputs(made, stdout);
    return EXIT_FINE;
}

static int run_on(const opts *given, const char *path)
{
    size_t len;
    char *text = read_all(path, &len);
    if (text == NULL)
        return EXIT_UNREACHABLE;
    int code = EXIT_USAGE;
    char *made = format(path, (evs_bytes){text, len});
    if (made != NULL)
        code = settle(given, path, strlen(made) != len || memcmp(made, text, len) != 0, made);
    evs_text_free(made);
    free(text);
    return code;
}

static int run(const opts *given)
{
    const opt_list *files = &given->plain;
    const char *wrong = NULL;
    int code = EXIT_FINE;
    if (files->count == 0)
        wrong = "no files: fmt FILE...";
    else if (opt_given(given, CHECK) && opt_given(given, WRITE))
        wrong = "--check goes without --write";
    else if (files->count > 1 && !opt_given(given, CHECK) && !opt_given(given, WRITE))
        wrong = "several files go with --check or --write";
    for (size_t i = 0; wrong == NULL && i < files->count; i++) {
        if (opt_given(given, WRITE) && strcmp(files->words[i], "-") == 0)
            wrong = "standard input cannot be written";
    }
    if (wrong != NULL) {
        complain("fmt: %s", wrong);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < files->count; i++) {
        int one = run_on(given, files->words[i]);
        code = one > code ? one : code;
    }
    return code;
}

const command command_fmt = {
    .name = "fmt",
    .usage = " FILE | fmt [--check | -w] FILE...",
    .summary = "bring shard maps into their canonical form; comments stay",
    .details =
        "Two blanks a level, one behind each colon and comma, comments of neighbouring lines "
        "below\n"
        "each other. The map stays the same one; texts, quotes, comments and the order of keys "
        "are\n"
        "not touched. A file with errors is left alone. FILE may be - for standard input.\n"
        "\n"
        "  evalshard fmt -w shards.yaml\n"
        "  evalshard fmt --check *.yaml\n"
        "\n"
        "exit codes: 0 fine; 1 with --check, a file would change; 2 wrong usage, or a file with\n"
        "            errors; 3 a file that cannot be read or written\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
