-- what old servers do not have
-- verdict: no_keys
-- expect: ES603 10:1
-- expect: ES603 11:1
-- expect: ES603 13:1
-- expect: ES603 13:12
-- expect: ES603 15:9
-- expect: ES603 15:30
-- target: redis:3.0
redis.replicate_commands()
redis.setresp(3)
local r = redis
r.set_repl(r.REPL_ALL)
local band = bit.band
return {redis.REDIS_VERSION, os.clock(), band(1, 1)}
