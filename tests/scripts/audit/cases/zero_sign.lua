-- -0 is 0
-- verdict: undeclared
-- expect: ES101 6:23
local z = -0
if z == 0 then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
