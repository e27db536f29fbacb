-- KEYS is an ordinary table: appending
-- verdict: undeclared
-- expect: ES106 6:47
-- expect: ES112 5:1
KEYS[#KEYS+1] = 'x'
for _, k in ipairs(KEYS) do redis.call('GET', k) end
