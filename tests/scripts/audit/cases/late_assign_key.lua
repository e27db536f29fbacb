-- the right side changes the variable that the index is in
-- verdict: undeclared
-- expect: ES106 12:26
-- expect: ES203 5:12
local t = {KEYS[1], KEYS[2]}
local i = 1
local function f()
    i = 2
    return 'x'
end
t[i] = f()
return redis.call('GET', t[2])
