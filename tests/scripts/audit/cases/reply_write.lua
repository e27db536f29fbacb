-- a function is stored in a reply
-- verdict: unproven
-- expect: ES006 6:8
local t = redis.call('LRANGE', KEYS[1], 0, -1)
t[1] = redis.call
return t[1]('GET', 'x')
