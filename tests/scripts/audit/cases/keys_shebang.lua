#!lua flags=no-writes,allow-cross-slot-keys
-- what a first line asks for
-- verdict: declared
-- expect: ES113 1:1
-- expect: ES312 9:12
-- expect: ES312 10:12
-- expect: ES312 12:19
redis.call('GET', KEYS[1])
redis.call('SETEX', KEYS[1], 1, 'x')
redis.call('PUBLISH', 'c', 'm')
redis.call('BITFIELD_RO', KEYS[1], 'GET', 'u8', 0)
return redis.call('BITFIELD', KEYS[1], 'GET', 'u8', 0)
