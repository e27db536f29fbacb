-- select counts from the end
-- verdict: undeclared
-- expect: ES106 4:48
local function f(...) return redis.call('GET', (select(-1, ...))) end
return f(KEYS[1], 'x')
