/*
 * audit_gate.c - a build step that lets only scripts pass whose keys are all declared.
 *
 *     audit_gate scripts/a.lua scripts/b.lua
 *
 * Needs libevalshard-audit alone: no network, no server. What is wrong is printed as a compiler
 * would; the exit code is 1 when a script touches a key that is not an element of KEYS, or when the
 * audit cannot tell.
 */
#include <evalshard/audit.h>

#include <stdio.h>
#include <stdlib.h>

/* `*out` is the file's text, yours to free; 0 when it cannot be read. */
static int read_file(char **out, size_t *size, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    int ok = fseek(file, 0, SEEK_END) == 0;
    long end = ok ? ftell(file) : -1;
    rewind(file);
    *out = end < 0 ? NULL : malloc((size_t)end + 1);
    *size = *out == NULL ? 0 : fread(*out, 1, (size_t)end, file);
    ok = *out != NULL && *size == (size_t)end;
    fclose(file);
    return ok;
}

static void print_findings(const evs_report *report)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        printf("%s:%d:%d: %s: %s\n", evs_report_path(report), findings[i].at.line,
               findings[i].at.column, findings[i].code, findings[i].message);
}

static int is_fine(evs_bytes source, const char *path)
{
    evs_error err = {0};
    evs_report *report = NULL;
    evs_audit_options opts = EVS_AUDIT_OPTIONS_INIT;
    opts.path = path;
    if (evs_audit(&report, source, &opts, &err) != EVS_OK) {
        fprintf(stderr, "audit_gate: %s: %s\n", path, err.message);
        return 0;
    }
    evs_verdict verdict = evs_report_verdict(report);
    printf("%s: %s\n", path, evs_verdict_name(verdict));
    print_findings(report);
    evs_report_free(report);
    return verdict == EVS_VERDICT_DECLARED || verdict == EVS_VERDICT_NO_KEYS;
}

int main(int argc, char **argv)
{
    int code = 0;
    for (int i = 1; i < argc; i++) {
        char *text = NULL;
        size_t size = 0;
        if (!read_file(&text, &size, argv[i])) {
            fprintf(stderr, "audit_gate: %s cannot be read\n", argv[i]);
            code = 1;
        } else if (!is_fine((evs_bytes){text, size}, argv[i])) {
            code = 1;
        }
        free(text);
    }
    return code;
}
