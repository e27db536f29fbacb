-- a function becomes an __index after it was called with a key
-- verdict: unproven
-- expect: ES105 5:49
-- expect: ES006 8:11
local function f(a, k) return redis.call('GET', k) end
f(1, KEYS[1])
local t = setmetatable({}, {__index = f})
local _ = t.x
