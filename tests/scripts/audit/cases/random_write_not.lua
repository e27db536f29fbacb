-- after replicate_commands, or before
-- verdict: declared
-- target: redis:4.0
redis.call('SET', KEYS[1], '1')
redis.replicate_commands()
local m = redis.call('SRANDMEMBER', KEYS[1])
redis.call('SREM', KEYS[1], m)
return redis.call('SMEMBERS', KEYS[2])
