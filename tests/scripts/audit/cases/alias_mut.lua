-- KEYS under another name
-- verdict: undeclared
-- expect: ES101 7:26
-- expect: ES112 6:1
local ks = KEYS
ks[1] = 'x'
return redis.call('GET', KEYS[1])
