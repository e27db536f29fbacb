// What constants in capitals stand for is known when they are set once.
const LUA_HELPERS = `
local function touch(key)
  redis.call('EXPIRE', key, 60)
`;
const PREFIX = 'app:';
const CLOSE = '\nend\n';
let TWICE = "KEYS[1]";
TWICE = "KEYS[2]";
const touch = `${LUA_HELPERS}${CLOSE}
touch(KEYS[1])
return touch('${PREFIX}x')`;
const either = `return redis.call('GET', ${TWICE})`;
const sum = LUA_HELPERS + CLOSE + "touch(ARGV[1])";
const ITSELF = "local x = " + ITSELF + "redis.call('GET', KEYS[1])";
// expect: script 2:22 undeclared 6fa8a736
// expect: script 13:17 unproven -
// expect: script 2:22 undeclared b13e024a
// expect: ES101 4:24
// expect: ES105 13:42
// expect: ES704 13:42
// expect: ES102 4:24
