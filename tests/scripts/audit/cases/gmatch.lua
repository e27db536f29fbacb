-- parts of a key
-- verdict: derived
-- expect: ES104 4:61
for w in string.gmatch(KEYS[1], '%w+') do redis.call('GET', w) end
