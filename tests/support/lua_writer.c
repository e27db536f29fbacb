#include "tests/support/lua_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef lua_writer writer;

static unsigned roll(writer *w, unsigned sides)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->random >> 33) % sides;
}

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->text + w->len, LUA_WRITER_MAX - w->len, format, args);
    va_end(args);
    assert_true(n >= 0 && w->len + (size_t)n < LUA_WRITER_MAX);
    for (int i = 0; i < n; i++)
        w->line += w->text[w->len + (size_t)i] == '\n';
    w->len += (size_t)n;
}

static void variable(writer *w)
{
    static const char *const names[] = {"v0", "v1", "v2", "v3", "a", "b"};
    put(w, "%s", names[roll(w, w->in_function ? 6 : 4)]);
}

static void key(writer *w, int depth);
static void around(writer *w, int depth);

static void condition(writer *w)
{
    switch (roll(w, 8)) {
    case 0:
        put(w, "#KEYS > %u", roll(w, 3));
        return;
    case 1:
        variable(w);
        return;
    case 2:
        put(w, "not ");
        variable(w);
        return;
    case 3:
        variable(w);
        put(w, roll(w, 2) ? " == KEYS[%u]" : " ~= KEYS[%u]", 1 + roll(w, 3));
        return;
    case 4:
        variable(w);
        put(w, roll(w, 2) ? " == 'bad'" : " ~= 'bad'");
        return;
    case 5:
        variable(w);
        put(w, roll(w, 2) ? " and " : " or ");
        variable(w);
        put(w, " ~= nil");
        return;
    case 6:
        put(w, "f%u(", roll(w, 2));
        variable(w);
        put(w, ") == ");
        variable(w);
        return;
    default:
        put(w, "ARGV[1] == '%u'", roll(w, 3));
        return;
    }
}

static void bad_key(writer *w)
{
    static const char *const bad[] = {
        "'bad'", "ARGV[1]", "ARGV[#ARGV]", "'k1'..'z'", "redis.call('ECHO', 'bad')", "'bad'"};
    put(w, "%s", bad[roll(w, 6)]);
}

static void call_of(writer *w, int depth)
{
    static const char *const calls[] = {"f0(", "f1(", "h(f0, ", "t0.f("};
    put(w, "%s", calls[roll(w, 4)]);
    key(w, depth);
    put(w, ", ");
    key(w, depth);
    put(w, ")");
}

/* Expressions that lead a key through something: $ stands for a key, # for a small number. Of
 * what begins with an exclamation mark a careful audit thinks less well. */
static void around(writer *w, int depth)
{
    static const char *const forms[] = {
        "tostring($)",
        "!string.sub($ or KEYS[1], 1, -1)",
        "!string.format('%s', $)",
        "!(($ or KEYS[1]) .. '')",
        "!(string.gsub($ or KEYS[1], 'x', 'y'))",
        "!table.concat({$ or KEYS[1]})",
        "!string.lower(string.upper($ or KEYS[1]))",
        "(select(#, $, $))",
        "(select(-1, $, $))",
        "!(select(2, pcall(f0, $)))",
        "!(select(2, pcall(error, $)))",
        "!(select(2, xpcall(function() return $ end, f0)))",
        "(function(...) return ... end)($, $)",
        "(function(...) return arg[#] end)($, $)",
        "(function(x, ...) return ... end)($, $)",
        "(function(...) local x, y = ... return y end)($, $)",
        "r0(#, $, $)",
        "r1(#, $)",
        "member($)",
        "(loadstring('return ...')($))",
        "(loadstring('local a, b = ... return b')($, $))",
        "loadstring('return KEYS[#]')()",
        "new($):get()",
        "new($).key",
        "(next({[$ or KEYS[1]] = 1}))",
        "(table.remove({$ or KEYS[1], $}))",
        "({unpack({$, $}, #)})[1]",
        "rawget({a = $}, 'a')",
        "!(string.match($ or KEYS[1], '.*'))",
        "!(string.rep($ or KEYS[1], 1))",
        "!cjson.decode(cjson.encode({$ or KEYS[1]}))[1]",
        "!(tonumber($) or $)",
        "($ == KEYS[#] and $ or KEYS[1])",
        "!(type($) == 'string' and $ or nil)",
        "!(assert($ or KEYS[1]))",
    };
    const char *at = forms[roll(w, sizeof forms / sizeof *forms)];
    while (*at == '!' && !w->derives)
        at = forms[roll(w, sizeof forms / sizeof *forms)];
    for (at += *at == '!'; *at != '\0'; at++) {
        if (*at == '$')
            key(w, depth > 1 ? 1 : 0);
        else if (*at == '#')
            put(w, "%u", 1 + roll(w, 2));
        else
            put(w, "%c", *at);
    }
}

