-- commands and options by the version of their server
-- verdict: declared
-- target: redis:6.0
-- expect: ES302 15:19
-- expect: ES304 9:12
-- expect: ES305 10:35
-- expect: ES305 11:45
-- expect: ES305 13:29
redis.call('COPY', KEYS[1], KEYS[2])
redis.call('EXPIRE', KEYS[1], 10, 'NX')
redis.call('SET', KEYS[1], 'GET', 'EX', 10, 'GET')
redis.call('ZADD', KEYS[2], 1, 'GT')
redis.call('LPOP', KEYS[1], 2)
redis.call('HSET', KEYS[1], 'f', 'v')
return redis.call('BLPOP', KEYS[1], 0)
