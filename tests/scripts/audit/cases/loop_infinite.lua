-- loops without a way out
-- verdict: declared
-- expect: ES401 10:23
-- expect: ES401 11:24
-- expect: ES401 12:24
-- expect: ES401 13:24
-- expect: ES401 14:24
-- expect: ES401 16:5
local call = redis.pcall
local function spin() while true do call('GET', KEYS[1]) end end
if ARGV[1] == 'a' then repeat call('GET', KEYS[1]) until false end
if ARGV[1] == 'b' then while 1 do if false then break end end end
if ARGV[1] == 'c' then for i = 1, math.huge do call('GET', KEYS[1]) end end
if ARGV[1] == 'd' then for i = 5, 1, 0 do call('GET', KEYS[1]) end end
if ARGV[1] == 'e' then
    while true do
        while true do break end
    end
end
spin()
