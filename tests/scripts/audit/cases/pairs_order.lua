-- the order of pairs shows
-- verdict: declared
-- expect: ES703 10:1
-- expect: ES703 11:1
-- expect: ES703 12:1
-- select: ES703
local t = {a = 1, b = 2}
t[ARGV[1]] = 3
local list, text = {}, {}
for k in pairs(t) do list[#list + 1] = k end
for k in pairs(t) do table.insert(text, k) end
for k, v in pairs(t) do redis.call('RPUSH', KEYS[1], k) end
redis.call('SET', KEYS[2], table.concat(text, ','))
return list
