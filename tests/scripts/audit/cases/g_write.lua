-- redis is replaced
-- verdict: unproven
-- expect: ES006 5:1
-- expect: ES608 5:1
_G.redis = {call = function() end}
return redis.call('GET', KEYS[1])
