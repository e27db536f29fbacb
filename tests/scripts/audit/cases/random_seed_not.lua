-- a seed from outside
-- verdict: no_keys
-- target: redis:6.2
-- select: ES702
math.randomseed(tonumber(ARGV[1]))
return math.random(1000)
