-- setfenv
-- verdict: unproven
-- expect: ES006 5:1
-- expect: ES105 6:26
setfenv(1, {redis = redis, KEYS = {'x'}})
return redis.call('GET', KEYS[1])
