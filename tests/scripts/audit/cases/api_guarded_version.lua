-- a version that is asked for first
-- verdict: no_keys
-- target: redis:3.0
-- expect: ES203 7:39
if redis.REDIS_VERSION_NUM and redis.REDIS_VERSION_NUM >= 0x00070000 then
    redis.setresp(3)
    return redis.acl_check_cmd('GET', KEYS[1])
end
return 1
