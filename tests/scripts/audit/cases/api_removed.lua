-- what servers no longer have
-- verdict: unproven
-- expect: ES604 16:1
-- expect: ES604 17:11
-- expect: ES006 18:11
-- expect: ES604 18:11
-- expect: ES006 19:11
-- expect: ES604 19:11
-- expect: ES607 19:11
-- expect: ES006 20:11
-- expect: ES604 20:11
-- expect: ES006 21:1
-- expect: ES604 21:1
-- expect: ES006 22:8
-- expect: ES604 22:8
print(ARGV[1])
local f = loadfile
local b = require('bit')
local e = getfenv(1)
local p = newproxy(true)
io.write('x')
return debug.traceback()
