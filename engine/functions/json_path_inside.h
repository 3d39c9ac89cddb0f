/*
 * json_path_inside.h - the compiled form of a path, shared by its parser and its evaluator.
 */
#ifndef TRIB_FUNCTIONS_JSON_PATH_INSIDE_H
#define TRIB_FUNCTIONS_JSON_PATH_INSIDE_H

#include "engine/functions/json_path.h"

typedef enum PathKind {
    PATH_LITERAL,  /* literal */
    PATH_CONTEXT,  /* $ */
    PATH_VARIABLE, /* $name: variable */
    PATH_CURRENT,  /* @ */
    PATH_LAST,     /* last */
    PATH_CHAIN,    /* left, then nsteps steps */
    PATH_PLUS,     /* + left */
    PATH_MINUS,    /* - left */
    PATH_BINARY,   /* left op right; op + - * / % */
    /* predicates */
    PATH_AND,     /* left, right */
    PATH_OR,      /* left, right */
    PATH_NOT,     /* left */
    PATH_EXISTS,  /* left: a path */
    PATH_COMPARE, /* left op right; op = n < l > g for == <> < <= > >= */
    PATH_STARTS,  /* left starts with right */
    PATH_UNKNOWN  /* left is unknown */
} PathKind;

typedef enum PathStepKind {
    STEP_MEMBER,     /* name */
    STEP_MEMBERS,    /* .* */
    STEP_DESCENDANT, /* ..name */
    STEP_SUBSCRIPTS, /* from[n], to[n] (NULL: one element) */
    STEP_ELEMENTS,   /* [*] */
    STEP_FILTER,     /* predicate */
    STEP_TYPE,
    STEP_SIZE,
    STEP_DOUBLE,
    STEP_CEILING,
    STEP_FLOOR,
    STEP_ABS,
    STEP_KEYVALUE
} PathStepKind;

typedef struct PathNode PathNode;

typedef struct PathStep {
    PathStepKind kind;
    Str name;
    PathNode *predicate;
    uint32_t n;
    PathNode **from, **to;
} PathStep;

struct PathNode {
    PathKind kind;
    char op;
    uint32_t variable;
    JsonItem literal;
    PathNode *left, *right;
    uint32_t nsteps;
    PathStep *steps;
};

struct JsonPath {
    bool lax;
    PathNode *root;
};

#endif
