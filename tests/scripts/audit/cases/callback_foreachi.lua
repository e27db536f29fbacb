-- table.foreachi gives what its callback has written meanwhile
-- verdict: undeclared
-- expect: ES106 6:23
local t = {KEYS[1], KEYS[2]}
table.foreachi(t, function(i, v)
    redis.call('GET', v)
    t[2] = 'x'
end)
