/*
 * evalshard.h - everything: Lua scripts on sharded Redis and Valkey.
 *
 *     evs_shardmap_load(&map, "shards.yaml", NULL, &err);
 *     evs_registry_new(&registry, NULL, &err);
 *     evs_script_load_folder(registry, "scripts", &err);
 *     evs_client_open(&client, map, registry, NULL, &err);
 *     evs_call(&reply, client, &call, &err);
 *
 * Read base.h first: it has the rules that hold everywhere.
 */
#ifndef EVALSHARD_EVALSHARD_H
#define EVALSHARD_EVALSHARD_H

#include <evalshard/audit.h>
#include <evalshard/base.h>
#include <evalshard/batch.h>
#include <evalshard/client.h>
#include <evalshard/extract.h>
#include <evalshard/reply.h>
#include <evalshard/script.h>
#include <evalshard/shardmap.h>
#include <evalshard/stats.h>
#include <evalshard/transaction.h>

#endif