static void key(writer *w, int depth)
{
    if (w->bad > 0 && roll(w, w->bad) == 0) {
        bad_key(w);
        return;
    }
    switch (depth <= 0 ? roll(w, 6) : roll(w, 18)) {
    case 0:
    case 1:
        put(w, "KEYS[%u]", 1 + roll(w, 3));
        return;
    case 2:
    case 3:
    case 4:
        variable(w);
        return;
    case 5:
        put(w, "KEYS[#KEYS]");
        return;
    case 6:
    case 7:
        call_of(w, depth - 1);
        return;
    case 8:
        put(w, "t%u[%u]", roll(w, 2), 1 + roll(w, 2));
        return;
    case 9:
        put(w, "t%u.%c", roll(w, 2), "xy"[roll(w, 2)]);
        return;
    case 10:
        put(w, "t%u[#t0]", roll(w, 2));
        return;
    case 11:
        put(w, "(");
        condition(w);
        put(w, " and ");
        key(w, depth - 1);
        put(w, " or ");
        key(w, depth - 1);
        put(w, ")");
        return;
    case 12:
        put(w, "(unpack(t%u))", roll(w, 2));
        return;
    case 13:
        put(w, "t%u[", roll(w, 2));
        key(w, 0);
        put(w, "]");
        return;
    case 14:
        put(w, w->in_function ? "(select(%u, ...))" : "KEYS[%u]", 1 + roll(w, 2));
        return;
    case 15:
        put(w, "({");
        key(w, depth - 1);
        put(w, ", ");
        key(w, depth - 1);
        put(w, "})[%u]", 1 + roll(w, 2));
        return;
    default:
        around(w, depth - 1);
        return;
    }
}

/* One call, on a line of its own that it names. */
static void command(writer *w)
{
    static const char *const runs[] = {"redis.pcall(", "call(", "pcall(redis.call, ", "wrap("};
    put(w, "%s", runs[roll(w, 4)]);
    if (w->reads) {
        static const char *const reading[] = {"HGET", "SISMEMBER", "ZSCORE", "LINDEX"};
        put(w, "'%s', ", reading[roll(w, 4)]);
        key(w, 2);
        put(w, ", 'L%d')\n", w->line);
        return;
    }
    switch (roll(w, 5)) {
    case 0:
        put(w, "'MSET', ");
        key(w, 1);
        put(w, ", 'v', ");
        key(w, 1);
        break;
    case 1:
        put(w, "'HSET', ");
        key(w, 2);
        put(w, ", 'f'");
        break;
    case 2:
        put(w, "(ARGV[1] == '1' and 'SADD' or 'RPUSH'), ");
        key(w, 1);
        break;
    default:
        put(w, "'SET', ");
        key(w, 2);
        break;
    }
    put(w, ", 'L%d')\n", w->line);
}

static void statements(writer *w, int depth);

