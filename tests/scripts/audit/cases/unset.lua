-- a local of an inner block
-- verdict: undeclared
-- expect: ES101 5:36
local k = KEYS[1]
do local k = 'x' redis.call('GET', k) end
