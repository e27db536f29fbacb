-- the branch for a missing key
-- verdict: undeclared
-- expect: ES101 6:46
-- expect: ES201 6:8
-- expect: ES203 6:8
if not KEYS[2] then return redis.call('GET', 'x') end
