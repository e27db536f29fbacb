-- a function appends to the table that is being appended to
-- verdict: undeclared
-- expect: ES106 7:26
local t = {}
local function f() t[#t+1] = KEYS[1] return 'x' end
t[#t+1] = f()
return redis.call('GET', t[1])
