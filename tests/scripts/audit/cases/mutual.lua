-- two functions call each other
-- verdict: undeclared
-- expect: ES106 6:64
local g
local k = KEYS[1]
local function f(n) if n > 3 then return end redis.call('GET', k) g(n + 1) end
g = function(n) k = 'x' f(n) end
f(1)
