/*
 * What a script can do to the data, and what an error reply to it can mean: the two facts that a
 * client relies on when a call failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evalshard/audit.h>

typedef struct row {
    const char *why;
    const char *source;
    int expected;
} row;

typedef int fact(const evs_report *report);

static void check(const row *rows, size_t count, fact *ask)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        evs_report *report;
        assert_int_equal(evs_audit(&report, evs_text(rows[i].source), NULL, NULL), EVS_OK);
        if (ask(report) != rows[i].expected) {
            print_error("%s: is %d: %s\n", rows[i].why, ask(report), rows[i].source);
            wrong++;
        }
        evs_report_free(report);
    }
    assert_int_equal(wrong, 0);
}

static const row writes[] = {
    {"reading", "return redis.call('GET', KEYS[1])", 0},
    {"nothing at all", "return 1", 0},
    {"no command that the table has as one", "return redis.call('PING')", 0},
    {"writing", "return redis.call('SET', KEYS[1], 1)", 1},
    {"an alias", "local c = redis.pcall return c('INCR', KEYS[1])", 1},
    {"in a function", "local function f(c) return redis.call(c, KEYS[1]) end return f('DEL')", 1},
    {"a function nobody calls", "local function f() redis.call('DEL', KEYS[1]) end return 1", 0},
    {"code that is never reached", "if false then redis.call('DEL', KEYS[1]) end", 0},
    {"one of two commands",
     "local c = ARGV[1] == '1' and 'GET' or 'INCR' return redis.call(c, KEYS[1])", 1},
    {"both of them harmless",
     "local c = ARGV[1] == '1' and 'GET' or 'TTL' return redis.call(c, KEYS[1])", 0},
    {"a command from outside", "return redis.call(ARGV[1], KEYS[1])", 1},
    {"a command of a module", "return redis.call('JSON.GET', KEYS[1])", 1},
    {"it is no write, but goes to replicas", "return redis.call('PUBLISH', 'c', 'm')", 1},
    {"so is this", "return redis.call('PFCOUNT', KEYS[1])", 1},
    {"and this", "return redis.call('SPUBLISH', KEYS[1], 'm')", 1},
    {"a subcommand that reads", "return redis.call('XINFO', 'STREAM', KEYS[1])", 0},
    {"a subcommand that writes", "return redis.call('XGROUP', 'CREATE', KEYS[1], 'g', '$')", 1},
    {"it may store", "return redis.call('SORT', KEYS[1])", 1},
    {"it may not", "return redis.call('SORT_RO', KEYS[1])", 0},
    {"it manages the server", "return redis.call('CONFIG', 'SET', 'maxmemory', '1')", 1},
    {"caught by pcall", "pcall(redis.call, 'DEL', KEYS[1])", 1},
    {"in a callback", "string.gsub('a', '.', function() redis.call('DEL', KEYS[1]) end)", 1},
    {"code that is not followed", "return loadstring(ARGV[1])()", 1},
    {"no Lua", "return return", 1},
    {"a library",
     "#!lua name=l\nredis.register_function('f', function(k) return redis.call('GET', k[1]) end)",
     0},
    {"a library that writes",
     "#!lua name=l\nredis.register_function('f', function(k) return redis.call('DEL', k[1]) end)",
     1},
};

static const row errors[] = {
    {"a reply", "return redis.call('GET', KEYS[1])", 0},
    {"a list", "return redis.call('LRANGE', KEYS[1], 0, -1)", 0},
    {"a part of a list", "return redis.call('LRANGE', KEYS[1], 0, -1)[1]", 0},
    {"nothing", "redis.call('SET', KEYS[1], 1)", 0},
    {"strings and numbers", "if ARGV[1] then return ARGV[1] end return #KEYS", 0},
    {"a status", "return redis.status_reply('OK')", 0},
    {"a table for one", "return {ok = ARGV[1]}", 0},
    {"a status of something else is an error", "return redis.status_reply(1)", 1},
    {"or of nothing", "return redis.status_reply()", 1},
    {"a list made here", "local t = {} for i, k in ipairs(KEYS) do t[#t + 1] = k end return t", 0},
    {"its own argument list", "return ARGV", 0},
    {"what JSON says may be anything", "return cjson.decode(ARGV[1])", 1},
    {"JSON as text is text", "return cjson.encode({err = 1})", 0},
    {"one field of what JSON says may be a table", "return cjson.decode(ARGV[1]).id", 1},
    {"made a string of", "return tostring(cjson.decode(ARGV[1]).id)", 0},
    {"an error", "return redis.error_reply('BUSY')", 1},
    {"an error on one path", "if #KEYS > 9 then return redis.error_reply('X') end return 1", 1},
    {"an error on no path", "if false then return redis.error_reply('X') end return 1", 0},
    {"an error by hand", "return {err = 'BUSY'}", 1},
    {"a field set later", "local t = {} t.err = 'BUSY' return t", 1},
    {"a field with a name from outside", "local t = {} t[ARGV[1]] = 'BUSY' return t", 1},
    {"a field with another name", "local t = {} t['code'] = 'BUSY' return t", 0},
    {"a field in a metatable", "return setmetatable({}, {__index = {err = 'BUSY'}})", 1},
    {"an error inside of a list is no error reply", "return {redis.error_reply('BUSY')}", 0},
    {"pcall catches", "return redis.pcall('GET', KEYS[1])", 1},
    {"pcall catches into a variable", "local r = redis.pcall('GET', KEYS[1]) return r", 1},
    {"what pcall gave is not returned", "redis.pcall('GET', KEYS[1]) return 1", 0},
    {"what pcall gave is returned in a list", "return {redis.pcall('GET', KEYS[1])}", 0},
    {"what Lua's pcall caught", "local ok, e = pcall(redis.call, 'GET', KEYS[1]) return e", 1},
    {"whether it caught", "local ok, e = pcall(redis.call, 'GET', KEYS[1]) return ok", 0},
    {"either of the two", "local f = #KEYS > 1 and redis.call or redis.pcall\nreturn f('GET', 'k')",
     1},
    {"written into a reply", "local r = redis.call('LRANGE', KEYS[1], 0, -1) r.err = 'X' return r",
     1},
    {"a reply of a module", "return redis.call('JSON.GET', KEYS[1])", 1},
    {"raised with a text", "error('BUSY')", 0},
    {"raised as a table", "error({err = 'BUSY'})", 0},
    {"raised as a table that hides where", "error(setmetatable({err = 'BUSY'}, {}))", 1},
    {"raised by assert", "assert(false, 'BUSY')", 0},
    {"raised where there is no line", "string.gsub('k', '.', redis.call)", 1},
    {"raised out of a sort", "table.sort({{err = 'BUSY'}, {}}, error)", 1},
    {"raised in a function that is called back",
     "string.gsub('k', '.', function(k) error({err = 'BUSY'}) end)", 0},
    {"raised in a text compiled later", "loadstring('error({err = [[BUSY]]})')()", 1},
    {"maps of RESP3 have any field",
     "redis.setresp(3) local r = redis.call('HGETALL', KEYS[1]) return r.map", 1},
    {"RESP2 has none", "redis.setresp(2) return redis.call('HGETALL', KEYS[1])", 0},
    {"code that is not followed", "for n, f in pairs(redis) do f() end return 1", 1},
    {"no Lua", "return return", 1},
    {"a table of the sandbox", "return redis", 1},
    {"a function", "return redis.call", 0},
    {"a library", "#!lua name=l\nredis.register_function('f', function(k, a) return a[1] end)", 0},
    {"a library that returns an error",
     "#!lua name=l\nredis.register_function('f', function(k) return redis.error_reply('X') end)",
     1},
};

static void a_script_that_may_write_says_so(void **state)
{
    (void)state;
    check(writes, sizeof writes / sizeof *writes, evs_report_may_write);
}

static void a_script_that_may_return_an_error_says_so(void **state)
{
    (void)state;
    check(errors, sizeof errors / sizeof *errors, evs_report_may_return_errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_that_may_write_says_so),
        cmocka_unit_test(a_script_that_may_return_an_error_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
