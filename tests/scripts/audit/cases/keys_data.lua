-- an element of KEYS that is data, and one that is a key
-- verdict: declared
-- expect: ES203 4:20
local n = tonumber(KEYS[2])
redis.call('GET', KEYS[1])
return n
