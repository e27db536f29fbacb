-- globals that are assigned
-- verdict: no_keys
-- expect: ES601 9:1
-- expect: ES601 10:10
-- expect: ES601 11:20
-- expect: ES601 12:17
-- expect: ES601 13:1
-- expect: ES601 13:4
total = 0
function helper() return total end
local function f() inner = 1 end
for i = 1, 2 do count = i end
a, b = 1, 2
f()
return helper()
