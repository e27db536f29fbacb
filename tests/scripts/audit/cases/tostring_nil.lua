-- A caller passes KEYS[1] when a script names it; a variable may be nil for other reasons
-- verdict: undeclared
-- expect: ES106 9:19
-- expect: ES106 14:19
redis.call('GET', tostring(KEYS[1]))
redis.call('GET', tostring(#ARGV > 1 and KEYS[1] or KEYS[2]))
local key
if #KEYS > 1 then key = KEYS[2] end
redis.call('SET', tostring(key), 'v')
local other = KEYS[3]
pcall(function()
    other = table.remove({})
end)
redis.call('SET', tostring(other), 'v')
