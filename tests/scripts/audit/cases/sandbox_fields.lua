-- servers differ in what their tables have
-- verdict: undeclared
-- expect: ES101 8:23
-- expect: ES101 11:23
-- expect: ES101 14:23
-- expect: ES101 17:45
if cmsgpack._NAME then
    redis.call('GET', 'x')
end
if _G.__redis__err__handler then
    redis.call('GET', 'x')
end
if not redis.register_function then
    redis.call('GET', 'x')
end
for name in pairs(math) do
    if name == 'tau' then redis.call('GET', 'x') end
end
return redis.call('GET', KEYS[1])
