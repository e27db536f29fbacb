-- a key that was encoded and decoded
-- verdict: unproven
-- expect: ES105 5:26
local t = cjson.decode(cjson.encode({k = KEYS[1]}))
return redis.call('GET', t.k)
