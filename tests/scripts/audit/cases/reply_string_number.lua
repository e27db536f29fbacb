-- strings and numbers
-- verdict: declared
-- expect: ES502 12:4
-- expect: ES502 14:4
-- expect: ES502 15:4
-- expect: ES502 16:4
-- expect: ES406 21:18
-- expect: ES109 21:23
-- expect: ES502 23:24
-- expect: ES502 29:8
local call = redis.call
if ARGV[1] == 1 then return 1 end
local limit = ARGV[2]
if limit ~= 10 then call('PING') end
if call('HGET', KEYS[1], 'f') == 0 then return 2 end
if call('EXISTS', KEYS[1]) == '1' then return 3 end
if tonumber(ARGV[1]) == 1 then return 4 end
if call('EXISTS', KEYS[1]) == 1 then return 5 end
local cursor = '0'
repeat
    local page = call('SCAN', cursor)
    cursor = page[1]
until cursor == '0' or page[1] == 0
local mixed = ARGV[3]
if ARGV[4] then mixed = 7 end
if mixed == 7 then return 6 end
local function same(a, b) return a == b end
if same(ARGV[5], '5') and same(1, 1) then return 7 end
return KEYS[1] < 5
