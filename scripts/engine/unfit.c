#include "scripts/engine/unfit.h"

#include "scripts/engine/primary.h"

void evs__unfit_note(evs__lane *lane, const evs__decision *decision)
{
    if (!decision->unfit)
        return;
    evs__conn_unfit why = EVS__CONN_NO_PRIMARY;
    if (decision->status == EVS_E_AUTH)
        why = EVS__CONN_NO_LOGIN;
    else if (lane->primary != NULL)
        evs__primary_doubt(lane->primary, lane->conn);
    else if (lane->reads) /* it was a replica all along; reader.c leaves it alone for a while */
        return;
    if (decision->action == EVS__RECONNECT || !evs__conn_is_young(lane->conn))
        evs__conn_retire(lane->conn, why);
}
