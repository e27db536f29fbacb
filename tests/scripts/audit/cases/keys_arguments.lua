-- what arguments of commands cannot be
-- verdict: declared
-- expect: ES307 31:40
-- expect: ES308 15:28
-- expect: ES308 16:28
-- expect: ES308 17:28
-- expect: ES309 22:37
-- expect: ES309 24:54
-- expect: ES309 26:49
-- expect: ES309 28:34
-- expect: ES310 29:36
-- expect: ES311 19:31
-- expect: ES311 21:39
-- expect: ES408 23:29
redis.call('SET', KEYS[1], nil)
redis.call('SET', KEYS[1], {})
redis.call('SET', KEYS[1], ARGV[1] == 'x')
redis.call('SET', KEYS[1], ARGV[1] or nil)
redis.call('EXPIRE', KEYS[1], ARGV[1] / 2)
redis.call('EXPIRE', KEYS[1], math.floor(ARGV[1] / 2))
redis.call('SET', KEYS[1], 'x', 'EX', 1 / 3)
redis.call('HSET', KEYS[1], 'a', 1, 'b')
redis.call('HSET', KEYS[1], unpack(ARGV))
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 100, '*', 'a')
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 100, '*', 'a', 'b')
redis.call('ZADD', KEYS[1], 'GT', 'CH', 1, 'a', 2)
redis.call('ZADD', KEYS[1], 1, 'a', 2, 'b')
redis.call('MSET', KEYS[1], 'a', KEYS[2])
redis.call('ZUNIONSTORE', KEYS[1], 0, KEYS[2])
redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[2], 'WEIGHTS', 2)
return redis.call('XREAD', 'COUNT', 1, 'BLOCK', 0, 'STREAMS', KEYS[1], '$')
