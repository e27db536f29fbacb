-- A constant that is compiled and called
-- verdict: declared
-- expect: ES903 5:21
local get = loadstring('local k, c = ... return redis.call("GET", k), c')
return get(KEYS[1], function() return redis.call('GET', KEYS[2]) end)
