package main

// Don't be confused by `this
/* or "that */
var get = redis.NewScript(`
local key = KEYS[1]
return redis.call("GET", key)
`)

var quote = '"'
var tick = '`'
var sum = "local a = ARGV[1]\n" +
	"return redis.call(\"GET\", a) -- \x41\u00e9\101"
var lines = strings.Join([]string{
	"local k = KEYS[1]",
	"return redis.call('GET', k)",
}, "\n")
var formatted = fmt.Sprintf("return redis.call('GET', '%s')", name)
var holed = `return redis.call('GET', KEYS[1]) .. "` + "`" + name + `"`

// expect: script 5:28 declared 29887c58
// expect: script 12:12 undeclared 786056af
// expect: script 15:3 declared 67492e0b
// expect: script 18:30 undeclared 3ba17d81
// expect: script 19:14 declared -
// expect: ES102 13:30
// expect: ES101 18:55
// expect: ES704 18:55
// expect: ES704 19:62
