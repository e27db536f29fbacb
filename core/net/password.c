/*
 * password.c - passwords that change while a client runs.
 *
 * A server that refuses a password may have a new one, and so may the file or variable that ours
 * came from. That is read again then, once per attempt to connect; when it holds another password,
 * the connection is made anew with that. It is the connection's from then on, the map keeps what it
 * was loaded with. Each copy is wiped before it is freed.
 */
#include "core/net/conn_inner.h"

#include "core/mem.h"

static void wipe(char *password)
{
    if (password != NULL)
        explicit_bzero(password, strlen(password));
    evs__free(password);
}

void evs__conn_forget_password(evs__conn *conn)
{
    if (conn->fresh == NULL)
        return;
    wipe((char *)(uintptr_t)conn->fresh->password);
    evs__free(conn->fresh);
    conn->fresh = NULL;
}

void evs__conn_keep_password(evs__conn *conn)
{
    if (conn->fresh == NULL)
        return;
    const char *password = conn->fresh->password;
    *conn->fresh = *conn->login;
    conn->fresh->password = password;
}

/* 0 when out of memory. */
static int take(evs__conn *conn, char *password)
{
    if (conn->fresh == NULL)
        conn->fresh = evs__zalloc_array(1, sizeof *conn->fresh);
    if (conn->fresh == NULL)
        return 0;
    wipe((char *)(uintptr_t)conn->fresh->password);
    conn->fresh->password = password;
    evs__conn_keep_password(conn);
    return 1;
}

static void tell(const evs__conn *conn)
{
    if (conn->limits->news != NULL)
        conn->limits->news(conn->limits->news_owner, conn->login, EVS_E_AUTH,
                           "the password was refused, its source has another one by now");
}

int evs__conn_reread_password(evs__conn *conn)
{
    const evs__secret_source *source = conn->login->source;
    const char *refused = evs__conn_says(conn).login->password;
    if (source == NULL || refused == NULL || conn->reread)
        return 0;
    conn->reread = 1;
    char *password = source->read(source);
    if (password == NULL || strcmp(password, refused) == 0 || !take(conn, password)) {
        wipe(password);
        return 0;
    }
    tell(conn);
    evs__conn_restart(conn);
    return 1;
}
