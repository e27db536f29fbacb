-- table.concat with bounds from elsewhere
-- verdict: undeclared
-- expect: ES408 6:6
-- expect: ES101 7:23
local function f(...) return table.concat({'a'}, ...) end
if f(unpack(ARGV)) == '' then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
