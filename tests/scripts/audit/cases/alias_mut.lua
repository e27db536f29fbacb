-- KEYS under another name
-- verdict: undeclared
-- expect: ES101 6:26
local ks = KEYS
ks[1] = 'x'
return redis.call('GET', KEYS[1])
