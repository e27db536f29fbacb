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

static const char *tier_text(evs_tier tier)
{
    switch (tier) {
    case EVS_TIER_A:
        return "A: it runs";
    case EVS_TIER_B:
        return "B: it runs";
    case EVS_TIER_C:
        break;
    }
    return "C: it runs when it is selected, or in a profile that asks for it";
}

static void show(const evs_rule_info *rule)
{
    printf("%s %s (%s)\n", rule->code, rule->name, severity_name(rule->severity));
    wrap("Why:", rule->why);
    code("Bad:", rule->bad);
    code("Good:", rule->good);
    wrap("Except:", rule->exceptions);
    wrap("Wrong when:", rule->false_positives);
    wrap("The server says:", rule->server);
    wrap("Fix:", rule->fix);
    wrap("Tier", tier_text(rule->tier));
    wrap("The bad example is one for", rule->target);
    wrap("In the bad example too:", rule->companions);
}

static int is_meant(const evs_rule_info *rule, const char *name)
{
    return name == NULL || strcasecmp(name, rule->code) == 0 || strcasecmp(name, rule->name) == 0;
}

/* ---- for programs ---- */

static void string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void member(const char *name, const char *text, const char *end)
{
    printf("  \"%s\": ", name);
    string(text);
    printf("%s\n", end);
}

static void show_json(const evs_rule_info *rule)
{
    static const char *const tiers[] = {"A", "B", "C"};
    puts(" {");
    member("code", rule->code, ",");
    member("name", rule->name, ",");
    member("severity", severity_name(rule->severity), ",");
    member("tier", tiers[rule->tier], ",");
    member("why", rule->why, ",");
    member("bad", rule->bad, ",");
    member("good", rule->good, ",");
    member("exceptions", rule->exceptions, ",");
    member("falsePositives", rule->false_positives, ",");
    member("server", rule->server, ",");
    member("fix", rule->fix, ",");
    member("companions", rule->companions, ",");
    member("target", rule->target, "");
    fputs(" }", stdout);
}

static int explain_json(const char *name)
{
    size_t count, shown = 0;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_meant(rules[i], name))
            continue;
        puts(shown++ == 0 ? "[" : ",");
        show_json(rules[i]);
    }
    if (shown > 0)
        puts("\n]");
    return shown > 0;
}

/* ---- for people ---- */

static int explain_text(const char *name)
{
    size_t count, shown = 0;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_meant(rules[i], name))
            continue;
        shown++;
        if (name != NULL)
            show(rules[i]);
        else
            printf("%s  %-7s  %s%s\n", rules[i]->code, severity_name(rules[i]->severity),
                   rules[i]->name, rules[i]->tier == EVS_TIER_C ? " (when selected)" : "");
    }
    return shown > 0;
}

int explain(const char *name, const char *format)
{
    if (strcmp(format, "json") == 0 ? explain_json(name) : explain_text(name))
        return 1;
    fprintf(stderr, "script-audit: no such rule %s\nscript-audit: --list-rules lists them\n", name);
    return 0;
}
