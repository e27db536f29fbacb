/*
 * fake_shard.h - a server that plays a script: it answers what it is told to, when it is told to,
 * and closes, resets or falls silent at any byte.
 *
 *     const fake_step steps[] = {
 *         FAKE_ACCEPT,
 *         FAKE_COMMANDS(1), FAKE_SAY("+OK\r\n"),         // the greeting
 *         FAKE_COMMANDS(2), FAKE_SAY(":1\r\n"),          // two requests, one answer
 *         FAKE_RESET,
 *     };
 *     fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
 *     ... drive the client; fake_shard_login(fake) says where to connect ...
 *     fake_shard_stop(fake);                             // joins the thread, checks it came to
 *                                                        // the end of its script, frees
 *
 * The script runs on a thread of its own and deals with one connection at a time; ACCEPT closes the
 * one before. A step that waits for more than a minute, or a script that was not played to its
 * end, fails the test in fake_shard_stop. When the script is over, the connection stays open until
 * fake_shard_stop, unless the last step closed it.
 *
 * What arrived is recorded: fake_shard_received (after fake_shard_wait) has every byte of all
 * connections that a step took.
 */
#ifndef EVS_TESTS_SUPPORT_FAKE_SHARD_H
#define EVS_TESTS_SUPPORT_FAKE_SHARD_H

#include "core/endpoint.h"
#include "core/net/loop.h"

typedef struct fake_shard fake_shard;

typedef enum fake_listen {
    FAKE_UNIX,
    FAKE_TCP,       /* 127.0.0.1 */
    FAKE_TCP_NARROW /* with the smallest receive buffer: a client cannot send much unread */
} fake_listen;

typedef enum fake_do {
    FAKE_DO_ACCEPT,
    FAKE_DO_BYTES,    /* take `n` bytes */
    FAKE_DO_COMMANDS, /* take `n` commands */
    FAKE_DO_EXPECT,   /* take as many bytes as `data` has, which must be the same */
    FAKE_DO_SAY,      /* send `data` */
    FAKE_DO_ANSWER,   /* `n` times: take a command, send `data` */
    FAKE_DO_SERVE,    /* answer each command of whoever connects with `data`, until fake_shard_go */
    FAKE_DO_EOF,      /* wait until the client closes */
    FAKE_DO_DRAIN,    /* take what has arrived, without waiting */
    FAKE_DO_PAUSE,    /* neither read nor write until fake_shard_go */
    FAKE_DO_CLOSE,
    FAKE_DO_RESET, /* TCP: with RST */
    FAKE_DO_DEAF   /* stop listening: further connects are refused */
} fake_do;

typedef struct fake_step {
    fake_do what;
    size_t n;
    evs_bytes data;
} fake_step;

/* Items of an array of steps. SAY and the like take literals or arrays, which may hold NUL. */
#define FAKE_TEXT(literal)             \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
#define FAKE_ACCEPT        \
    {                      \
        FAKE_DO_ACCEPT, 0, \
        {                  \
            NULL, 0        \
        }                  \
    }
#define FAKE_BYTES(n)       \
    {                       \
        FAKE_DO_BYTES, (n), \
        {                   \
            NULL, 0         \
        }                   \
    }
#define FAKE_COMMANDS(n)       \
    {                          \
        FAKE_DO_COMMANDS, (n), \
        {                      \
            NULL, 0            \
        }                      \
    }
#define FAKE_EXPECT(text)                  \
    {                                      \
        FAKE_DO_EXPECT, 0, FAKE_TEXT(text) \
    }
#define FAKE_SAY(text)                  \
    {                                   \
        FAKE_DO_SAY, 0, FAKE_TEXT(text) \
    }
#define FAKE_SAY_BYTES(data, len) \
    {                             \
        FAKE_DO_SAY, 0,           \
        {                         \
            (data), (len)         \
        }                         \
    }
#define FAKE_ANSWER(n, text)                 \
    {                                        \
        FAKE_DO_ANSWER, (n), FAKE_TEXT(text) \
    }
#define FAKE_SERVE(text)                  \
    {                                     \
        FAKE_DO_SERVE, 0, FAKE_TEXT(text) \
    }
#define FAKE_EOF        \
    {                   \
        FAKE_DO_EOF, 0, \
        {               \
            NULL, 0     \
        }               \
    }
#define FAKE_DRAIN        \
    {                     \
        FAKE_DO_DRAIN, 0, \
        {                 \
            NULL, 0       \
        }                 \
    }
#define FAKE_PAUSE        \
    {                     \
        FAKE_DO_PAUSE, 0, \
        {                 \
            NULL, 0       \
        }                 \
    }
#define FAKE_CLOSE        \
    {                     \
        FAKE_DO_CLOSE, 0, \
        {                 \
            NULL, 0       \
        }                 \
    }
#define FAKE_RESET        \
    {                     \
        FAKE_DO_RESET, 0, \
        {                 \
            NULL, 0       \
        }                 \
    }
#define FAKE_DEAF        \
    {                    \
        FAKE_DO_DEAF, 0, \
        {                \
            NULL, 0      \
        }                \
    }

/* Accepts a connection and answers the greeting of fake_shard_login: CLIENT SETNAME. */
#define FAKE_GREET FAKE_ACCEPT, FAKE_ANSWER(1, "+OK\r\n")

/* Listens and starts the thread; steps and their data are borrowed until fake_shard_stop. Fails the
 * test when that is not possible. */
fake_shard *fake_shard_start(fake_listen listen, const fake_step *steps, size_t nsteps);
#define FAKE_START(listen, steps) fake_shard_start(listen, steps, sizeof(steps) / sizeof(steps)[0])

/* How to reach it: shard "fake", client name "test", no password, db 0, a limit of 20 s. Borrowed;
 * copy it to ask for something else. */
const evs__login *fake_shard_login(const fake_shard *fake);

/* The address as in a map: "unix:/tmp/..." or "127.0.0.1:40001". */
const char *fake_shard_address(const fake_shard *fake);

/* The number of steps that are done. Any thread may ask. */
size_t fake_shard_done(fake_shard *fake);

/* Waits until `nsteps` steps are done, without driving any loop. */
void fake_shard_await(fake_shard *fake, size_t nsteps);

/* The same while driving the client's loop. */
void fake_shard_await_on(fake_shard *fake, size_t nsteps, evs__loop *loop);

/* Ends the PAUSE or SERVE that the script has come to, or comes to next. */
void fake_shard_go(fake_shard *fake);

/* Waits for the end of the script, fails the test when a step failed. */
void fake_shard_wait(fake_shard *fake);

/* Only after fake_shard_wait. */
evs_bytes fake_shard_received(const fake_shard *fake);

/* fake_shard_wait, then closes everything and frees. Accepts NULL. */
void fake_shard_stop(fake_shard *fake);

#endif
