-- an argument is evaluated after another one changed it
-- verdict: undeclared
-- expect: ES101 7:26
-- expect: ES203 5:11
local k = KEYS[1]
local function f() k = 'x' return 1 end
return redis.call('SET', f() and k, 1)
