-- globals that are not there
-- verdict: unproven
-- expect: ES602 13:11
-- expect: ES602 14:4
-- expect: ES602 14:30
-- expect: ES006 15:36
-- expect: ES602 15:36
-- expect: ES602 16:17
-- expect: ES006 16:27
-- expect: ES602 16:27
-- expect: ES006 16:43
-- expect: ES602 16:43
local x = keys[1]
if debugging == nil then x = argv[1] end
local ok = pcall(function() return Cjson.encode({}) end)
return {x, type(unknown), call('GET', x), tostirng(ok)}
