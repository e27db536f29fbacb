-- keys that are used after they were deleted
-- verdict: declared
-- expect: ES119 6:19
-- expect: ES119 10:45
if ARGV[1] == 'x' then redis.call('UNLINK', KEYS[1], KEYS[2]) end
redis.call('SET', KEYS[1], 'x')
redis.call('GET', KEYS[1])
redis.call('GET', KEYS[3])
redis.call('DEL', KEYS[3])
if ARGV[2] then return redis.call('EXISTS', KEYS[2]) end
return redis.call('DEL', KEYS[1])
