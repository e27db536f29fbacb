-- an empty reply leaves too few arguments
-- verdict: declared
-- expect: ES303 5:19
-- expect: ES408 5:36
return redis.call('SADD', KEYS[2], unpack(redis.call('SMEMBERS', KEYS[1])))
