-- What may be nil for another reason than a missing key may be what is filled
-- verdict: unproven
-- expect: ES105 8:12
local k
if ARGV[1] == '1' then k = KEYS[1] end
local a = { 'SET', k }
table.insert(a, ARGV[2])
redis.call(unpack(a))
