/*
 * base.h - what every other header needs: bytes, statuses, outcomes, errors.
 *
 * Rules of the whole library:
 *
 *   - An object that comes back through an out-pointer is yours to free; one that is returned is
 *     borrowed from its parent. Every _free accepts NULL.
 *   - Out-pointers are untouched when a function fails.
 *   - A pointer may be NULL where its comment says so, and an array whose count is 0; elsewhere
 *     NULL is a mistake that is not looked for.
 *   - Keys, arguments and replies are bytes with a length, never C strings: they may hold NUL.
 *   - Options structs begin with their size; start from the INIT macro and set what you need. What
 *     was not made with INIT is refused.
 *   - An evs_error belongs to the caller, may be NULL, and is written only when something failed.
 *   - The library never prints, never exits, installs no signal handler and raises no SIGPIPE.
 */
#ifndef EVALSHARD_BASE_H
#define EVALSHARD_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version is written here once; CMake reads it. */
#define EVS_VERSION_MAJOR 0
#define EVS_VERSION_MINOR 1
#define EVS_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#define EVS_API __attribute__((visibility("default")))
#else
#define EVS_API
#endif

/* Bytes somebody else owns, valid as long as what they point into. Empty is {NULL, 0} or any
 * pointer with length 0. */
typedef struct evs_bytes {
    const char *data;
    size_t len;
} evs_bytes;

/* A view of a C string, without its NUL. */
static inline evs_bytes evs_text(const char *text)
{
    evs_bytes bytes = {text, text == NULL ? 0 : strlen(text)};
    return bytes;
}

/*
 * Every status: name, pinned number, text. Families begin at a ten and keep gaps.
 *
 *   10 the caller   20 configuration   30 routing   40 the script   50 the shard   70 time, limits
 */
#define EVS_STATUS_MAP(X)                               \
    X(OK, 0, "ok")                                      \
    X(E_INVALID, 10, "invalid argument")                \
    X(E_NOMEM, 11, "out of memory")                     \
    X(E_STATE, 12, "not possible in this state")        \
    X(E_CANCELED, 13, "canceled")                       \
    X(E_CONFIG, 20, "unusable configuration")           \
    X(E_YAML, 21, "not well-formed YAML")               \
    X(E_SECRET, 22, "secret not available")             \
    X(E_NO_ROUTE, 30, "no route for a key")             \
    X(E_CROSS_SHARD, 31, "keys on different shards")    \
    X(E_CROSS_SLOT, 32, "keys in different slots")      \
    X(E_NO_KEYS, 33, "no keys and no shard")            \
    X(E_TAG, 34, "keys with different hash tags")       \
    X(E_NO_SCRIPT, 40, "no such script")                \
    X(E_ARITY, 41, "wrong number of keys or arguments") \
    X(E_AUDIT, 42, "refused by the audit policy")       \
    X(E_COMPILE, 43, "script does not compile")         \
    X(E_SCRIPT, 44, "script answered with an error")    \
    X(E_CONNECT, 50, "shard not reachable")             \
    X(E_AUTH, 51, "authentication refused")             \
    X(E_TLS, 52, "TLS failure")                         \
    X(E_PROTOCOL, 53, "not a valid reply")              \
    X(E_BUSY, 54, "shard busy with a script")           \
    X(E_LOADING, 55, "shard loading its data set")      \
    X(E_READONLY, 56, "shard is a read-only replica")   \
    X(E_OOM, 57, "shard out of memory")                 \
    X(E_NOREPLICAS, 58, "shard has too few replicas")   \
    X(E_MISCONF, 59, "shard cannot persist")            \
    X(E_DENIED, 60, "permission denied by the shard")   \
    X(E_MOVED, 61, "shard does not own the slot")       \
    X(E_CLUSTER, 62, "cluster state forbids the call")  \
    X(E_ABORTED, 63, "a watched key was changed")       \
    X(E_TIMEOUT, 70, "deadline exceeded")               \
    X(E_CLOSED, 71, "connection lost")                  \
    X(E_QUEUE_FULL, 72, "queue full")                   \
    X(E_REPLY_TOO_BIG, 73, "reply over the size limit") \
    X(E_REPLY_TOO_DEEP, 74, "reply over the depth limit")

typedef enum evs_status {
#define EVS_STATUS_ENUM(name, number, text) EVS_##name = number,
    EVS_STATUS_MAP(EVS_STATUS_ENUM)
#undef EVS_STATUS_ENUM
} evs_status;

/* What happened to the script of a call. NOT whenever the connection ended before the kernel had
 * accepted the last byte of the request, or the deadline came before its first byte had left. */
typedef enum evs_outcome {
    EVS_NOT_EXECUTED = 0,
    EVS_EXECUTED = 1,
    EVS_MAYBE_EXECUTED = 2
} evs_outcome;

/* Why something failed. Plain data on the caller's stack; nothing inside needs freeing. */
typedef struct evs_error {
    evs_status status;
    evs_outcome outcome; /* of a call; NOT_EXECUTED for everything else */
    int line;            /* of a file or a script, from 1; 0 when there is none */
    int column;          /* from 1; 0 when there is none */
    char script[128];    /* the script's name, "" when there is none */
    char shard[64];      /* the shard's name, "" when there is none */
    char message[1024];  /* one line, names what it is about */
} evs_error;

/* "EVS_E_CONNECT" for EVS_E_CONNECT; "EVS_UNKNOWN" for a number not in the list. Static text. */
EVS_API const char *evs_status_name(evs_status status);

/* A short sentence for the status. Static text. */
EVS_API const char *evs_status_text(evs_status status);

/* "not executed", "executed", "maybe executed". Static text. */
EVS_API const char *evs_outcome_text(evs_outcome outcome);

/* The version of the library that is running, as "0.1.0". Static text. */
EVS_API const char *evs_version(void);

#ifdef __cplusplus
}
#endif

#endif
