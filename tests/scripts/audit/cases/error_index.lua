-- the server reads fields of what is raised, through a function __index
-- verdict: unproven
-- expect: ES105 6:23
-- expect: ES006 9:1
local t = setmetatable({}, {__index = function(t, k)
    redis.call('GET', 'x')
    return 'y'
end})
error(t)
