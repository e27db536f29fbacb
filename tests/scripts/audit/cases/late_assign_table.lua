-- the right side changes the variable that the table is in
-- verdict: undeclared
-- expect: ES106 12:26
-- expect: ES203 5:15
local a, b = {KEYS[1]}, {KEYS[2]}
local t = a
local function f()
    t = b
    return 'x'
end
t[1] = f()
return redis.call('GET', b[1])
