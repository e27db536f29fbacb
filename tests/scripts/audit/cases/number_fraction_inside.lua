-- a fraction in a returned table
-- verdict: no_keys
-- expect: ES508 6:8
local n = tonumber(ARGV[1])
local share = n / 3
return {1, {share, math.floor(share)}}
