-- globals that are there, and locals
-- verdict: no_keys
local helper
function helper() return 1 end
local t = {}
function t.f() return helper() end
function t:g() return self.f() end
t.count = 1
local ok, e = pcall(t.f)
local os = 'linux'
return {t:g(), ok, e, os, _VERSION, rawget(_G, 'os') == nil, xpcall(t.f, tostring), #KEYS, select('#', ...)}
