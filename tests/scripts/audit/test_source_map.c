/*
 * Places in scripts that were put together from other files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evalshard/audit.h>
#include <string.h>

/* "local p = ARGV[1]\n" from a file, one LF that is in none, and a call from a Python string in
 * which a tab and a quote are escaped. */
#define HEAD   "local p = ARGV[1]"
#define BODY   "return redis.call('GET',\tp)"
#define HOST   "# é\nx = \"\"\"return redis.call(\\'GET',\\tp)\"\"\"\n"
#define SCRIPT HEAD "\n" BODY

static size_t offset(const char *in, const char *what)
{
    return (size_t)(strstr(in, what) - in);
}

static evs_report *audit_both(const evs_source_map *map)
{
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    evs_report *report;
    how.path = "host.py";
    how.map = map;
    how.ignore = "ES110";
    assert_int_equal(evs_audit(&report, evs_text(SCRIPT), &how, NULL), EVS_OK);
    return report;
}

static evs_report *audit_it(void)
{
    static evs_source_file files[2];
    static evs_source_part parts[7];
    static evs_source_map map = {files, 2, parts, 7};
    size_t body = strlen(HEAD) + 1, quote = offset(SCRIPT, "'GET"), tab = offset(SCRIPT, "\t");
    size_t host = offset(HOST, "return");
    files[0] = (evs_source_file){"head.lua", evs_text("\n" HEAD)};
    files[1] = (evs_source_file){"host.py", evs_text(HOST)};
    parts[0] = (evs_source_part){0, 0, 1, strlen(HEAD)};
    parts[1] = (evs_source_part){strlen(HEAD), 0, 1 + strlen(HEAD), 0};
    parts[2] = (evs_source_part){body, 1, host, quote - body};
    parts[3] = (evs_source_part){quote, 1, offset(HOST, "\\'"), 2};
    parts[4] = (evs_source_part){quote + 1, 1, offset(HOST, "GET"), tab - quote - 1};
    parts[5] = (evs_source_part){tab, 1, offset(HOST, "\\t"), 2};
    parts[6] = (evs_source_part){tab + 1, 1, offset(HOST, "p)"), 2};
    return audit_both(&map);
}

static void findings_and_their_steps_are_where_the_text_came_from(void **state)
{
    (void)state;
    evs_report *report = audit_it();
    size_t count;
    const evs_finding *f = evs_report_findings(report, &count);
    assert_int_equal(count, 1);
    assert_string_equal(f->path, "host.py");
    assert_int_equal(f->at.line, 2);
    assert_int_equal(f->at.column, 8 + (int)offset(HOST, "p)") - (int)offset(HOST, "return"));
    assert_int_equal(f->at.end_column, f->at.column + 1);
    assert_string_equal(f->steps[0].path, "head.lua");
    assert_int_equal(f->steps[0].at.line, 2);
    assert_int_equal(f->steps[0].at.column, 11);
    assert_string_equal(f->steps[f->nsteps - 1].path, "host.py");
    const evs_site *site = evs_report_sites(report, &count);
    assert_string_equal(site->path, "host.py");
    assert_int_equal(site->at.column, f->at.column);
    evs_report_free(report);
}

static void text_shows_the_lines_of_all_files(void **state)
{
    (void)state;
    evs_report *report = audit_it();
    const evs_report *one = report;
    char *text;
    assert_int_equal(evs_reports_render(&text, &one, 1, NULL, NULL), EVS_OK);
    assert_non_null(strstr(text, "  --> host.py:2:35\n"));
    assert_non_null(strstr(text, "  ::: head.lua:2:11\n 2 | local p = ARGV[1]\n"));
    assert_non_null(strstr(text, "  ::: host.py:2:35\n 2 | x = \"\"\"return redis.call(\\'GET'"));
    evs_text_free(text);
    evs_report_free(report);
}

static void without_a_map_the_script_is_the_file(void **state)
{
    (void)state;
    evs_report *report = audit_both(NULL);
    size_t count;
    const evs_finding *f = evs_report_findings(report, &count);
    assert_string_equal(f->path, "host.py");
    assert_int_equal(f->at.line, 2);
    assert_int_equal(f->at.column, 26);
    evs_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_and_their_steps_are_where_the_text_came_from),
        cmocka_unit_test(text_shows_the_lines_of_all_files),
        cmocka_unit_test(without_a_map_the_script_is_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
