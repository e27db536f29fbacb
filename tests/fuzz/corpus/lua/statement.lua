--- Posts a status message, if its author exists. Posting the same id twice changes nothing.
-- @key  user       {user:<uid>}, hash with the field login
-- @key  status     {user:<uid>}:status:<id>, hash
-- @arg  id         unique id of the message, made by the caller
-- @arg  fields...  field, value, ... of the message
-- @returns string id, or nil when there is no such user
-- @retry idempotent
-- The second run finds the id in the status and stops, whatever others wrote into the message or
-- the user since. Only a status that was deleted in the meantime would be posted again.
-- @version 1

-- The caller makes the id, so every key is known before the call and can be routed. Both keys carry
-- the tag of the user: they live on one shard today and after any shard is added.

-- How many values one command takes: unpack fails at some 8,000. Even, so that pairs stay together.
local CHUNK = 1000

if #ARGV % 2 == 0 then
    return redis.error_reply('ERR create_status takes an id and then pairs of field and value')
end

if redis.call('HGET', KEYS[2], 'id') == ARGV[1] then
    return ARGV[1]
end
if redis.call('EXISTS', KEYS[2]) == 1 then
    return redis.error_reply('ERR create_status found another message at the key of the status')
end

local login = redis.call('HGET', KEYS[1], 'login')
if not login then
    return nil
end

-- The counter comes first, because it is the one write that can still fail (when the field holds no
-- number). The status gets its login and id last: a field of that name cannot forge them.
redis.call('HINCRBY', KEYS[1], 'posts', 1)
for i = 2, #ARGV, CHUNK do
    redis.call('HSET', KEYS[2], unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
redis.call('HSET', KEYS[2], 'login', login, 'id', ARGV[1])
return ARGV[1]
