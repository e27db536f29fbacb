/*
 * yaml_tree.c - libyaml's events to a tree. The only file that knows libyaml.
 *
 * The event interface does not notice duplicate keys, aliases that point nowhere, deep nesting or
 * further documents, so all of that is checked here. Its parser stops at the first syntax error;
 * what yaml_problem.c makes of it is then the last complaint.
 */
#include "conf/yaml_tree.h"

#include "conf/quoted.h"
#include "conf/secretive.h"
#include "conf/source.h"
#include "conf/yaml_problem.h"
#include "core/table.h"

#include <yaml.h>

enum { MAX_DEPTH = 16, SMALL_MAP = 8 };

/* A container that is being filled. */
typedef struct frame {
    evs__yaml *node;
    evs__yaml **tail;
    evs__yaml *key; /* of the entry whose value comes next */
    int secret;
} frame;

typedef struct reader {
    yaml_parser_t parser;
    evs__arena *arena;
    evs_bytes source;
    size_t skipped; /* bytes in front of what libyaml sees */
    evs_diagnostics *diags;
    frame frames[MAX_DEPTH];
    size_t depth;
    evs__yaml *root;
    size_t documents;
    evs__range quoted; /* the last text in quotes */
    int stop;
} reader;

static evs__range range_of(yaml_mark_t start, yaml_mark_t end)
{
    return (evs__range){(int)start.line + 1, (int)start.column + 1, (int)end.line + 1,
                        (int)end.column + 1};
}

static evs__range one_char(yaml_mark_t at)
{
    at.column++;
    evs__range range = range_of(at, at);
    range.column--;
    return range;
}

static void nomem(reader *r)
{
    evs__diagnostics_nomem(r->diags);
    r->stop = 1;
}

static evs__yaml *new_node(reader *r, evs__yaml_kind kind, const yaml_event_t *event)
{
    evs__yaml *node = evs__arena_zalloc(r->arena, 1, sizeof *node);
    if (node == NULL) {
        nomem(r);
        return NULL;
    }
    node->kind = kind;
    node->at = range_of(event->start_mark, event->end_mark);
    return node;
}

static void mark_secret(reader *r, const frame *parent, evs__yaml *node)
{
    int by_key = parent->secret || (node->key != NULL && node->key->kind == EVS__YAML_TEXT &&
                                    evs__secretive_key(node->key->text));
    if (node->kind != EVS__YAML_TEXT || !(by_key || evs__secretive_text(node->text)))
        return;
    node->secret = 1;
    evs__conceal(r->diags, node->at);
}

static void complain_shared(reader *r, evs__range at)
{
    evs__complain(r->diags, "E105", at, "aliases and anchors (*, &, <<) are not supported");
    evs__hint(r->diags,
              "put shared settings under \"defaults:\"; where there is none, write them out");
}

static void check_key(reader *r, evs__yaml *key)
{
    if (key->kind == EVS__YAML_TEXT && evs__secretive_text(key->text)) {
        key->secret = 1;
        evs__conceal(r->diags, key->at);
    }
    if (key->kind == EVS__YAML_LIST || key->kind == EVS__YAML_MAP) {
        evs__complain(r->diags, "E215", key->at, "a key must be text, found a %s",
                      key->kind == EVS__YAML_MAP ? "mapping" : "list");
        evs__hint(r->diags, "put the key in quotes if it is meant to begin with %s",
                  key->kind == EVS__YAML_MAP ? "{" : "[");
    }
    if (key->kind == EVS__YAML_TEXT && !key->quoted && strcmp(key->text.data, "<<") == 0)
        complain_shared(r, key->at);
}

/* Puts a node into the container that is open, or makes it the root. */
static void attach(reader *r, evs__yaml *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    frame *top = &r->frames[r->depth - 1];
    if (top->node->kind == EVS__YAML_MAP && top->key == NULL) {
        check_key(r, node);
        top->key = node;
        return;
    }
    node->key = top->key;
    top->key = NULL;
    mark_secret(r, top, node);
    *top->tail = node;
    top->tail = &node->next;
    top->node->count++;
}

