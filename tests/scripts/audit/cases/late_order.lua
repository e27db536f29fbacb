-- an ordered variable is read after the call on the other side
-- verdict: undeclared
-- expect: ES101 9:37
local a = 1
local function f()
    a = 3
    return 2
end
if (a) > f() then redis.call('GET', 'x') end
return redis.call('GET', KEYS[1])
