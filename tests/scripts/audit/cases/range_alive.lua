-- verdict: undeclared
-- expect: ES101 8:23
local n = 0
while n < 20 do
    n = n + 1
end
if n >= 20 then
    redis.call('GET', 'cfg')
end
return redis.call('GET', KEYS[1])
