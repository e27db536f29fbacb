-- newer servers do not mind
-- verdict: declared
local t = redis.call('TIME')[1]
return redis.call('SET', KEYS[1], t)
