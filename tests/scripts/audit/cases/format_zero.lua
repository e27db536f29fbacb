-- %s ends at a zero byte
-- verdict: undeclared
-- expect: ES101 5:23
if string.format('%s', 'a\0b') == 'a' then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
