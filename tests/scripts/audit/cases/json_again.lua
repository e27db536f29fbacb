-- decoded documents that are encoded again, and lists that may be empty
-- verdict: declared
-- expect: ES511 9:41
-- expect: ES511 12:65
-- expect: ES512 16:41
-- expect: ES512 25:21
local doc = cjson.decode(ARGV[1])
doc.seen = true
redis.call('SET', KEYS[1], cjson.encode(doc))
redis.call('SET', KEYS[1], cjson.encode({id = doc.id}))
redis.call('SET', KEYS[1], cjson.encode({n = #doc, s = doc.name .. '!'}))
local function store(d) redis.call('SET', KEYS[1], cjson.encode(d)) end
store(cjson.decode(ARGV[2]))
local list = {}
for i = 2, #ARGV do list[#list + 1] = ARGV[i] end
redis.call('SET', KEYS[1], cjson.encode(list))
local asked = {}
for i = 2, #ARGV do table.insert(asked, ARGV[i]) end
if #asked > 0 then redis.call('SET', KEYS[1], cjson.encode(asked)) end
local known = {}
for i = 2, #ARGV do known[#known + 1] = ARGV[i] end
if next(known) == nil then return '[]' end
redis.call('SET', KEYS[1], cjson.encode(known))
redis.call('SET', KEYS[1], cjson.encode({1, 2}))
return cjson.encode(cjson.decode('[]'))