static void complain_anchor(reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
                            const yaml_char_t *tag)
{
    evs__range at = one_char(event->start_mark);
    if (anchor != NULL)
        complain_shared(r, at);
    if (tag != NULL) {
        evs__complain(r->diags, "E105", at, "tags (!name) are not supported");
        evs__hint(r->diags, "put the value in quotes if it is meant to begin with !");
    }
}

static void on_text(reader *r, const yaml_event_t *event)
{
    evs__yaml *node = new_node(r, EVS__YAML_TEXT, event);
    if (node == NULL)
        return;
    size_t len = event->data.scalar.length;
    char *text = evs__arena_text(r->arena, (const char *)event->data.scalar.value, len);
    if (text == NULL) {
        nomem(r);
        return;
    }
    node->text = (evs_bytes){text, len};
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
        event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        r->quoted = node->at;
    complain_anchor(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (event->data.scalar.tag != NULL)
        node->kind = EVS__YAML_BAD;
    attach(r, node);
}

static void on_alias(reader *r, const yaml_event_t *event)
{
    evs__yaml *node = new_node(r, EVS__YAML_BAD, event);
    if (node == NULL)
        return;
    complain_anchor(r, event, event->data.alias.anchor, NULL);
    attach(r, node);
}

static void open_container(reader *r, const yaml_event_t *event, evs__yaml_kind kind)
{
    if (r->depth == MAX_DEPTH) {
        evs__complain(r->diags, "E108", one_char(event->start_mark), "nested deeper than %d levels",
                      MAX_DEPTH);
        r->stop = 1;
        return;
    }
    evs__yaml *node = new_node(r, kind, event);
    if (node == NULL)
        return;
    int secret = r->depth > 0 && r->frames[r->depth - 1].secret;
    attach(r, node);
    if (node->key != NULL && node->key->kind == EVS__YAML_TEXT)
        secret |= evs__password_key(node->key->text);
    r->frames[r->depth++] = (frame){node, &node->first, NULL, secret};
}

static void on_map(reader *r, const yaml_event_t *event)
{
    complain_anchor(r, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    open_container(r, event, EVS__YAML_MAP);
}

static void on_list(reader *r, const yaml_event_t *event)
{
    complain_anchor(r, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    open_container(r, event, EVS__YAML_LIST);
}

/* The entry of the mapping in front of `before` that has the same key; NULL when there is none. */
static evs__yaml *earlier_entry(const evs__yaml *map, const evs__yaml *before)
{
    for (evs__yaml *entry = map->first; entry != before; entry = entry->next) {
        if (entry->key->text.len == before->key->text.len &&
            memcmp(entry->key->text.data, before->key->text.data, before->key->text.len) == 0)
            return entry;
    }
    return NULL;
}

/* As above, for large mappings; the table holds the entries seen so far. */
static evs__yaml *first_entry(reader *r, evs__table *seen, evs__yaml *entry)
{
    evs__yaml *first = evs__table_get(seen, entry->key->text);
    if (first == NULL && !evs__table_set(seen, entry->key->text, entry))
        nomem(r);
    return first;
}

static int usable_key(const evs__yaml *key)
{
    return key->kind == EVS__YAML_TEXT && (key->quoted || strcmp(key->text.data, "<<") != 0);
}

/* Complains about keys that are there twice, and drops those entries and the ones whose key was
 * complained about already. */
static void check_keys(reader *r, evs__yaml *map)
{
    evs__table seen = EVS__TABLE_INIT;
    int large = map->count > SMALL_MAP;
    for (evs__yaml **link = &map->first; *link != NULL;) {
        evs__yaml *entry = *link, *first = NULL;
        int usable = usable_key(entry->key);
        if (usable)
            first = large ? first_entry(r, &seen, entry) : earlier_entry(map, entry);
        if (first != NULL) {
            evs__complain(r->diags, "E202", entry->key->at, "%s is defined twice (first at %d:%d)",
                          entry->key->secret ? "***" : evs__quoted(r->arena, entry->key->text),
                          first->key->at.line, first->key->at.column);
            evs__hint(r->diags, "YAML would silently keep only one of them; rename or delete one");
        }
        if (!usable || first != NULL) {
            *link = entry->next;
            map->count--;
        } else {
            link = &entry->next;
        }
    }
    evs__table_free(&seen);
}

static void close_container(reader *r, const yaml_event_t *event)
{
    evs__yaml *node = r->frames[--r->depth].node;
    node->at.end_line = (int)event->end_mark.line + 1;
    node->at.end_column = (int)event->end_mark.column + 1;
    if (node->kind == EVS__YAML_MAP)
        check_keys(r, node);
}

static void on_document(reader *r, const yaml_event_t *event)
{
    if (++r->documents == 1)
        return;
    evs__complain(r->diags, "E109", one_char(event->start_mark),
                  "a second YAML document begins here");
    evs__hint(r->diags, "a file is one document; delete the \"---\" or split the file");
    r->stop = 1;
}

static void on_event(reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(r, event);
        break;
    case YAML_SCALAR_EVENT:
        on_text(r, event);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(r, event);
        break;
    case YAML_MAPPING_START_EVENT:
        on_map(r, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_list(r, event);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_container(r, event);
        break;
    case YAML_STREAM_END_EVENT:
        r->stop = 1;
        break;
    default:
        break;
    }
}

/* The first byte of the character that `offset` is in. */
static size_t char_start(evs_bytes source, size_t offset)
{
    for (size_t back = 1; back <= 3 && back <= offset; back++) {
        unsigned char c = (unsigned char)source.data[offset - back];
        if (c >= 0xc0)
            return offset - back;
        if (c < 0x80)
            break;
    }
    return offset;
}

/* Reader errors carry no line, only the offset of the byte. */
static void complain_encoding(reader *r)
{
    evs__range at = {0, 0, 0, 0};
    size_t offset = r->skipped + r->parser.problem_offset;
    int control = strstr(r->parser.problem, "control characters") != NULL;
    if (strstr(r->parser.problem, "trailing") != NULL)
        offset = char_start(r->source, offset);
    evs__source_place(r->source, offset, &at.line, &at.column);
    at.end_line = at.line;
    at.end_column = at.column + 1;
    if (control)
        evs__complain(r->diags, "E106", at, "a control character (U+%04X)",
                      (unsigned)r->parser.problem_value);
    else
        evs__complain(r->diags, "E106", at, "this is not UTF-8 (byte 0x%02x)",
                      offset < r->source.len ? (unsigned)(unsigned char)r->source.data[offset] : 0);
    evs__hint(r->diags, "save the file as UTF-8 without control characters");
}

static void complain_syntax(reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    evs__yaml_problem problem = {
        .problem = parser->problem == NULL ? "" : parser->problem,
        .context = parser->context == NULL ? "" : parser->context,
        .at = one_char(parser->problem_mark),
        .context_at = one_char(parser->context_mark),
        .quoted = r->quoted,
    };
    evs__yaml_complain(r->diags, r->arena, r->source, &problem);
}

static void complain(reader *r)
{
    if (r->parser.error == YAML_MEMORY_ERROR)
        evs__diagnostics_nomem(r->diags);
    else if (r->parser.error == YAML_READER_ERROR)
        complain_encoding(r);
    else
        complain_syntax(r);
}

/* Each turn takes one event; there are fewer events than three for each byte. */
static int read_events(reader *r)
{
    while (!r->stop) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            complain(r);
            return 0;
        }
        on_event(r, &event);
        yaml_event_delete(&event);
    }
    return r->depth == 0;
}

const evs__yaml *evs__yaml_read(evs__arena *arena, evs_bytes source, evs_diagnostics *diags)
{
    reader r = {
        .arena = arena, .source = source, .skipped = evs__source_start(source), .diags = diags};
    if (!yaml_parser_initialize(&r.parser)) {
        evs__diagnostics_nomem(diags);
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(source.len == 0 ? "" : source.data) + r.skipped,
        source.len - r.skipped);
    int complete = read_events(&r);
    yaml_parser_delete(&r.parser);
    if (!complete)
        return NULL;
    if (r.documents <= 1)
        evs__conceal_done(diags);
    return r.root;
}

int evs__yaml_empty(const evs__yaml *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != EVS__YAML_TEXT || node->quoted)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(node->text.data, words[i]) == 0)
            return 1;
    }
    return 0;
}