static void assignment(writer *w)
{
    switch (roll(w, 12)) {
    case 0:
        put(w, "v0, v1 = v1, v0\n");
        return;
    case 1:
        put(w, "local v%u = ", roll(w, 4));
        break;
    case 2:
        put(w, "t%u[%u] = ", roll(w, 2), 1 + roll(w, 2));
        break;
    case 3:
        put(w, "t%u.%c = ", roll(w, 2), "xy"[roll(w, 2)]);
        break;
    case 4:
        put(w, "if #t0 < 9 then t0[#t0 + 1] = "); /* tables must not double for ever */
        key(w, 2);
        put(w, " end\n");
        return;
    case 5:
        put(w, "if #t1 < 9 then table.insert(t1, 1, (");
        key(w, 1);
        put(w, ") or KEYS[1]) end\n");
        return;
    case 6:
        put(w, "t%u[", roll(w, 2));
        key(w, 0);
        put(w, " or 1] = ");
        break;
    case 7:
        put(w, "v%u = table.remove(t%u)\n", roll(w, 4), roll(w, 2));
        return;
    default:
        variable(w);
        put(w, " = ");
        break;
    }
    key(w, 2);
    put(w, "\n");
}

static void function(writer *w, int depth)
{
    int outer = w->in_function, loops = w->loops;
    w->in_function = 1;
    w->loops = 0;
    put(w, "function(a, b, ...)\nfuel = fuel - 1 if fuel < 0 then return KEYS[1] end\n");
    statements(w, depth - 1);
    put(w, "return ");
    key(w, 1);
    put(w, "\nend");
    w->in_function = outer;
    w->loops = loops;
}

static void loop(writer *w, int depth)
{
    static const char *const heads[] = {"for i = 1, #KEYS do v0 = KEYS[i]\n",
                                        "for i, v1 in ipairs(KEYS) do\n",
                                        "for i, v2 in pairs(t0) do\n",
                                        "for i, v3 in ipairs(t1) do\n",
                                        "for i = 1, 2 do\n",
                                        "local n = 0 while n < 3 do n = n + 1\n",
                                        "for v0 in pairs(t1) do\n",
                                        "table.foreachi(KEYS, function(i, v1, ...)\n"};
    unsigned which = roll(w, 8);
    int loops = w->loops;
    put(w, "%s", heads[which]);
    w->loops = which != 7;
    if (w->loops)
        put(w, "fuel = fuel - 1 if fuel < 0 then break end\n");
    statements(w, depth - 1);
    if (w->loops && roll(w, 5) == 0) {
        put(w, "if ");
        condition(w);
        put(w, " then break end\n");
    }
    w->loops = loops;
    put(w, which == 7 ? "end)\n" : "end\n");
}

static void pushed(writer *w)
{
    static const char *const values[] = {"KEYS[i]", "k", "ARGV[i]", "ARGV[i] or 'z'", "v0",
                                         "'z'",     "k", "t0[i]",   "v1 or k"};
    put(w, roll(w, 3) ? "l[#l + 1] = %s " : "table.insert(l, (%s)) ", values[roll(w, 9)]);
}

/* A list of arguments that grows in a loop, most often by two. */
static void list_of_two(writer *w)
{
    static const char *const heads[] = {"for i, k in ipairs(KEYS) do ",
                                        "for i = #KEYS, 1, -1 do local k = KEYS[i] ",
                                        "for i, k in ipairs(t1) do "};
    if (w->reads)
        return;
    put(w, "do local l = %s ", roll(w, 2) ? "{}" : "{KEYS[1], 'z'}");
    put(w, "%s", heads[roll(w, 3)]);
    put(w, "fuel = fuel - 1 if fuel < 0 then break end ");
    if (roll(w, 2))
        put(w, "l[#l + 1] = k l[#l + 1] = %s ", roll(w, 2) ? "'z'" : "ARGV[i]");
    for (unsigned n = roll(w, 3); n > 0; n--)
        pushed(w);
    if (roll(w, 4) == 0) {
        put(w, "if ARGV[i] then ");
        pushed(w);
        pushed(w);
        put(w, "end ");
    }
    put(w, "end ");
    if (roll(w, 3) == 0)
        pushed(w);
    put(w, "l[#l + 1] = %s l[#l + 1] = 'L%d' ", roll(w, 3) ? "KEYS[1]" : "v0", w->line);
    put(w, "call('MSET', %s) end\n", roll(w, 3) ? "unpack(l)" : "select(3, 'z', 'z', unpack(l))");
}

