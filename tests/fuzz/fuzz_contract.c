/* Header blocks: any text is read within its bounds, and every place that is named is inside it. */
#include "scripts/audit/contract.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_params(const evs__params *params)
{
    for (size_t i = 0; i < params->count; i++)
        if (params->items[i].name[0] == '\0' || params->items[i].at.line < 1)
            abort();
    if (params->tail && params->count == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__contract contract;
    evs_error err = {0};
    evs_bytes source = {(const char *)data, size};
    evs_status status = evs__contract_read(&contract, &arena, source, &err);
    if (status == EVS_OK) {
        check_params(&contract.keys);
        check_params(&contract.args);
        if (contract.counts != (contract.keys.count + contract.args.count > 0))
            abort();
    } else if (status != EVS_E_INVALID || err.line < 1 || err.column < 1 ||
               (size_t)err.column > size + 1) {
        abort();
    }
    evs__arena_free(&arena);
    return 0;
}
