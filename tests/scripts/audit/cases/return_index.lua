-- the server may read fields of what is returned, through a function __index
-- verdict: unproven
-- expect: ES105 6:23
-- expect: ES006 9:8
local t = setmetatable({}, {__index = function(t, k)
    redis.call('GET', 'x')
    return 'y'
end})
return {t}
