-- the branch for a missing key
-- verdict: undeclared
-- expect: ES101 4:46
if not KEYS[2] then return redis.call('GET', 'x') end
