-- loops without writes that nothing shows to end
-- verdict: no_keys
-- expect: ES403 9:1
-- expect: ES403 10:1
-- expect: ES403 14:1
-- expect: ES403 20:1
-- expect: ES401 24:1
local s, n = ARGV[1], 1
while s ~= '' do s = string.gsub(s, 'a', 'aa') end
while n < 10 do
    if s == 'x' then n = n + 1 end
end
local limit = 10
while n < limit do
    n = n + 1
    limit = limit + 1
end
local queue = {1}
local at = 1
while at <= #queue do
    queue[#queue + 1] = at
    at = at + 1
end
repeat n = n * 2 until n == 7
return n
