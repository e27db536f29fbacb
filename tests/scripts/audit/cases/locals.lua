-- what is followed: locals, aliases, loops, functions
-- verdict: declared
-- expect: ES408 13:14
local rcall, keys = redis.call, KEYS
local function first() return keys[1] end
local k = first()
for i = 2, #keys do
    if i > 5 then k = keys[i] end
    rcall('GET', k)
end
local t = {}
for _, name in ipairs(keys) do t[#t + 1] = name end
rcall('DEL', unpack(t))
return rcall('GET', (k))
