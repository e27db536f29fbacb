/*
 * Scripts that say what is expected of them:
 *
 *     -- verdict: undeclared
 *     -- expect: ES102 4:12
 *
 * and perhaps with which options it is audited:
 *
 *     -- target: redis:6.2
 *     -- select: ES703
 *
 * The findings are exactly the expected ones, in any order. ES110, which says of a whole script
 * that it takes no keys, goes without saying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <evalshard/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = EVS_TEST_SOURCE_DIR "/tests/scripts/audit/cases";

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

/* How often the script says `line`. */
static size_t lines_like(const char *text, const char *line)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += strlen(line))
        n += at[strlen(line)] == '\n';
    return n;
}

static size_t lines_beginning(const char *text, const char *line)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, line)) != NULL; at += strlen(line))
        n++;
    return n;
}

static void check_findings(const char *name, const char *text, const evs_report *report)
{
    size_t count, silent = 0;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++) {
        char line[64];
        if (strcmp(findings[i].code, "ES110") == 0) {
            silent++;
            continue;
        }
        snprintf(line, sizeof line, "-- expect: %s %d:%d", findings[i].code, findings[i].at.line,
                 findings[i].at.column);
        if (lines_like(text, line) == 0)
            fail_msg("%s: not expected: %s %d:%d: %s", name, findings[i].code, findings[i].at.line,
                     findings[i].at.column, findings[i].message);
    }
    if (count - silent != lines_beginning(text, "-- expect: "))
        fail_msg("%s: %zu findings", name, count);
}

/* What stands behind `label` on its line, in `space`; NULL when nothing does. */
static const char *said(const char *text, const char *label, char space[64])
{
    const char *at = strstr(text, label);
    if (at == NULL)
        return NULL;
    snprintf(space, 64, "%.*s", (int)strcspn(at + strlen(label), "\n"), at + strlen(label));
    return space;
}

static void check_case(const char *name)
{
    char path[512], line[64], target[64], select[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = read_file(path);
    evs_report *report;
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    options.target = said(text, "-- target: ", target);
    options.extend_select = said(text, "-- select: ", select);
    assert_int_equal(evs_audit(&report, evs_text(text), &options, NULL), EVS_OK);
    snprintf(line, sizeof line, "-- verdict: %s", evs_verdict_name(evs_report_verdict(report)));
    if (lines_like(text, line) != 1)
        fail_msg("%s: the verdict is %s", name, line + strlen("-- verdict: "));
    check_findings(name, text, report);
    evs_report_free(report);
    free(text);
}

static void cases_are_as_they_say(void **state)
{
    (void)state;
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), checked = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (strstr(entries[i]->d_name, ".lua") != NULL) {
            check_case(entries[i]->d_name);
            checked++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(checked >= 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
