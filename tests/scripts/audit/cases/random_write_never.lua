-- before there was replicate_commands
-- verdict: declared
-- expect: ES701 6:8
-- target: redis:3.0
local m = redis.call('SRANDMEMBER', KEYS[1])
return redis.call('SREM', KEYS[1], m)
