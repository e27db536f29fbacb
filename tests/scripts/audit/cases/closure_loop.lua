-- a closure keeps the variable of an earlier round
-- verdict: undeclared
-- expect: ES106 9:26
local f
for i=1,2 do
 local k = KEYS[1]
 if i == 1 then k = 'x' f = function() return k end end
end
return redis.call('GET', f())
