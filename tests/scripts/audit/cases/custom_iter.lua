-- an own iterator
-- verdict: undeclared
-- expect: ES101 5:45
local function it(s, c) if c < 2 then return c + 1, 'x' end end
for i, k in it, nil, 0 do redis.call('GET', k) end
