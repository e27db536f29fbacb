-- an outer error keeps what was written in an inner pcall that succeeded
-- verdict: undeclared
-- expect: ES106 10:26
local t = { KEYS[1] }
pcall(function()
    pcall(function() t[1] = 'x' end)
    t[1] = KEYS[1]
    error('y')
end)
return redis.call('GET', t[1])
