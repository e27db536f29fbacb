-- names that are constant
-- verdict: declared
local f = loadstring('return 1')
local s = rawget(_G, 'server')
local g = _G['redis']
local name = 'call'
return g[name]('GET', KEYS[1])
