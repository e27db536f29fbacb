-- setfenv
-- verdict: unproven
-- expect: ES006 7:1
-- expect: ES604 7:1
-- expect: ES607 7:1
-- expect: ES105 8:26
setfenv(1, {redis = redis, KEYS = {'x'}})
return redis.call('GET', KEYS[1])
