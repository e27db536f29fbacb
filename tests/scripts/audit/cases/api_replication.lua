-- writes that stay here
-- verdict: declared
-- expect: ES610 5:1
-- expect: ES610 10:17
redis.set_repl(redis.REPL_NONE)
redis.call('SET', KEYS[1], '1')
redis.set_repl(redis.REPL_ALL)
redis.call('SET', KEYS[2], '1')
local r = redis
if ARGV[1] then r.set_repl(r.REPL_AOF) end
r.call('GET', KEYS[1])
return r.pcall('DEL', KEYS[2])
