-- elements of weak tables vanish
-- verdict: unproven
-- expect: ES006 6:40
-- expect: ES105 9:23
-- expect: ES105 11:26
local t = setmetatable({{}}, {__mode = 'v'})
collectgarbage()
if t[1] == nil then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
