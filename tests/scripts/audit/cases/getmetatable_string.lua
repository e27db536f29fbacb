-- strings have a metatable
-- verdict: undeclared
-- expect: ES101 5:23
if getmetatable('') then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
