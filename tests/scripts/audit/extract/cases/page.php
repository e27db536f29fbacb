<p>It's HTML: "redis.call('GET', KEYS[1])"</p>
<?php
// it's a comment ?> <b>"</b> <?php
# and "another
#[Attribute("it's")]
$get = 'return redis.call(\'GET\', KEYS[1])';
$double = "return redis.call('GET', '$prefix:{$this->name['x']}')";
$value = "redis.call('SET', KEYS[1], $values[0]) return redis.call('GET', \"\x41\$x\u{e9}\")";
$heredoc = <<<LUA
    local key = KEYS[1]
    redis.call('SET', key .. '${x}', "\$a")
    return redis.call('GET', $obj->key)
    LUA;
$nowdoc = <<<'LUA'
return redis.call('GET', KEYS[1]) -- $no {$code} \n
LUA;
$sum = 'local a = ARGV[1] ' . "\n" .
    'return redis.call("GET", a)';
$lines = implode("\n", ['local k = KEYS[1]', 'return redis.call("GET", k)']);
$holed = 'return redis.call("GET", "' . self::PREFIX . ':x")';
?>
<p>redis.call "it's"</p>
<?= $redis->eval("return redis.call('TTL', KEYS[1])") ?>
<!-- expect: script 6:9 declared d3c21d0c -->
<!-- expect: script 7:12 undeclared - -->
<!-- expect: script 8:11 undeclared - -->
<!-- expect: script 10:5 unproven - -->
<!-- expect: script 15:1 declared 5dcb6299 -->
<!-- expect: script 17:9 undeclared 0cfef121 -->
<!-- expect: script 19:26 declared b3937731 -->
<!-- expect: script 20:11 undeclared - -->
<!-- expect: script 23:19 declared 403b2c12 -->
<!-- expect: ES101 7:37 -->
<!-- expect: ES704 7:38 -->
<!-- expect: ES704 7:46 -->
<!-- expect: ES704 8:38 -->
<!-- expect: ES101 8:75 -->
<!-- expect: ES104 11:23 -->
<!-- expect: ES704 11:31 -->
<!-- expect: ES105 12:30 -->
<!-- expect: ES704 12:30 -->
<!-- expect: ES102 18:31 -->
<!-- expect: ES101 20:36 -->
<!-- expect: ES704 20:41 -->
