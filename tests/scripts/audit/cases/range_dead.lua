-- ranges: what numbers exclude is never reached
-- verdict: declared
local n = #ARGV
if n < 0 then
    redis.call('GET', 'never')
end
for i = 1, 20 do
    if i % 4 > 3 or i > 20 then
        redis.call('GET', 'never')
    end
end
return redis.call('GET', KEYS[1])
