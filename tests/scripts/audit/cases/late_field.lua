-- the value of a field changes the variable that its key is in
-- verdict: undeclared
-- expect: ES101 10:31
local k = 'p'
local function f()
    k = 'q'
    return 'x'
end
local t = {[k] = f()}
if t.q then redis.call('GET', 'x') end
return redis.call('GET', KEYS[1])
