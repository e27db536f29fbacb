-- errors that end the server
-- verdict: no_keys
-- expect: ES614 8:24
-- expect: ES614 9:24
-- expect: ES614 10:24
-- expect: ES614 11:24
-- expect: ES614 14:24
local function fail(t) error(t) end
if ARGV[1] == 'a' then error({}) end
if ARGV[1] == 'b' then error({code = 1}) end
if ARGV[1] == 'c' then error({err = true}) end
local t = {}
t.code = 1
if ARGV[1] == 'd' then error(t, 0) end
fail({'x'})
