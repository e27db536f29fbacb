-- returned tables with names
-- verdict: declared
-- expect: ES513 7:31
-- expect: ES513 10:31
-- expect: ES513 13:31
-- expect: ES513 19:31
if ARGV[1] == 'a' then return {count = 1} end
local out = {}
out.name = ARGV[2]
if ARGV[1] == 'b' then return out end
local counts = {}
for i, key in ipairs(KEYS) do counts[key] = redis.call('EXISTS', key) end
if ARGV[1] == 'c' then return counts end
if ARGV[1] == 'd' then return {ok = 'FINE'} end
if ARGV[1] == 'e' then return {err = 'ERR no'} end
if ARGV[1] == 'f' then return {map = {a = 1}} end
if ARGV[1] == 'g' then return {'count', 1} end
local function pack(...) return {...} end
if ARGV[1] == 'h' then return {1, {total = 2}} end
if ARGV[1] == 'i' then return cjson.encode({a = 1}) end
return pack(1, 2)
