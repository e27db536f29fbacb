/* keys.c - reading keys line by line, so that files of any length pass through a pipe. */
#include "tools/evalshard/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

int keys_read(const char *path, const char *what, keys_take *take, void *arg)
{
    char *line = NULL;
    size_t room = 0, count = 0;
    ssize_t len;
    progress p;
    int code = EXIT_FINE;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    progress_start(&p, what);
    while (file != NULL && (len = getline(&line, &room, file)) != -1) {
        if (len > 0 && line[len - 1] == '\n')
            len--;
        take(arg, (evs_bytes){line, (size_t)len});
        progress_show(&p, ++count, 0);
    }
    progress_end(&p);
    if (file == NULL || ferror(file)) {
        complain("cannot read %s: %s", path, strerror(errno));
        code = EXIT_UNREACHABLE;
    }
    if (file != NULL && file != stdin)
        fclose(file);
    free(line);
    return code;
}
