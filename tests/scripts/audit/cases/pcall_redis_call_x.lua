-- pcall of redis.call
-- verdict: undeclared
-- expect: ES101 4:26
pcall(redis.call, 'GET', 'x')
