-- lists are no strings and no numbers
-- verdict: declared
-- expect: ES518 9:4
-- expect: ES518 11:4
-- expect: ES518 15:4
-- expect: ES506 18:4
-- expect: ES518 19:8
local call = redis.call
if call('LRANGE', KEYS[1], 0, 0) == '' then return 1 end
local all = call('SMEMBERS', KEYS[1])
if all ~= 0 then call('PING') end
if #all == 0 then return 2 end
if all[1] == 'x' then return 3 end
local popped = call('LPOP', KEYS[1], 2)
if popped == 'x' then return 4 end
if call('LPOP', KEYS[1]) == 'x' then return 5 end
local r = redis.pcall('SMEMBERS', KEYS[1])
if r == all then return 6 end
return call('TIME') * 1000
