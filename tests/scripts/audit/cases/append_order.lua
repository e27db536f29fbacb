-- the place #t + 1 is taken before the right side is evaluated
-- verdict: undeclared
-- expect: ES106 7:26
local t = {}
local function f() t[1] = 'x' return KEYS[1] end
t[#t+1] = f()
return redis.call('GET', t[1])
