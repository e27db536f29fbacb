-- Compiled text sees globals only: `key` is another variable there
-- verdict: unproven
-- expect: ES105 5:19
local key = KEYS[1]
return loadstring('return redis.call("GET", key)')()
