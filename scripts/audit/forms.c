#include "scripts/audit/forms.h"

#include "core/command_reply.h"
#include "scripts/audit/value.h"

#include <stddef.h>

static const struct {
    unsigned kind, resp2, resp3;
} kinds_forms[] = {
    {EVS__REPLY_STATUS, EVS__FORM_STATUS, EVS__FORM_STATUS},
    {EVS__REPLY_INT, EVS__FORM_NUMBER, EVS__FORM_NUMBER},
    {EVS__REPLY_BULK, EVS__FORM_STRING, EVS__FORM_STRING},
    {EVS__REPLY_NIL, EVS__FORM_FALSE, EVS__FORM_NIL},
    {EVS__REPLY_DOUBLE, EVS__FORM_STRING, EVS__FORM_DOUBLE},
    {EVS__REPLY_VERBATIM, EVS__FORM_STRING, EVS__FORM_VERBATIM},
    {EVS__REPLY_LIST, EVS__FORM_LIST, EVS__FORM_LIST},
    {EVS__REPLY_SET, EVS__FORM_LIST, EVS__FORM_SET},
    {EVS__REPLY_MAP, EVS__FORM_PAIRS, EVS__FORM_MAP},
    {EVS__REPLY_ANY, EVS__FORM_ANY & ~EVS__FORM_ERROR, EVS__FORM_ANY & ~EVS__FORM_ERROR},
};

static const struct {
    unsigned form, type;
    const char *name;
} forms_types[] = {
    {EVS__FORM_NIL, EVS__TYPE_NIL, "nil"},
    {EVS__FORM_FALSE, EVS__TYPE_FALSE, "false"},
    {EVS__FORM_TRUE, EVS__TYPE_TRUE, "true"},
    {EVS__FORM_NUMBER, EVS__TYPE_NUMBER, "a number"},
    {EVS__FORM_STRING, EVS__TYPE_STRING, "a string"},
    {EVS__FORM_STATUS, EVS__TYPE_TABLE, "a table {ok = ...}"},
    {EVS__FORM_ERROR, EVS__TYPE_TABLE, "a table {err = ...}"},
    {EVS__FORM_LIST, EVS__TYPE_TABLE, "a table with the elements"},
    {EVS__FORM_PAIRS, EVS__TYPE_TABLE, "a table with keys and values in turn"},
    {EVS__FORM_MAP, EVS__TYPE_TABLE, "a table {map = {...}}"},
    {EVS__FORM_SET, EVS__TYPE_TABLE, "a table {set = {...}}"},
    {EVS__FORM_DOUBLE, EVS__TYPE_TABLE, "a table {double = ...}"},
    {EVS__FORM_VERBATIM, EVS__TYPE_TABLE, "a table {verbatim_string = {...}}"},
    {EVS__FORM_INNER, EVS__TYPE_TABLE, "a table"},
};

enum {
    KINDS = sizeof kinds_forms / sizeof *kinds_forms,
    FORMS = sizeof forms_types / sizeof *forms_types
};

unsigned evs__forms_of(unsigned kinds, unsigned protocols)
{
    unsigned forms = 0;
    for (size_t i = 0; i < KINDS; i++) {
        if ((kinds & kinds_forms[i].kind) == 0)
            continue;
        forms |= protocols & EVS__RESP2 ? kinds_forms[i].resp2 : 0;
        forms |= protocols & EVS__RESP3 ? kinds_forms[i].resp3 : 0;
    }
    return forms;
}

unsigned evs__forms_types(unsigned forms)
{
    unsigned any = EVS__FORM_ANY & ~(unsigned)EVS__FORM_ERROR;
    unsigned types = (forms & any) == any ? EVS__TYPE_OTHER : 0; /* whatever else there may be */
    for (size_t i = 0; i < FORMS; i++)
        if (forms & forms_types[i].form)
            types |= forms_types[i].type;
    return types;
}

unsigned evs__forms_within(unsigned forms, unsigned types)
{
    unsigned left = 0;
    for (size_t i = 0; i < FORMS; i++)
        if ((forms & forms_types[i].form) && (types & forms_types[i].type))
            left |= forms_types[i].form;
    return left;
}

const char *evs__forms_name(unsigned forms)
{
    for (size_t i = 0; i < FORMS; i++)
        if (forms == forms_types[i].form)
            return forms_types[i].name;
    return (forms & ~(unsigned)EVS__FORM_TABLES) == 0 ? "a table" : "a value";
}
