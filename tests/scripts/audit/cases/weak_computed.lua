-- __mode under a computed name
-- verdict: unproven
-- expect: ES006 8:11
-- expect: ES105 10:23
-- expect: ES105 12:26
local m = {}
m[ARGV[1]] = 'v'
local t = setmetatable({{}}, m)
if t[1] == nil then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
