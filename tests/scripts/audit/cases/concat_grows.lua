-- strings that are copied in loops
-- verdict: declared
-- expect: ES410 7:21
-- expect: ES410 11:5
-- select: ES410
local s, t, few = '', '', ''
for i = 1, #ARGV do s = s .. ARGV[i] end
for _, m in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local line = m
    line = line .. '!'
    t = t .. line .. ','
end
for i = 1, 3 do few = few .. i end
return s .. t .. few
