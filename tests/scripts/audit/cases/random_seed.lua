-- the same numbers in every run
-- verdict: no_keys
-- expect: ES702 6:8
-- target: redis:6.2
-- select: ES702
return math.random(1000)
