-- what is not a number is not equal to itself
-- verdict: undeclared
-- expect: ES101 6:23
local n = 0 / 0
if n ~= n then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
