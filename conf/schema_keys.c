/*
 * schema_keys.c - a sentence about each key, and shapes that no table of keys tells.
 *
 * Plain YAML such as 7 or true is text to evalshard where it expects text, so these shapes take
 * numbers for text, too.
 */
#include "conf/schema.h"

#define TEXT "'type': ['string', 'number', 'boolean']"
#define PORT \
    "0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#define HOST  "(\\\\[[0-9A-Fa-f:.]+(%[^\\\\]]*)?\\\\]|[A-Za-z0-9._-]{1,253})"
#define PLACE "(" HOST ":" PORT "|[rR][eE][dD][iI][sS][sS]?://" HOST "(:" PORT ")?/?)"
#define OF_SHARDS                                                                     \
    "{'type': 'object', 'minProperties': 1, 'maxProperties': 4096, 'propertyNames': " \
    "{'$ref': '#/definitions/name'}, 'additionalProperties': {'anyOf': [{'$ref': "    \
    "'#/definitions/address'}, {'$ref': '#/definitions/shard'}]}}"

static const evs__schema_shape shapes[] = {
    {"name", "{" TEXT ", 'pattern': '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'}"},
    {"duration",
     "{'type': 'string', 'pattern': '^[0-9]+(ms|s|m|h)$', 'examples': ['500ms', '2s', '1m']}"},
    {"host_and_port", "{'type': 'string', 'pattern': '^" PLACE "$'}"},
    {"address", "{'type': 'string', 'pattern': '^([uU][nN][iI][xX]:/.*|" PLACE ")$', 'examples': "
                "['10.0.0.1:6379', '[2001:db8::7]:6379', 'unix:/run/redis.sock', "
                "'rediss://redis-1.example.com']}"},
    {"slots", "{'type': ['string', 'integer'], 'pattern': '^[0-9]{1,5}(-[0-9]{1,5})?$'}"},
    {NULL, NULL},
};

