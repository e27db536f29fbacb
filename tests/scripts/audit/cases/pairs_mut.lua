-- KEYS changes while it is gone through
-- verdict: undeclared
-- expect: ES106 6:26
-- expect: ES112 5:28
for i, k in pairs(KEYS) do KEYS[i] = 'x' end
return redis.call('GET', KEYS[1])
