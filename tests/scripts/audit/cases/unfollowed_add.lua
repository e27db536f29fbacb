-- a function becomes a metamethod after it was called with a key
-- verdict: unproven
-- expect: ES105 5:49
-- expect: ES006 7:37
local function f(a, k) return redis.call('GET', k) end
f(1, KEYS[1])
local t = setmetatable({}, {__add = f})
local _ = t + 'x'
