-- loop variables are captured
-- verdict: undeclared
-- expect: ES106 5:80
local fs = {}
for i, k in ipairs({KEYS[1], 'x'}) do fs[#fs+1] = function() redis.call('GET', k) end end
fs[1]() fs[2]()
