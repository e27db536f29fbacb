-- holes for a template engine
-- verdict: declared
-- expect: ES704 8:11
-- expect: ES704 9:11
-- expect: ES704 10:11
-- expect: ES704 11:29
-- expect: ES704 11:36
local a = '${id}'
local b = "{{ name }}"
local c = '#{key.part}'
redis.call('HSET', KEYS[1], 'f%s', '%d')
return a .. b .. c
