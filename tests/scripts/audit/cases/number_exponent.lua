-- numbers that become text with an exponent
-- verdict: declared
-- expect: ES510 13:14
-- expect: ES510 14:23
-- expect: ES510 15:34
-- expect: ES510 21:31
-- expect: ES115 13:14
-- expect: ES115 21:31
local call = redis.call
local t = call('TIME')
local micros = t[1] * 1000000 + t[2]
local millis = t[1] * 1000 + math.floor(t[2] / 1000)
call('ECHO', 'at ' .. micros)
call('ECHO', tostring(micros))
call('ECHO', string.format('%s', micros))
call('ECHO', table.concat({'at', micros}, ' '))
call('ECHO', 'at ' .. millis)
call('ECHO', string.format('%.0f', micros))
call('ECHO', 'at ' .. t[1])
call('ECHO', 'n ' .. call('INCR', KEYS[1]))
local function show(x) return 'x' .. x end
call('ECHO', show(1e15))
return 'k' .. 99999999999999
