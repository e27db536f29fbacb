-- replies with the other protocol
-- verdict: declared
-- expect: ES517 9:28
-- expect: ES517 11:10
-- expect: ES517 14:4
-- select: ES517
local call = redis.call
local h = call('HGETALL', KEYS[1])
if h[1] == 'a' then return h.map end
local s = call('ZSCORE', KEYS[2], 'm')
if s and s.double then return 1 end
redis.setresp(3)
local m = call('HGETALL', KEYS[1])
if m[1] then return 2 end
if m.map then return 3 end
local set = call('SMEMBERS', KEYS[3])
for member in pairs(set.set) do call('ECHO', member) end
if set[2] then return 4 end
local l = call('LRANGE', KEYS[4], 0, -1)
return l[1]
