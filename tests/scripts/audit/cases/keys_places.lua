-- commands that reach beyond the keys
-- verdict: declared
-- expect: ES109 13:12
-- expect: ES109 17:19
-- expect: ES116 10:12
-- expect: ES116 11:12
-- expect: ES301 16:12
-- expect: ES314 14:12
-- expect: ES314 17:19
redis.call('SELECT', 1)
redis.call('COPY', KEYS[1], KEYS[2], 'DB', 1)
redis.call('COPY', KEYS[1], KEYS[2], 'REPLACE')
redis.call('DBSIZE')
redis.call('RESTORE', KEYS[1], 0, ARGV[1], 'REPLACE')
redis.call('RESTORE', KEYS[1], 0, ARGV[1])
redis.call('get x')
return redis.call('FLUSHALL')
