/*
 * reply.h - what a server answered.
 *
 * A reply is a tree that never changes. Strings are binary safe. A reply you got through an
 * out-pointer is yours to free with evs_reply_free, which frees the whole tree; a reply handed to a
 * completion is borrowed and gone when the completion returns: take evs_reply_copy to keep it.
 * Any thread may read a reply; the accessors never fail and never allocate.
 */
#ifndef EVALSHARD_REPLY_H
#define EVALSHARD_REPLY_H

#include <evalshard/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_reply evs_reply;

typedef enum evs_reply_type {
    EVS_REPLY_NIL = 0,
    EVS_REPLY_STRING = 1,
    EVS_REPLY_STATUS = 2, /* a simple string such as OK */
    EVS_REPLY_ERROR = 3,
    EVS_REPLY_INTEGER = 4,
    EVS_REPLY_ARRAY = 5
} evs_reply_type;

/* NIL for NULL. */
EVS_API evs_reply_type evs_reply_kind(const evs_reply *reply);

/* The bytes of a string, a status or an error (without its leading '-'); empty for the rest. */
EVS_API evs_bytes evs_reply_bytes(const evs_reply *reply);

/* The number of an integer, or of a string that is a whole decimal number; 0 for the rest. */
EVS_API int64_t evs_reply_integer(const evs_reply *reply);

/* The number of elements of an array; 0 for the rest. */
EVS_API size_t evs_reply_count(const evs_reply *reply);

/* Element `index` of an array, borrowed; NULL when there is none. */
EVS_API const evs_reply *evs_reply_at(const evs_reply *reply, size_t index);

/* A copy that owns all its memory, in one block. `*out` is yours to free.
 * Fails with EVS_E_NOMEM. */
EVS_API evs_status evs_reply_copy(evs_reply **out, const evs_reply *reply, evs_error *err);

EVS_API void evs_reply_free(evs_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
