-- a condition is true when it is tested, and changed by the rest of the test
-- verdict: undeclared
-- expect: ES101 8:55
-- expect: ES102 8:55
-- expect: ES203 8:9
local k = ARGV[1]
local function f() k = 'x' return true end
if k == KEYS[1] and f() then return redis.call('GET', k) end
