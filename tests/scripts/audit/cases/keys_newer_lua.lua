-- an operator of a newer Lua
-- verdict: none
-- expect: ES002 5:8
local x = 1
x = x << 2
return x
