-- collectgarbage gives numbers and booleans
-- verdict: undeclared
-- expect: ES101 8:23
-- expect: ES106 10:26
local k = KEYS[1]
if not collectgarbage('step') then k = 'x' end
if type(collectgarbage('step')) == 'boolean' then
    redis.call('GET', 'x')
end
return redis.call('GET', k)
