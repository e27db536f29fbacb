-- a hole where Lua expects a value
-- verdict: none
-- expect: ES001 5:15
-- expect: ES704 5:15
local limit = ${limit}
return limit
