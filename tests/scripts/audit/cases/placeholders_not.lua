-- what only looks like a hole
-- verdict: declared
local name = string.format('%s:%d', ARGV[1], 1)
local trimmed = string.match(ARGV[1], '%s+%d')
redis.call('HSET', KEYS[1], '{tag}:' .. name, '{{}}')
return {'#{', '${}', '{user}', trimmed}
