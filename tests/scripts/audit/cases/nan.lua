-- '1' is not 1
-- verdict: undeclared
-- expect: ES101 7:26
-- expect: ES203 5:12
local t = {KEYS[1]}
t['1'] = 'x'
return redis.call('GET', t['1'])
