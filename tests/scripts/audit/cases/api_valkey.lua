-- what only Valkey has
-- verdict: declared
-- expect: ES603 7:11
-- expect: ES603 8:9
-- expect: ES603 8:38
-- expect: ES603 8:60
local r = server
return {server.call('GET', KEYS[1]), redis.VALKEY_VERSION, os.clock()}
