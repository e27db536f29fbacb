-- an upvalue is assigned after the function is made
-- verdict: undeclared
-- expect: ES101 5:45
local k
local function f() return redis.call('GET', k) end
k = 'x'
return f()
