#include "sharding/conns.h"

#include "core/error.h"
#include "core/mem.h"

struct evs__conns {
    evs__loop *loop; /* the client's */
    evs__conn_limits limits;
    evs__conn **all; /* ours */
    size_t count, room;
};

evs_status evs__conns_new(evs__conns **out, evs__loop *loop, const evs__conn_limits *limits,
                          evs_error *err)
{
    evs__conns *conns = evs__zalloc_array(1, sizeof *conns);
    if (conns == NULL)
        return evs__fail_nomem(err);
    conns->loop = loop;
    conns->limits = *limits;
    *out = conns;
    return EVS_OK;
}

static void end(evs__conns *conns, void (*each)(evs__conn *conn))
{
    if (conns == NULL)
        return;
    for (size_t i = 0; i < conns->count; i++) {
        evs__conn *conn = conns->all[i];
        each(conn); /* completions may ask for statistics meanwhile */
        conns->all[i] = NULL;
    }
    evs__free(conns->all);
    evs__free(conns);
}

void evs__conns_free(evs__conns *conns)
{
    end(conns, evs__conn_free);
}

void evs__conns_abandon(evs__conns *conns)
{
    end(conns, evs__conn_abandon);
}

static int reserve(evs__conns *conns)
{
    if (conns->count < conns->room)
        return 1;
    size_t room = conns->room == 0 ? 4 : 2 * conns->room;
    evs__conn **all = evs__realloc_array(conns->all, room, sizeof *all);
    if (all == NULL)
        return 0;
    conns->all = all;
    conns->room = room;
    return 1;
}

evs_status evs__conns_make(evs__conn **out, evs__conns *conns, const evs__login *login,
                           evs_error *err)
{
    return evs__conns_make_with(out, conns, login, &conns->limits, err);
}

evs_status evs__conns_make_with(evs__conn **out, evs__conns *conns, const evs__login *login,
                                const evs__conn_limits *limits, evs_error *err)
{
    if (!reserve(conns))
        return evs__fail_nomem(err);
    evs__conn **slot = &conns->all[conns->count];
    evs_status status = evs__conn_new(slot, conns->loop, login, limits, err);
    if (status != EVS_OK)
        return status;
    conns->count++;
    *out = *slot;
    return EVS_OK;
}

void evs__conns_close(evs__conns *conns, evs__conn *conn)
{
    size_t i = 0;
    while (conns->all[i] != conn)
        i++;
    conns->all[i] = conns->all[--conns->count];
    evs__conn_free(conn);
}
