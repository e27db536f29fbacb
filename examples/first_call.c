/*
 * first_call.c - the shortest honest program: one map, one script, one call.
 *
 *     first_call shards.yaml 7 "hello"
 *
 * Posts a status message of user 7 with the shipped script create_status, which takes the keys of
 * the user and of the message. Both carry the tag {user:7}, so they live on one shard.
 */
#include <evalshard/evalshard.h>

#include <stdio.h>

static int complain(const evs_error *err)
{
    fprintf(stderr, "first_call: %s: %s\n", evs_status_name(err->status), err->message);
    if (err->script[0] != '\0')
        fprintf(stderr, "first_call: the script was %s\n", evs_outcome_text(err->outcome));
    return 1;
}

/* A script answers with data or with nothing; create_status has no user to post for then. */
static void print(const evs_reply *reply)
{
    evs_bytes id = evs_reply_bytes(reply);
    if (evs_reply_kind(reply) == EVS_REPLY_NIL)
        printf("there is no such user\n");
    else
        printf("posted %.*s\n", (int)id.len, id.data);
}

static evs_status post(evs_client *client, const char *uid, const char *text, evs_error *err)
{
    char user[64];
    char status[80];
    snprintf(user, sizeof user, "{user:%s}", uid);
    snprintf(status, sizeof status, "{user:%s}:status:1", uid);

    evs_bytes keys[] = {evs_text(user), evs_text(status)};
    evs_bytes args[] = {evs_text("1"), evs_text("message"), evs_text(text)};
    evs_invocation call = {.script = "create_status",
                           .keys = keys,
                           .nkeys = sizeof keys / sizeof keys[0],
                           .args = args,
                           .nargs = sizeof args / sizeof args[0]};
    evs_reply *reply = NULL;
    evs_status result = evs_call(&reply, client, &call, err);
    if (result == EVS_OK)
        print(reply);
    evs_reply_free(reply); /* with EVS_E_SCRIPT it is the script's own error */
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: first_call MAP USER TEXT\n");
        return 2;
    }
    evs_error err = {0};
    evs_shardmap *map = NULL;
    evs_registry *registry = NULL;
    evs_client *client = NULL;

    evs_status status = evs_shardmap_load(&map, argv[1], NULL, &err);
    if (status == EVS_OK)
        status = evs_registry_new(&registry, NULL, &err);
    if (status == EVS_OK)
        status = evs_script_load_shipped(registry, &err);
    if (status == EVS_OK)
        status = evs_client_open(&client, map, registry, NULL, &err);
    if (status == EVS_OK)
        status = post(client, argv[2], argv[3], &err);

    evs_client_free(client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
    return status == EVS_OK ? 0 : complain(&err);
}
