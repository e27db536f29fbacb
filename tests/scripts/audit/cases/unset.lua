-- a local of an inner block
-- verdict: undeclared
-- expect: ES101 6:36
-- expect: ES203 5:11
local k = KEYS[1]
do local k = 'x' redis.call('GET', k) end
