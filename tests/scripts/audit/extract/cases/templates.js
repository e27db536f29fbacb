#!/usr/bin/env node
// It's a comment, `not a template
/* nor "this */
const get = 'return redis.call("GET", KEYS[1])';
const template = `
  local v = redis.call('GET', KEYS[1])
  return v .. "\\n${'`'}"
`;
const prefixed = `redis.call('SET', '${prefix}:x', 1)
  redis.call('SET', ${key}, ${inner(`a ${'}'} "b`)})
  return redis.call('GET', KEYS[1])`;
const helped = `${HELPERS}
  return redis.call('GET', KEYS[1])`;
const lines = ["local k = ARGV[1]", 'return redis.call("GET", k)', ].join('\n');
const sum = 'local msg = redis.call( "keys", "' + prefix + ':jobs" )\n\
  return \x6dsg -- \u{1F600}\u00e9\101';
const re = /["'`/]/g.test(a / b) && x / y / z; let quote = '"';
const o = { lua: `return redis.call('INCR', KEYS[1])`.trim(), numberOfKeys: 1 };
const jsx = <p>Don't redis.call this</p>;
const after = "return redis.call('TTL', KEYS[1])";
client.eval("return redis.call('TTL', KEYS[1]", 1, 'x');

// expect: script 4:14 declared d1ad8397
// expect: script 5:19 declared -
// expect: script 9:19 undeclared -
// expect: script 12:17 unproven -
// expect: script 14:17 undeclared f8e4721a
// expect: script 15:14 no_keys -
// expect: script 18:19 declared 61636018
// expect: script 20:16 declared 403b2c12
// expect: script 21:14 none 6e3e3636
// expect: ES704 7:19
// expect: ES101 9:37
// expect: ES704 9:38
// expect: ES105 10:21
// expect: ES704 10:21
// expect: ES704 10:29
// expect: ES006 12:17
// expect: ES105 13:28
// expect: ES102 14:63
// expect: ES109 15:38
// expect: ES704 15:51
// expect: ES001 21:46
