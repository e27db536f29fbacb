-- a table that has one more element on some paths
-- verdict: undeclared
-- expect: ES101 7:23
local t = {'a'}
if ARGV[1] == '1' then t[2] = 'b' end
if table.concat(t) == 'a' then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