/* Code in a string, which sees globals only. */
static void compiled(writer *w)
{
    static const char *const texts[] = {
        "local a, b = ... redis.pcall(\"%s\", a, \"L%d\")",
        "local a, b = ... redis.pcall(\"%s\", b or a, \"L%d\")",
        "for i, k in ipairs(KEYS) do redis.pcall(\"%s\", k, \"L%d\") end",
        "local function f(k) redis.pcall(\"%s\", k, \"L%d\") end f(...) f(KEYS[1])",
        "local c = redis.pcall return c(\"%s\", ARGV[1] == \"9\" and \"bad\" or KEYS[1], \"L%d\")",
    };
    char text[256];
    snprintf(text, sizeof text, texts[roll(w, 5)], w->reads ? "LINDEX" : "SADD", w->line);
    put(w, "loadstring('%s')(", text);
    key(w, 1);
    put(w, ", ");
    key(w, 1);
    put(w, ")\n");
}

/* What the script says, or raises. */
static void last_words(writer *w)
{
    static const char *const words[] = {
        "return 1\n",
        "return v0\n",
        "return t0\n",
        "return redis.pcall('TYPE')\n",
        "return redis.pcall('LPUSH', 'k9')\n",
        "return redis.error_reply('BUSY busy')\n",
        "return redis.status_reply(v0)\n",
        "error({err = 'BUSY busy'})\n",
        "error('BUSY busy', 0)\n",
        "error(redis.error_reply('BUSY busy'))\n",
        "return (select(2, pcall(redis.call, 'LPUSH', 'k9')))\n",
        "return t1.x\n",
        "local e = {} e[v0 or 1] = 'BUSY' e.err = v3 return e\n",
        "return ARGV[9] and {err = 'BUSY'} or {ok = 'FINE'}\n",
        "string.gsub('k', '.', redis.call)\n",
        "error(setmetatable({err = 'BUSY busy'}, {__newindex = function() end}))\n",
        "return loadstring('error({err = [[BUSY]]})')()\n",
        "return redis.call('HGETALL', KEYS[1])\n",
        "return cjson.decode('{\"err\": \"BUSY\"}')\n",
        "assert(false, 'unknown command')\n",
        "return f0(t1)\n",
        "return setmetatable({}, {__index = {err = 'BUSY'}})\n",
    };
    if (roll(w, 2) == 0)
        put(w, "%s", words[roll(w, sizeof words / sizeof *words)]);
}

static void rare(writer *w, int depth)
{
    switch (roll(w, 14)) {
    case 8:
    case 9:
        list_of_two(w);
        return;
    case 10:
        compiled(w);
        return;
    case 11:
        put(w, "v%u = table.remove(KEYS, 1)\n", roll(w, 4));
        return;
    case 12:
        put(w, "do local i, k = next(t%u) while i do v%u = k i, k = next(t0, i) ", roll(w, 2),
            roll(w, 4));
        put(w, "fuel = fuel - 1 if fuel < 0 then break end end end\n");
        return;
    case 13:
        put(w, "table.insert(KEYS, ");
        key(w, 1);
        put(w, " or KEYS[1])\n");
        return;
    case 0:
        put(w, "t0 = setmetatable({}, {__index = t1})\n");
        return;
    case 1:
        put(w, "t%u = KEYS\n", roll(w, 2));
        return;
    case 2:
        put(w, "t0, t1 = t1, t0\n");
        return;
    case 3:
        put(w, "t1 = {x = v0, v1, v2, f = f0}\n");
        return;
    case 4:
        put(w, "table.sort(t1, function(c, d) v0 = c return c < d end)\n");
        return;
    case 5:
        put(w, "KEYS[%u] = ", 1 + roll(w, 3));
        key(w, 1);
        put(w, "\n");
        return;
    case 6:
        put(w, "t0.f = ");
        function(w, depth);
        put(w, "\n");
        return;
    default:
        put(w, "string.gsub('ab', '.', function(c) v1 = v2 v2 = v3 end)\n");
        return;
    }
}

