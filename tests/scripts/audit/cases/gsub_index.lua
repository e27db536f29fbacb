-- a replacement table of gsub has a function __index
-- verdict: unproven
-- expect: ES105 7:23
-- expect: ES006 10:11
-- expect: ES105 11:26
local t = setmetatable({}, {__index = function(t, k)
    redis.call('GET', 'x')
    return 'y'
end})
local s = string.gsub('abc', '%w', t)
return redis.call('GET', KEYS[1])
