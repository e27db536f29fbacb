-- loops that may be endless, with writes
-- verdict: declared
-- expect: ES402 12:5
-- expect: ES402 18:1
-- expect: ES402 20:1
-- expect: ES402 23:12
-- expect: ES407 23:12
local write = redis.call
local function tell() write('SET', KEYS[1], '1') end
local s = ARGV[1]
if ARGV[2] == 'a' then
    while s ~= '' do
        s = string.gsub(s, 'a', 'aa')
        tell()
    end
end
tell()
while s ~= 'x' do s = string.gsub(s, 'b', 'bb') end
redis.call('DEL', KEYS[2])
while redis.call('LLEN', KEYS[3]) > 0 do redis.call('LPUSH', KEYS[3], 'x') end
local function again(v)
    redis.call('INCR', KEYS[1])
    return again(v)
end
return again(s)
