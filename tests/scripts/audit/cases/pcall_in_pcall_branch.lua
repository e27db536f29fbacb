-- an outer error keeps what was written on one branch in an inner pcall
-- verdict: undeclared
-- expect: ES106 11:26
local k = KEYS[1]
pcall(function()
    pcall(function()
        if not ARGV[1] then k = 'x' end
    end)
    error('y')
end)
return redis.call('GET', k)
