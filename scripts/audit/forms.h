/*
 * forms.h - what a reply is in Lua, closer than its type: a status is a table, and so is a list.
 *
 * Which form a reply has depends on its command (core/command_reply.h) and on the protocol that the
 * script has chosen with redis.setresp.
 */
#ifndef EVS_SCRIPTS_AUDIT_FORMS_H
#define EVS_SCRIPTS_AUDIT_FORMS_H

/* Several of them: any of these. */
enum {
    EVS__FORM_NIL = 1,
    EVS__FORM_FALSE = 2,
    EVS__FORM_TRUE = 4,
    EVS__FORM_NUMBER = 8,
    EVS__FORM_STRING = 16,
    EVS__FORM_STATUS = 32,     /* {ok = ...} */
    EVS__FORM_ERROR = 64,      /* {err = ...} */
    EVS__FORM_LIST = 128,      /* { ... } */
    EVS__FORM_PAIRS = 256,     /* { key, value, ... } */
    EVS__FORM_MAP = 512,       /* {map = {key = value, ...}} */
    EVS__FORM_SET = 1024,      /* {set = {member = true, ...}} */
    EVS__FORM_DOUBLE = 2048,   /* {double = ...} */
    EVS__FORM_VERBATIM = 4096, /* {verbatim_string = {...}} */
    EVS__FORM_INNER = 8192,    /* the table in a map or a set */
    EVS__FORM_ANY = 16383,
    EVS__FORM_TABLES = EVS__FORM_ANY & ~31
};

/* Protocols, of which a script may have chosen either. */
enum { EVS__RESP2 = 1, EVS__RESP3 = 2 };

/* The forms that replies of `kinds` (EVS__REPLY_*) have. */
unsigned evs__forms_of(unsigned kinds, unsigned protocols);

/* The EVS__TYPE_* of forms, and the forms of types. */
unsigned evs__forms_types(unsigned forms);
unsigned evs__forms_within(unsigned forms, unsigned types);

/* "a status, which is a table {ok = ...}", ... of one form or of several that belong together. */
const char *evs__forms_name(unsigned forms);

#endif
