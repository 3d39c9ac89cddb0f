/*
 * json_item.h - a JSON document held as a tree, and its text in Trino's canonical form.
 *
 * Numbers stay text throughout: nothing is rounded. The canonical form has no blanks; a number with a fraction or
 * an exponent is written as Java writes a double of the same value (1.10 is 1.1, 1e2 is 100.0, 1e7 is 1.0E7), with
 * all of its digits.
 */
#ifndef TRIB_FUNCTIONS_JSON_ITEM_H
#define TRIB_FUNCTIONS_JSON_ITEM_H

#include "engine/base/json.h"
#include "engine/types/value.h"

#define JSON_MAX_DEPTH 1000

typedef enum JsonKind {
    JSON_ITEM_NULL,
    JSON_ITEM_BOOLEAN,
    JSON_ITEM_NUMBER,
    JSON_ITEM_STRING,
    JSON_ITEM_ARRAY,
    JSON_ITEM_OBJECT,
    JSON_ITEM_DATETIME /* only as a variable of a path */
} JsonKind;

typedef struct JsonItem JsonItem;
struct JsonItem {
    JsonKind kind;
    bool boolean;       /* BOOLEAN; NUMBER: the text of a SQL decimal, written as it is */
    uint32_t count;     /* ARRAY, OBJECT */
    JsonItem *items;    /* [count]; members carry their keys */
    Str key;            /* as a member of an object */
    Str text;           /* STRING: decoded; NUMBER: as written */
    const Value *value; /* DATETIME */
};

/* Reads one document. Bad JSON: an error of 22018, 22021 or 54000 with the position. Text may be borrowed. */
Status json_item_parse(Arena *arena, Str text, JsonItem *out, Error *err) WARN_UNUSED;
/* The same from a reader that has just returned `token`, up to the end of that value. */
Status json_item_read(JsonReader *reader, JsonToken token, JsonItem *out, Error *err) WARN_UNUSED;
/* Puts the members of all objects into the order of their keys (as UTF-16); of equal keys the last one stays. */
Status json_item_sort(Arena *arena, JsonItem *item, Error *err) WARN_UNUSED;
/* Appends the canonical text. */
void json_item_write(Buf *out, const JsonItem *item);
void json_number_write(Buf *out, Str number);
/* What json_parse gives for a text: canonical, keys sorted. Bad JSON: 22032. */
Status json_canonical(Arena *arena, Str text, Buf *out, Error *err) WARN_UNUSED;

#endif
