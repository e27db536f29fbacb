#!lua name=lib
-- a library without functions
-- verdict: no_keys
-- expect: ES611 1:1
local function f() return 1 end
