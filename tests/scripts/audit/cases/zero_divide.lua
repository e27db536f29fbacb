-- the sign of a zero decides
-- verdict: undeclared
-- expect: ES101 6:23
local z = -0
if 1 / z < 0 then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
