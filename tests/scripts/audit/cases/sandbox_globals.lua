-- servers differ in their globals
-- verdict: undeclared
-- expect: ES101 6:23
-- expect: ES101 9:23
if not rawget(_G, 'print') then
    redis.call('GET', 'x')
end
if not rawget(_G, 'os') then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
