#include "scripts/engine/unfit.h"

#include "scripts/engine/primary.h"

static void note_no_primary(evs__lane *lane, int proven)
{
    if (lane->primary != NULL && proven)
        evs__primary_doubt(lane->primary, lane->conn);
    else if (lane->primary != NULL)
        evs__primary_ask(lane->primary);
    else if (!lane->reads && (proven || !evs__conn_is_young(lane->conn)))
        evs__conn_retire(lane->conn, EVS__CONN_NO_PRIMARY);
}

/* A replica that is read from was one all along; reader.c leaves it alone for a while. */
void evs__unfit_note(evs__lane *lane, const evs__decision *decision)
{
    int proven = decision->outcome == EVS_NOT_EXECUTED;
    if (!decision->unfit)
        return;
    if (decision->status != EVS_E_AUTH)
        note_no_primary(lane, proven);
    else if (proven || !evs__conn_is_young(lane->conn))
        evs__conn_retire(lane->conn, EVS__CONN_NO_LOGIN);
}
