-- -0 may be shown as 0 or as -0
-- verdict: undeclared
-- expect: ES101 8:23
-- expect: ES101 11:23
local a = 0
local s = (-0) .. ''
if s == '0' then
    redis.call('GET', 'x')
end
if tostring(a) ~= '0' then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
