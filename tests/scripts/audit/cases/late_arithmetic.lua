-- an added variable is read after the call on the other side
-- verdict: undeclared
-- expect: ES101 9:40
local a = 1
local function f()
    a = 5
    return 1
end
if a + f() == 6 then redis.call('GET', 'x') end
return redis.call('GET', KEYS[1])
