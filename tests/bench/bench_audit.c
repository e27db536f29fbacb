/*
 * What auditing costs, beside what other tools take for the same files.
 *
 *   bench.audit [FOLDER]     all *.lua below FOLDER
 *
 * Without a folder the scripts are this repository's own (idioms, rule snippets, cases, the scripts
 * we ship) and synthetic job-queue scripts of some hundred lines, over and over up to 1.4 MB; they
 * are written to a temporary folder, so that the other tools can read them too.
 *
 * Files are read before the clock starts. The audit is evs_audit and evs_report_free for each file,
 * best of ROUNDS; the other tools (luac5.1 -p, luacheck -q) are run once each, when installed. All
 * seconds are those of one processor, so that a busy machine changes little.
 */
#include <dirent.h>
#include <evalshard/audit.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, FILES_MAX = 20000, BYTES_WANTED = 1400000, PATH_ROOM = 1024 };

typedef struct corpus {
    char **paths;
    evs_bytes *texts;
    size_t count, bytes, lines;
} corpus;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- files ---- */

static void read_file(corpus *c, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0 || c->count == FILES_MAX)
        exit(fprintf(stderr, "cannot read %s\n", path) < 0 ? 1 : 3);
    char *text = malloc((size_t)status.st_size + 1);
    size_t len = text == NULL ? 0 : fread(text, 1, (size_t)status.st_size, file);
    fclose(file);
    c->paths[c->count] = strdup(path);
    c->texts[c->count].data = text;
    c->texts[c->count++].len = len;
    c->bytes += len;
    for (size_t i = 0; i < len; i++)
        c->lines += text[i] == '\n';
}

static void read_folder(corpus *c, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_ROOM];
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".lua") == 0)
            read_file(c, path);
        else if (entries[i]->d_type == DT_DIR && name[0] != '.')
            read_folder(c, path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* ---- scripts of our own ---- */

typedef struct output {
    const char *folder;
    size_t files, bytes;
} output;

/* What does not parse would stop luac. */
static int parses(const char *text, size_t len)
{
    evs_report *report;
    if (evs_audit(&report, (evs_bytes){text, len}, NULL, NULL) != EVS_OK)
        return 0;
    int fine = evs_report_verdict(report) != EVS_VERDICT_NONE && strncmp(text, "#!", 2) != 0;
    evs_report_free(report);
    return fine;
}

static void write_file(output *out, const char *text, size_t len)
{
    if (!parses(text, len))
        return;
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%05zu.lua", out->folder, out->files++);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, len, file) != len)
        exit(fprintf(stderr, "cannot write %s\n", path) < 0 ? 1 : 3);
    fclose(file);
    out->bytes += len;
}

static void write_json(output *out, const char *file, const char *const fields[2])
{
    char path[PATH_ROOM];
    size_t i;
    json_t *item;
    snprintf(path, sizeof path, "%s/tests/data/%s", EVS_BENCH_SOURCE_DIR, file);
    json_t *all = json_load_file(path, 0, NULL);
    json_array_foreach(all, i, item)
    {
        for (size_t k = 0; k < 2 && fields[k] != NULL; k++) {
            const char *text = json_string_value(json_object_get(item, fields[k]));
            if (text != NULL)
                write_file(out, text, strlen(text));
        }
    }
    json_decref(all);
}

static void write_folder(output *out, const char *folder)
{
    char path[PATH_ROOM];
    corpus c = {calloc(FILES_MAX, sizeof(char *)), calloc(FILES_MAX, sizeof(evs_bytes)), 0, 0, 0};
    snprintf(path, sizeof path, "%s/%s", EVS_BENCH_SOURCE_DIR, folder);
    read_folder(&c, path);
    for (size_t i = 0; i < c.count; i++)
        write_file(out, c.texts[i].data, c.texts[i].len);
}

/* What job queues do: helpers, options in a table, lists of arguments, retries, moving jobs. */
static const char queue_part[] =
    "--[[ Moves a job of queue %u to where it belongs. ]]\n"
    "local function moveJob%u(jobKey, targetKey, markerKey, opts, timestamp)\n"
    "    local jobId = string.match(jobKey, '[^:]*$') or ''\n"
    "    local attempts = tonumber(rcall('HGET', jobKey, 'attemptsMade')) or 0\n"
    "    if opts['lifo'] then\n"
    "        rcall('RPUSH', targetKey, jobId)\n"
    "    elseif attempts > (opts.limit or %u) then\n"
    "        rcall('ZADD', targetKey, timestamp + attempts * 1000, jobId)\n"
    "        if rcall('EXISTS', markerKey) == 0 then rcall('ZADD', markerKey, 0, '0') end\n"
    "    else\n"
    "        rcall('LPUSH', targetKey, jobId)\n"
    "    end\n"
    "    local args = {'timestamp', timestamp}\n"
    "    for name, value in pairs(opts) do\n"
    "        args[#args + 1] = name\n"
    "        args[#args + 1] = tostring(value)\n"
    "    end\n"
    "    rcall('HSET', jobKey, unpack(args))\n"
    "    rcall('XADD', KEYS[4], 'MAXLEN', '~', 1000, '*', 'event', 'moved', 'jobId', jobId)\n"
    "    return jobId\n"
    "end\n"
    "for i, key in ipairs(KEYS) do\n"
    "    if i > 4 and rcall('TYPE', key)['ok'] == 'hash' then\n"
    "        moved[#moved + 1] = moveJob%u(key, KEYS[1], KEYS[2], options, now)\n"
    "    end\n"
    "end\n";

static void write_queue(output *out, unsigned n)
{
    static char text[1 << 16];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "local rcall = redis.call\nlocal now = tonumber(ARGV[1])\n"
                                  "local options = cjson.decode(ARGV[2])\nlocal moved = {}\n");
    for (unsigned i = 0; i < 1 + n % 18; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, queue_part, n, i, i, i);
    len += (size_t)snprintf(text + len, sizeof text - len, "return moved\n");
    write_file(out, text, len);
}

