-- redis is replaced
-- verdict: unproven
-- expect: ES006 4:1
_G.redis = {call = function() end}
return redis.call('GET', KEYS[1])
