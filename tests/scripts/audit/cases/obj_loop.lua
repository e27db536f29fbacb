-- a table of the round before
-- verdict: undeclared
-- expect: ES106 5:69
local prev
for i=1,2 do local t = {k = KEYS[1]} if prev then redis.call('GET', prev.k) end t.k = 'x' prev = t end
