-- what is for debugging
-- verdict: no_keys
-- expect: ES606 7:1
-- expect: ES606 9:1
-- expect: ES606 10:21
-- select: ES606
redis.breakpoint()
local r = redis
r.debug('x')
for i = 1, #KEYS do redis.log(redis.LOG_WARNING, KEYS[i]) end
redis.log(redis.LOG_NOTICE, 'once')
for i = 1, #KEYS do redis.log(redis.LOG_DEBUG, KEYS[i]) end
return 1
