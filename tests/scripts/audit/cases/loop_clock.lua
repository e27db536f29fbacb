-- waiting for a time
-- verdict: no_keys
-- expect: ES412 9:1
-- expect: ES412 10:1
-- expect: ES412 11:1
local call = redis.call
local function now() return call('TIME')[1] end
local start = now()
repeat until now() > start
while now() < ARGV[1] do end
while true do
    if call('TIME')[2] == '0' then break end
end
for i = 1, 3 do call('TIME') end
return start
