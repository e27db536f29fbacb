/*
 * explain.h - script-audit --explain.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_EXPLAIN_H
#define EVS_TOOLS_SCRIPT_AUDIT_EXPLAIN_H

/* Explains the rule with this code or name; lists all rules for NULL. With the format "json" it
 * says all there is to say of them in an array. 0 when there is no such rule, and then it said so.
 */
int explain(const char *rule, const char *format);

#endif
