-- Text that is no Lua gives nil
-- verdict: declared
local f, problem = loadstring('return return')
if f then redis.call('GET', 'x') end
return redis.call('GET', KEYS[1])
