-- the index changes the variable that the table is in
-- verdict: undeclared
-- expect: ES106 9:26
local t, u = {KEYS[1]}, {'x'}
local function f()
    t = u
    return 1
end
return redis.call('GET', t[f()])
