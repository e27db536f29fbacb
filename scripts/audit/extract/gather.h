/*
 * gather.h - literals that belong together.
 *
 * A text may be one literal, literals side by side, a sum with code in it, or a list that is
 * joined. What is code in a sum is a hole in the text.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRACT_GATHER_H
#define EVS_SCRIPTS_AUDIT_EXTRACT_GATHER_H

#include "core/table.h"
#include "scripts/audit/extract/language.h"

typedef struct evs__gathering {
    const evs__scanner *scanner; /* all of it read */
    evs__scanner *spare;         /* quiet */
    unsigned char *used;         /* per token: a literal that belongs to a text already */
    size_t at;                   /* the next token to look at */
    evs__table constants;        /* name to the token of its literal, or to `twice` */
} evs__gathering;

/* A text: where it stands, and what the tokens around it say. */
typedef struct evs__gathered {
    size_t first;    /* its first token */
    size_t behind;   /* the one behind it */
    int appended;    /* it is added to another text, or becomes a part of one by other means */
    int is_argument; /* of a function */
    int is_constant; /* a constant is set to it */
    int is_run;      /* it goes straight to something that runs scripts */
} evs__gathered;

/* Finds the constants of the program: names in capitals that are set once, to a literal. Texts with
 * ${NAME} or a sum with NAME have the constant itself. 0 when out of memory. */
int evs__gather_constants(evs__gathering *gathering);
void evs__gather_free(evs__gathering *gathering);

/* Weaves the next text; 0 when there are no more. */
int evs__gather_next(evs__gathering *gathering, evs__weave *weave, evs__gathered *out);

#endif
