-- table.sort gives its comparison what that has written meanwhile
-- verdict: undeclared
-- expect: ES106 6:23
local t = {KEYS[1], KEYS[2], KEYS[3]}
table.sort(t, function(a, b)
    redis.call('GET', a)
    t[1] = 'x'
    t[2] = 'x'
    t[3] = 'x'
    return a < b
end)
