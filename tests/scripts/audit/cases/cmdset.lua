-- one of two commands
-- verdict: unproven
-- expect: ES107 6:19
-- expect: ES303 6:19
local c = ARGV[1] == 'a' and 'GET' or 'OBJECT'
return redis.call(c, KEYS[1], 'x')
