-- redis.call in a table
-- verdict: undeclared
-- expect: ES101 5:21
local api = {c = redis.call}
return api.c('GET', 'x')
