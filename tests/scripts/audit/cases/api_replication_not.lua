-- nothing is written while it is off
-- verdict: declared
redis.set_repl(redis.REPL_NONE)
local v = redis.call('GET', KEYS[1])
redis.set_repl(redis.REPL_ALL)
redis.call('SET', KEYS[2], v)
redis.set_repl(redis.REPL_ALL)
return redis.call('SET', KEYS[2], v)
