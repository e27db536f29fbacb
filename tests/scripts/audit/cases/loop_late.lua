-- a variable changes at the end of the loop
-- verdict: undeclared
-- expect: ES106 5:32
local k = KEYS[1]
for i=1,3 do redis.call('GET', k) k = 'x' end
