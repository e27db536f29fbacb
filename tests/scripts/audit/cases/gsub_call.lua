-- a callback of gsub calls redis
-- verdict: undeclared
-- expect: ES101 4:47
('x'):gsub('.', function(c) redis.call('GET', c) end)
