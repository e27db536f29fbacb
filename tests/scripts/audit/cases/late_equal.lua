-- a compared variable is read after the call on the other side
-- verdict: undeclared
-- expect: ES101 9:36
local a = 1
local function f()
    a = 2
    return 2
end
if a == f() then redis.call('GET', 'x') end
return redis.call('GET', KEYS[1])