static void write_scripts(const char *folder)
{
    static const char *const idiom[2] = {"lua", NULL}, *const rule[2] = {"bad", "good"};
    output out = {folder, 0, 0};
    for (unsigned n = 0; out.bytes < BYTES_WANTED; n++) {
        if (n % 20 == 0) {
            write_json(&out, "audit-idioms.json", idiom);
            write_json(&out, "audit-rules.json", rule);
            write_folder(&out, "tests/scripts/audit/cases");
            write_folder(&out, "scripts/lib");
        }
        write_queue(&out, n);
    }
}

/* ---- measuring ---- */

static double audit_all(const corpus *c, size_t verdicts[8])
{
    double start = now();
    for (size_t i = 0; i < c->count; i++) {
        evs_report *report;
        if (evs_audit(&report, c->texts[i], NULL, NULL) != EVS_OK)
            exit(3);
        verdicts[evs_report_verdict(report)]++;
        evs_report_free(report);
    }
    return now() - start;
}

static double used_by_children(void)
{
    struct rusage use;
    getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* The seconds it takes, or less than 0 when it is not installed. What it finds does not matter. */
static double run(const corpus *c, const char *program, const char *const *options, size_t count)
{
    extern char **environ;
    const char **argv = calloc(c->count + count + 2, sizeof *argv);
    posix_spawn_file_actions_t actions;
    size_t argc = 0;
    int status;
    pid_t child;
    argv[argc++] = program;
    for (size_t i = 0; i < count; i++)
        argv[argc++] = options[i];
    for (size_t i = 0; i < c->count; i++)
        argv[argc++] = c->paths[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    double start = used_by_children();
    int failed = posix_spawnp(&child, program, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(argv);
    if (failed != 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) == 127)
        return -1;
    return used_by_children() - start;
}

static void show(const char *name, const corpus *c, double seconds, double ours)
{
    if (seconds < 0) {
        printf("%-12s not installed\n", name);
        return;
    }
    printf("%-12s %8.1f ms %8.2f MB/s %10.0f lines/s %9.0f scripts/s", name, seconds * 1e3,
           (double)c->bytes / seconds / 1e6, (double)c->lines / seconds,
           (double)c->count / seconds);
    if (ours > 0)
        printf("   %.1f times as long", seconds / ours);
    printf("\n");
}

static void remove_all(const corpus *c, const char *folder)
{
    for (size_t i = 0; i < c->count; i++)
        unlink(c->paths[i]);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/evalshard-bench-XXXXXX";
    static const char *const parse[] = {"-p", "--"}, *const check[] = {"-q", "--no-config", "--"};
    corpus c = {calloc(FILES_MAX, sizeof(char *)), calloc(FILES_MAX, sizeof(evs_bytes)), 0, 0, 0};
    const char *folder = argc > 1 ? argv[1] : mkdtemp(made);
    if (argc < 2)
        write_scripts(folder);
    read_folder(&c, folder);
    if (c.count == 0)
        return fprintf(stderr, "no *.lua below %s\n", folder) < 0 ? 1 : 3;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double best = 1e18;
    size_t verdicts[8] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        double took = audit_all(&c, verdicts);
        best = took < best ? took : best;
    }
    getrusage(RUSAGE_SELF, &after);
    printf("%zu scripts, %.2f MB, %zu lines\n", c.count, (double)c.bytes / 1e6, c.lines);
    for (int i = 0; i <= EVS_VERDICT_NONE; i++)
        if (verdicts[i] > 0)
            printf("  %s %zu", evs_verdict_name((evs_verdict)i), verdicts[i] / ROUNDS);
    printf("\npeak memory %.1f MB, of which the sources take %.1f MB\n",
           (double)after.ru_maxrss / 1024, (double)before.ru_maxrss / 1024);
    show("evs_audit", &c, best, 0);
    show("luac5.1 -p", &c, run(&c, "luac5.1", parse, 2), best);
    show("luacheck -q", &c, run(&c, "luacheck", check, 3), best);
    if (argc < 2)
        remove_all(&c, folder);
    return 0;
}
