-- a separator that may be nil
-- verdict: undeclared
-- expect: ES101 7:23
local s
if ARGV[1] == '1' then s = ',' end
if table.concat({'a', 'b'}, s) == 'ab' then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
