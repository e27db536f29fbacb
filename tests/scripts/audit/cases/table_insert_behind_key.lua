-- A list of arguments that begins with a key and goes on with ARGV
-- verdict: declared
-- expect: ES408 9:12
-- The element of KEYS is there, so what is inserted comes behind it.
local a = { 'HMSET', KEYS[1] }
for i = 3, #ARGV do
  table.insert(a, ARGV[i])
end
redis.call(unpack(a))
