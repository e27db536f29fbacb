-- errors that do not
-- verdict: no_keys
if ARGV[1] == 'a' then error({err = 'MYERR x'}) end
if ARGV[1] == 'b' then error(redis.error_reply('MYERR x')) end
if ARGV[1] == 'c' then error('x') end
if ARGV[1] == 'd' then error() end
if ARGV[1] == 'e' then error({err = 1}) end
local ok, e = pcall(error, {code = 1})
local caught = pcall(function() error({code = 2}) end)
local t = {}
t.err = ARGV[2]
if ARGV[1] == 'f' then error(t) end
if not ok and ARGV[1] == 'g' then error(cjson.decode(ARGV[2])) end
return 1
