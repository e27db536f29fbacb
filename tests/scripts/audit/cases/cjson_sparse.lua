-- encode_sparse_array gives three values
-- verdict: undeclared
-- expect: ES101 6:23
local p, q = cjson.encode_sparse_array()
if q then
    redis.call('GET', 'x')
end
return redis.call('GET', KEYS[1])
