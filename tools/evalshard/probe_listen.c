/* probe_listen.c - whether a sentinel lets the user listen to what a client wants to hear of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/probe.h"
#include "tools/evalshard/term.h"

enum { MOST_CHANNELS = 6 };

/* What is heard on channels, and what it means when that may not be. */
typedef struct subject {
    const char *code;
    const char *hint;
    const char *message; /* in front of the channels and the reason */
    size_t count;
    const char *channels[MOST_CHANNELS];
} subject;

static const subject primaries = {
    "W531",
    "give the user +subscribe and the channel &+switch-master",
    "another primary is not noticed at once but by the next question (refresh): it does not let "
    "the user listen to",
    1,
    {"+switch-master"}};

static const subject replicas = {
    "W532",
    "give the user +subscribe and the channels &+slave &+sdown &-sdown &+slave-reconf-done "
    "&+convert-to-slave &+reboot",
    "what happens to replicas is not noticed at once but by the next question (refresh): it does "
    "not let the user listen to",
    6,
    {"+slave", "+sdown", "-sdown", "+slave-reconf-done", "+convert-to-slave", "+reboot"}};

static evs_status listen_to(const probe *p, const char *const *channels, size_t count,
                            evs_error *err)
{
    evs_bytes names[MOST_CHANNELS];
    for (size_t i = 0; i < count; i++)
        names[i] = evs_text(channels[i]);
    return evs_may_listen(p->client, p->shard, names, count, err);
}

/* Those that are refused on their own, with blanks between them; yours to free. */
static char *list_refused(const probe *p, const subject *s)
{
    char *list = NULL;
    size_t len = 0;
    FILE *out = need(open_memstream(&list, &len));
    for (size_t i = 0; i < s->count; i++) {
        evs_error err;
        if (listen_to(p, &s->channels[i], 1, &err) == EVS_E_DENIED)
            fprintf(out, " %s", s->channels[i]);
    }
    fclose(out);
    return need(list);
}

/* All at once, as a client does; one by one to find out which. */
static void try_listening(probe *p, const subject *s)
{
    evs_error err;
    evs_status status = listen_to(p, s->channels, s->count, &err);
    if (status == EVS_OK)
        return;
    char *which = status == EVS_E_DENIED ? list_refused(p, s) : need(strdup(""));
    char *why = shown(evs_text(probe_bare(p, &err)), '\0');
    probe_complain(p, PROBE_WARNING, s->code, status == EVS_E_DENIED ? s->hint : "", "%s%s: %s",
                   s->message, which[0] == '\0' ? " it" : which, why);
    free(which);
    free(why);
}

void probe_try_listening(probe *p)
{
    int reads = 0;
    for (size_t i = 0; i < p->nwatches; i++)
        reads |= probe_reads_replicas(p->watches[i].read_from);
    try_listening(p, &primaries);
    if (reads)
        try_listening(p, &replicas);
}
