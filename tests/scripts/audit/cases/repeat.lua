-- the second round has another value
-- verdict: undeclared
-- expect: ES106 6:26
local k = KEYS[1]
local i = 0
repeat redis.call('GET', k) k = 'x' i = i + 1 until i > 2
