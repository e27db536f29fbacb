#include "tools/script_audit/explain.h"

#include <evalshard/audit.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WIDTH = 78 };

static const char *severity_name(evs_severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

/* Words in lines of at most WIDTH columns. */
static void wrap(const char *title, const char *text)
{
    size_t column = strlen(title);
    if (text[0] == '\0')
        return;
    printf("\n%s", title);
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > WIDTH) {
            putchar('\n');
            column = 0;
        }
        if (column > 0 && text[0] != '\0')
            column += (size_t)printf(" ");
        column += (size_t)printf("%.*s", (int)len, text);
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

static void code(const char *title, const char *text)
{
    printf("\n%s\n\n", title);
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        printf("    %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void show(const evs_rule_info *rule)
{
    printf("%s %s (%s)\n", rule->code, rule->name, severity_name(rule->severity));
    wrap("Why:", rule->why);
    code("Bad:", rule->bad);
    code("Good:", rule->good);
    wrap("Except:", rule->exceptions);
    wrap("The server says:", rule->server);
    wrap("Fix:", rule->fix);
}

int explain(const char *name)
{
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (name == NULL) {
            printf("%s  %-7s  %s\n", rules[i]->code, severity_name(rules[i]->severity),
                   rules[i]->name);
        } else if (strcasecmp(name, rules[i]->code) == 0 || strcasecmp(name, rules[i]->name) == 0) {
            show(rules[i]);
            return 1;
        }
    }
    if (name == NULL)
        return 1;
    fprintf(stderr, "script-audit: no such rule %s\nscript-audit: --rules lists them\n", name);
    return 0;
}
