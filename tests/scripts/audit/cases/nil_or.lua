-- a loop that runs for no key
-- verdict: undeclared
-- expect: ES106 6:26
local k
for i=1,#KEYS do k = KEYS[i] end
return redis.call('GET', k or 'x')