static void statement(writer *w, int depth)
{
    switch (roll(w, depth > 0 ? 14 : 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
        assignment(w);
        return;
    case 9:
        put(w, "if ");
        condition(w);
        put(w, " then\n");
        statements(w, depth - 1);
        if (roll(w, 2)) {
            put(w, "else\n");
            statements(w, depth - 1);
        }
        put(w, "end\n");
        return;
    case 10:
        loop(w, depth);
        return;
    case 11:
        put(w, "f%u = ", roll(w, 2));
        function(w, depth);
        put(w, "\n");
        return;
    case 12:
        put(w, "pcall(function(...)\n");
        statements(w, depth - 1);
        put(w, roll(w, 2) ? "error('x')\nend)\n" : "end)\n");
        return;
    case 13:
        rare(w, depth);
        return;
    default:
        command(w);
        return;
    }
}

static void statements(writer *w, int depth)
{
    unsigned n = 1 + roll(w, 4);
    if (w->len > LUA_WRITER_MAX / 2)
        return;
    for (unsigned i = 0; i < n; i++)
        statement(w, depth);
}

static void prelude(writer *w)
{
    put(w, "local call, fuel = redis.pcall, 50\n");
    w->wrapper_line = w->line;
    put(w, "local function wrap(...) return redis.pcall(...) end\n"
           "local f0 = function(a) return a end\n"
           "local f1 = function(a, b) return a or b end\n"
           "local function h(f, ...) return f(...) end\n"
           "local function r0(n, k, j) if n <= 0 then return k end return r0(n - 1, j, k) end\n"
           "local function r1(n, k) if n > 0 then k = r1(n - 1, k) end return k end\n"
           "local C = {} C.__index = C\n"
           "function C:get() return self.key end\n"
           "local function new(k) return setmetatable({key = k}, C) end\n");
}

static void variables(writer *w)
{
    put(w, "local function member(x)\n"
           "for _, k in ipairs(KEYS) do if x == k then return x end end return KEYS[1] end\n"
           "local v0 = KEYS[1]\nlocal v1 = KEYS[2]\nlocal v2, v3 = KEYS[1], KEYS[3]\n"
           "local t0, t1 = {KEYS[1], KEYS[2], x = KEYS[1]}, {}\n"
           "f1 = function(a, b) v3 = b return a end\n"
           "t0.f = f0\n");
}

static void body(writer *w)
{
    for (int i = 0; i < 5; i++)
        statements(w, 3);
    last_words(w);
}

/* A library's variables live on between calls of its functions. */
static void library(writer *w)
{
    int kept = roll(w, 3) == 0;
    put(w, "#!lua name=lib\n");
    prelude(w);
    if (kept)
        put(w, "local kept\n");
    put(w, "redis.register_function('g', function(KEYS, ARGV)\nfuel = 50\n");
    variables(w);
    if (kept)
        put(w, "v0 = kept or v0\n");
    statements(w, 3);
    if (kept)
        put(w, "kept = %s\n", roll(w, 2) ? "v0" : "'k1'");
    body(w);
    put(w, "end)\n");
}

void lua_write(lua_writer *w, uint64_t seed, int is_library)
{
    static const unsigned bads[] = {0, 12, 25, 60, 60};
    w->len = 0;
    w->line = 1;
    w->random = seed * 2654435761u + 99;
    roll(w, 2);
    w->bad = bads[roll(w, 5)];
    w->reads = roll(w, 4) == 0;
    w->derives = roll(w, 3) == 0;
    w->in_function = w->loops = 0;
    if (is_library) {
        library(w);
        return;
    }
    prelude(w);
    variables(w);
    body(w);
}
