--- Posts a status message under a new id, as in chapter 11 of Redis in Action.
-- @key  user       user:<uid>, hash with the field login
-- @key  counter    status:id:, the last id given out
-- @arg  fields...  field, value, ... of the message
-- @returns integer id, or nil when there is no such user
-- @retry once
-- Every run takes a new id, so a second one posts the message twice.
-- @version 1

-- Not for sharded servers. The status goes to status:<id>, a key made from a reply of the server, so
-- nobody can pass it in KEYS and route by it: a cluster refuses it unless the node happens to own
-- its slot, and a plain shard writes it where no reader looks. The script is kept this way on
-- purpose, as the finding that the audit must make. Use create_status, whose caller makes the id.

-- How many values one command takes: unpack fails at some 8,000. Even, so that pairs stay together.
local CHUNK = 1000

if #ARGV % 2 == 1 then
    return redis.error_reply('ERR book/create_status takes pairs of field and value')
end

local login = redis.call('HGET', KEYS[1], 'login')
if not login then
    return nil
end

-- A plain .. would write numbers from 10^14 on as 1e+14.
local id = redis.call('INCR', KEYS[2])
local digits = string.format('%.0f', id)
local status = 'status:' .. digits

-- Fields of the caller come last: here, as in the book, they may replace login and id.
redis.call('HSET', status, 'login', login, 'id', digits)
for i = 1, #ARGV, CHUNK do
    redis.call('HSET', status, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
redis.call('HINCRBY', KEYS[1], 'posts', 1)
return id
