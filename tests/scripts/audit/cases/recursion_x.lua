-- a recursion changes its argument
-- verdict: undeclared
-- expect: ES106 4:64
local function f(n, k) if n == 0 then return redis.call('GET', k) end return f(n - 1, 'x') end
return f(1, KEYS[1])
