-- a script that asks for the version knows what it does
-- verdict: declared
-- target: redis:7.0
if redis.REDIS_VERSION_NUM >= 0x00070400 then
    return redis.call('HEXPIRE', KEYS[1], 10, 'FIELDS', 1, 'f')
end
return redis.call('EXPIRE', KEYS[1], 10)
