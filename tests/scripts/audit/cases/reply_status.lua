-- a status is a table
-- verdict: declared
-- expect: ES504 8:4
-- expect: ES504 10:4
-- expect: ES504 13:4
-- expect: ES504 14:36
local call = redis.call
if call('TYPE', KEYS[1]) == 'none' then return 1 end
local kind = call('TYPE', KEYS[1])
if kind ~= 'hash' then call('PING') end
if kind.ok == 'hash' then return 2 end
if kind['ok'] == 'list' then return 3 end
if call('SET', KEYS[1], 'v', 'NX') == 'OK' then return 4 end
local function text(status) return 'it is ' .. status end
if call('ECHO', 'x') == 'x' then return 5 end
if call('SET', KEYS[1], 'v', 'GET') == 'v' then return 6 end
local either = call('TYPE', KEYS[1])
if ARGV[1] then either = call('ECHO', 'x') end
if either == 'x' then return 7 end
return text(kind)
