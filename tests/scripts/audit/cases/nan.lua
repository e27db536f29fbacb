-- '1' is not 1
-- verdict: undeclared
-- expect: ES101 6:26
local t = {KEYS[1]}
t['1'] = 'x'
return redis.call('GET', t['1'])
