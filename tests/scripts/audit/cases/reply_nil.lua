-- what is missing is false, and nil only after setresp(3)
-- verdict: declared
-- expect: ES503 9:4
-- expect: ES503 10:4
-- expect: ES503 12:4
-- expect: ES503 25:4
local call = redis.call
local v = call('GET', KEYS[1])
if v == nil then return 1 end
if call('HGET', KEYS[1], 'f') ~= nil then call('PING') end
local w = call('GET', KEYS[2])
if w == nil or w == false then return 2 end
local x = call('GET', KEYS[3])
if not x then return 3 end
if x == nil then return 4 end
local list = call('MGET', KEYS[1], KEYS[2])
if list[1] == nil then return 5 end
if ARGV[1] == nil then return 6 end
local r = redis.pcall('GET', KEYS[1])
if r == nil then return 7 end
redis.setresp(3)
local y = call('GET', KEYS[1])
if y == nil then return 8 end
local z = call('GET', KEYS[2])
if z == false then return 9 end
return 10