static const evs__schema_key keys[] = {
    {"map.evalshard", "The version of the format.", "{'const': 1}", NULL},
    {"map.generation", "Raise it with every change that moves keys.", NULL, NULL},
    {"map.name", "The name of the map.", NULL, NULL},
    {"map.defaults", "Connection keys for every pool and shard.",
     "{'anyOf': [{'type': 'null'}, {'$ref': '#/definitions/connection'}]}", NULL},
    {"map.shards", "The shards, when there is one pool.", OF_SHARDS, NULL},
    {"map.pools", "Pools by name.",
     "{'type': 'object', 'minProperties': 1, 'propertyNames': {'$ref': '#/definitions/name'}, "
     "'additionalProperties': {'$ref': '#/definitions/pool'}}",
     NULL},
    {"map.sentinels", "Groups of sentinels by name.",
     "{'anyOf': [{'type': 'null'}, {'type': 'object', 'propertyNames': {'$ref': "
     "'#/definitions/name'}, 'additionalProperties': {'$ref': '#/definitions/sentinels'}}]}",
     NULL},
    {"map.routes", "Which keys go to which pool; the longest prefix wins.",
     "{'type': 'array', 'minItems': 1, 'items': {'$ref': '#/definitions/route'}}", NULL},
    {"pool.shards", "Shards by name: an address, or a mapping.", OF_SHARDS, NULL},
    {"pool.cluster", "The pool is a real cluster.", "{'$ref': '#/definitions/cluster'}", NULL},
    {"pool.compat", "The software whose placement this is.", "presets", NULL},
    {"pool.distribution", "How keys are placed.", NULL, &evs__field_distribution},
    {"pool.hash", "The hash of keys.", "{'type': 'string'}", NULL},
    {"pool.hash_tag", "Two characters that enclose the tag, or off to hash whole keys.",
     "{" TEXT ", 'pattern': '^([!-~]{2}|off)$'}", NULL},
    {"pool.tag_style", "Whose rule finds the tag.", NULL, &evs__field_tag_style},
    {"pool.points_per_shard", "Points on the ring for a shard of weight 1.", NULL,
     &evs__field_points},
    {"pool.ring_size", "The least size of the ring.", NULL, &evs__field_ring_size},
    {"pool.ring_hash", "The hash of points on the ring.", "{'type': 'string'}", NULL},
    {"pool.table_size", "Slots of the table: a prime, at least 100 per shard.", NULL,
     &evs__field_table_size},
    {"pool.slots_total", "How many slots there are.", NULL, &evs__field_slots_total},
    {"pool.ring_names", "What placement hashes of a shard without ring_name.", NULL,
     &evs__field_ring_names},
    {"pool.expect_fingerprint", "The pool's fingerprint; another one is an error.",
     "{'type': ['string', 'number'], 'pattern': '^[0-9A-Fa-f]{8}$'}", NULL},
    {"pool.on_no_keys", "Where a call without keys goes.", "^shard:.+$", &evs__field_on_no_keys},
    {"pool.read_from", "Who answers scripts that only read.", NULL, &evs__field_read_from},
    {"pool.audit", "What becomes of scripts whose keys are not all declared.", NULL, NULL},
    {"pool.require_same_tag", "What becomes of calls whose keys share a shard but not a tag.", NULL,
     NULL},
    {"pool.on_cross_shard", "What becomes of calls whose keys are on different shards.", NULL,
     NULL},
    {"pool.preload", "When connections get the scripts: all at once, or each with its first call.",
     NULL, NULL},
    {"pool.on_shard_down", "What becomes of calls to a shard that is down.", NULL, NULL},
    {"pool.down_after", "After so many failures in a row a shard is down.", NULL, NULL},
    {"pool.retry_after", "How often a shard that is down is tried.", NULL, NULL},
    {"cluster.seeds", "Addresses of some of its nodes.",
     "{'type': 'array', 'minItems': 1, 'maxItems': 64, 'items': {'$ref': "
     "'#/definitions/host_and_port'}}",
     NULL},
    {"cluster.topology", "The question that is asked for the slots.", NULL, NULL},
    {"cluster.refresh", "How often the slots are asked for without a reason.", NULL, NULL},
    {"cluster.max_redirects", "How often in a row a call follows MOVED or ASK.", NULL, NULL},
    {"cluster.tryagain_backoff", "How long a call rests at first when told to try again.", NULL,
     NULL},
    {"cluster.allow_partial", "Use the other slots while nobody serves some.", NULL, NULL},
    {"shard.address", "host:port, \"[v6]:port\", unix:/path, redis:// or rediss://.",
     "{'$ref': '#/definitions/address'}", NULL},
    {"shard.sentinel", "In place of an address: the group of sentinels that knows it.",
     "{'$ref': '#/definitions/name'}", NULL},
    {"shard.master_name", "What the sentinels call the shard.",
     "{" TEXT ", 'minLength': 1, 'maxLength': 255}", NULL},
    {"sentinels.addresses", "Addresses of the sentinels, three at least.",
     "{'type': 'array', 'minItems': 1, 'maxItems': 64, 'items': {'$ref': "
     "'#/definitions/address'}}",
     NULL},
    {"sentinels.tls", "true, false, or a mapping, which means true.",
     "{'anyOf': [{'type': 'boolean'}, {'$ref': '#/definitions/tls'}]}", NULL},
    {"sentinels.auth", "How to log in to the sentinels; nothing is inherited.",
     "{'$ref': '#/definitions/auth'}", NULL},
    {"sentinels.refresh", "How often they are asked without a reason.", NULL, NULL},
    {"sentinels.quorum_reads", "How many have to name the same primary.", NULL, NULL},
    {"shard.weight", "Its share of keys, next to the others'.", NULL, NULL},
    {"shard.index", "Its number from 0, where the distribution counts shards.", NULL, NULL},
    {"shard.slots", "The slots that it owns.",
     "{'anyOf': [{'$ref': '#/definitions/slots'}, {'type': 'array', 'items': {'$ref': "
     "'#/definitions/slots'}}]}",
     NULL},
    {"shard.ring_name", "What placement hashes instead of the name.", NULL, NULL},
    {"shard.state", "What may go to it; moves no key.", NULL, NULL},
    {"shard.note", "Text for people.", NULL, NULL},
    {"connection.db", "The number of the database.", NULL, NULL},
    {"connection.auth", "How to log in.", NULL, NULL},
    {"connection.connect_timeout", "From the first packet to a connection that is ready.", NULL,
     NULL},
    {"connection.command_timeout", "For a plain command.", NULL, NULL},
    {"connection.script_timeout", "For a script.", NULL, NULL},
    {"connection.client_name", "What CLIENT LIST shows.", NULL, NULL},
    {"connection.tls", "true, false, or a mapping, which means true.",
     "{'anyOf': [{'type': 'boolean'}, {'$ref': '#/definitions/tls'}]}", NULL},
    {"connection.connections",
     "How many a client makes to a shard: one, so that calls stay in order.", "{'const': 1}", NULL},
    {"connection.keepalive",
     "When an idle connection is asked whether the server is there, or off.",
     "{'anyOf': [{'enum': ['off', false]}, {'$ref': '#/definitions/duration'}]}", NULL},
    {"connection.retry", "What is tried again, and when.", NULL, NULL},
    {"retry.attempts", "How often a call is sent again at most.", NULL, NULL},
    {"retry.backoff", "How long after a failed connection the next is tried.", NULL, NULL},
    {"auth.username", "The ACL user.", "text", NULL},
    {"auth.password_env", "The environment variable that holds the password.",
     "{'type': 'string', 'pattern': '^[A-Za-z_][A-Za-z0-9_]*$'}", NULL},
    {"auth.password_file", "The file that holds the password.", "{" TEXT ", 'minLength': 1}", NULL},
    {"auth.password", "The password itself; better use password_env or password_file.",
     "{" TEXT "}", NULL},
    {"tls.ca_file", "Whom to trust: a PEM file.", "text", NULL},
    {"tls.ca_dir", "Whom to trust: a folder of PEM files.", "text", NULL},
    {"tls.cert_file", "The client certificate, a PEM file.", "text", NULL},
    {"tls.key_file", "The key of the client certificate, a PEM file.", "text", NULL},
    {"tls.verify", "What of the server's certificate is verified.", NULL, NULL},
    {"tls.server_name", "The name that the certificate must have.", NULL, NULL},
    {"tls.min_version", "The least version of TLS.", NULL, NULL},
    {"route.prefix", "What the key begins with.", "{" TEXT ", 'minLength': 1, 'maxLength': 512}",
     NULL},
    {"route.default", "Takes every key that no prefix takes.", NULL, NULL},
    {"route.pool", "The name of the pool.", "{'$ref': '#/definitions/name'}", NULL},
};

const evs__schema_key *evs__schema_find(const char *kind, const char *key)
{
    size_t len = strlen(kind);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strncmp(keys[i].key, kind, len) == 0 && keys[i].key[len] == '.' &&
            strcmp(keys[i].key + len + 1, key) == 0)
            return &keys[i];
    }
    return NULL;
}

const evs__schema_shape *evs__schema_shapes(void)
{
    return shapes;
}
