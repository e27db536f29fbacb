-- verdict: undeclared
-- expect: ES101 13:23
local depth = 0
local function f(n)
    depth = depth + 1
    if n > #ARGV then
        return 0
    end
    return f(n + 1) + 1
end
local n = f(1)
if n > 100 and depth > 100 then
    redis.call('GET', 'cfg')
end
return redis.call('GET', KEYS[1])
