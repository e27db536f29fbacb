/*
 * reply.h - what is inside an evs_reply. The reader (resp.h) builds these in an arena; a reply that
 * was copied for a caller is one block whose first element is the root.
 */
#ifndef EVS_CORE_REPLY_H
#define EVS_CORE_REPLY_H

#include <evalshard/reply.h>

struct evs_reply {
    evs_reply_type type;
    size_t len; /* bytes of text, or number of items */
    union {
        int64_t integer;
        const char *text; /* NUL behind it, not counted */
        evs_reply *items; /* `len` of them, one after the other */
    } as;
};

#endif
