/*
 * GitHub takes a megabyte, so after some hundred rows only their number is told.
 */
#include "tools/script_audit/step_summary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 500 };

static size_t count_of(const evs_report *report, evs_severity severity)
{
    size_t count, n = 0;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        n += findings[i].suppressed == EVS_SUPPRESSED_NOT && findings[i].severity == severity;
    return n;
}

/* A bar would end the cell, a line end the row. */
static void cell(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '`' || *text == '<')
            fprintf(file, "&#%d;", *text);
        else
            fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
}

static int row(FILE *file, const evs_report *report)
{
    size_t errors = count_of(report, EVS_SEVERITY_ERROR);
    size_t warnings = count_of(report, EVS_SEVERITY_WARNING);
    if (errors + warnings == 0)
        return 0;
    fputs("| ", file);
    cell(file, evs_report_path(report));
    fprintf(file, " | %s | %zu | %zu |\n", evs_verdict_name(evs_report_verdict(report)), errors,
            warnings);
    return 1;
}

static void table(FILE *file, const evs_report *const *reports, size_t count)
{
    size_t rows = 0;
    fprintf(file,
            "### script-audit: %zu script%s\n\n| script | keys are | errors | warnings |\n"
            "|---|---|---|---|\n",
            count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count && rows < MOST_ROWS; i++)
        rows += (size_t)row(file, reports[i]);
    if (rows == 0)
        fputs("| nothing found | | | |\n", file);
    if (rows == MOST_ROWS)
        fputs("| ... | | | |\n", file);
}

int step_summary(const char *path, const evs_report *const *reports, size_t count)
{
    FILE *file = fopen(path, "ab");
    if (file != NULL)
        table(file, reports, count);
    if (file == NULL || fclose(file) != 0) {
        fprintf(stderr, "script-audit: %s: %s\n", path, strerror(errno));
        return 0;
    }
    return 1;
}
