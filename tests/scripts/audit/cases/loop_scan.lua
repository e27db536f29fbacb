-- cursors that are followed
-- verdict: declared
-- expect: ES406 8:19
-- expect: ES406 13:23
-- expect: ES406 21:19
local call, cursor = redis.call, '0'
repeat
    local reply = call('SSCAN', KEYS[1], cursor)
    cursor = reply[1]
until cursor == '0'
local function all(at)
    while true do
        local reply = redis.call('hscan', KEYS[2], at, 'COUNT', 100)
        at = tonumber(reply[1])
        if at == 0 then break end
    end
end
all(0)
local c = 0
while true do
    local reply = redis.call('ZSCAN', KEYS[3], c)
    for _, x in ipairs(reply[2]) do c = c end
    c = reply[1]
    if c == '0' then return 1 end
end
