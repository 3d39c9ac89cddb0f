/*
 * scope.c - looking names up: columns of the relations in scope, nearest names for messages.
 *
 * An exact match wins over one that differs in case; two matches of the same quality are an error that
 * names both.
 */
#include "engine/bind/scope.h"

/* A backstop only: the parser bounds nesting, and one level of it may be an expression in a query in a
 * relation here. */

#define NEAR_DISTANCE 3
#define INDEX_FROM    32 /* columns; fewer are looked through */

static uint64_t fold_byte(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Hash of a column's name, alone or with the last part of its qualifier; the same in any ASCII case. */
static uint64_t name_hash(Str name, const Str *qualifier) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; qualifier && i < qualifier->len; i++)
        h = (h ^ fold_byte(qualifier->data[i])) * UINT64_C(0x100000001b3);
    if (qualifier) h = (h ^ 0x100) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ fold_byte(name.data[i])) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* Each column stands in two chains: by its bare name (links 2 i + 1), and with its qualifier (2 i + 2). */
static void index_add(Scope *self, uint32_t i) {
    const ScopeColumn *c = &self->columns[i];
    for (uint32_t qualified = 0; qualified < 2 && qualified <= c->nqualifiers; qualified++) {
        uint64_t hash = name_hash(c->name, qualified ? &c->qualifiers[c->nqualifiers - 1] : NULL);
        uint32_t *head = &self->heads[hash & (self->nslots - 1)], at = 2 * i + 1 + qualified;
        self->links[at] = *head;
        *head = at;
    }
}

/* The index grows with the columns. Without memory for it names are looked for one by one. */
static void index_extend(Binder *binder, Scope *self) {
    if (self->count < INDEX_FROM) return;
    if (self->nslots < 2 * self->capacity) {
        self->nslots = 64;
        while (self->nslots < 2 * self->capacity) self->nslots *= 2;
        self->indexed = 0;
        self->heads = ARENA_ARRAY(binder->arena, uint32_t, self->nslots);
        self->links = ARENA_ARRAY(binder->arena, uint32_t, 2 * self->capacity + 1);
        if (!self->heads || !self->links) self->nslots = 0;
    }
    while (self->nslots && self->indexed < self->count) index_add(self, self->indexed++);
}

void scope_renamed(Binder *binder, Scope *self) {
    self->nslots = self->indexed = 0;
    index_extend(binder, self);
}

Status scope_add(Binder *binder, Scope *self, const ScopeColumn *column) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        ScopeColumn *columns;
        TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, ScopeColumn, capacity), binder->err);
        if (self->count) memcpy(columns, self->columns, self->count * sizeof *columns);
        self->columns = columns;
        self->capacity = capacity;
    }
    self->columns[self->count++] = *column;
    index_extend(binder, self);
    return TRIB_OK;
}

bool scope_qualified(const ScopeColumn *column, const AstQualifiedName *name, uint32_t nparts) {
    if (nparts > column->nqualifiers) return false;
    for (uint32_t i = 0; i < nparts; i++) {
        Str qualifier = column->qualifiers[column->nqualifiers - nparts + i];
        if (!str_equal_fold(qualifier, name->parts[i].text)) return false;
    }
    return true;
}

typedef struct Match {
    const ScopeColumn *first, *second; /* second: as good as the first */
    bool exact;
} Match;

static bool exact_match(const ScopeColumn *column, const AstQualifiedName *name) {
    uint32_t n = name->count - 1;
    if (!str_equal(column->name, name->parts[n].text)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!str_equal(column->qualifiers[column->nqualifiers - n + i], name->parts[i].text))
            return false;
    }
    return true;
}

static bool column_matches(const ScopeColumn *c, const AstQualifiedName *name) {
    return !(name->count == 1 && c->qualified_only) &&
           str_equal_fold(c->name, name->parts[name->count - 1].text) &&
           scope_qualified(c, name, name->count - 1);
}

/* Comes from the last column to the first: `first` ends as the first of the best, `second` as the last. */
static void match_add(Match *self, const ScopeColumn *c, const AstQualifiedName *name) {
    bool exact = exact_match(c, name);
    if (!self->first || (exact && !self->exact)) {
        *self = (Match){c, NULL, exact};
    } else if (exact == self->exact) {
        if (!self->second) self->second = self->first;
        self->first = c;
    }
}

static void match_in(const Scope *scope, const AstQualifiedName *name, Match *out) {
    *out = (Match){0};
    if (scope->indexed < scope->count || scope->count == 0) {
        for (uint32_t i = scope->count; i-- > 0;) {
            if (column_matches(&scope->columns[i], name)) match_add(out, &scope->columns[i], name);
        }
        return;
    }
    uint32_t nparts = name->count;
    uint64_t hash =
        name_hash(name->parts[nparts - 1].text, nparts > 1 ? &name->parts[nparts - 2].text : NULL);
    for (uint32_t at = scope->heads[hash & (scope->nslots - 1)]; at != 0; at = scope->links[at]) {
        const ScopeColumn *c = &scope->columns[(at - 1) / 2];
        if (column_matches(c, name) && c != out->first) match_add(out, c, name);
    }
}

static void print_name(Buf *out, const AstQualifiedName *name) {
    for (uint32_t i = 0; i < name->count; i++) {
        if (i) buf_char(out, '.');
        buf_str(out, name->parts[i].text);
    }
}

static void print_column(Buf *out, const ScopeColumn *column) {
    for (uint32_t i = 0; i < column->nqualifiers; i++) {
        buf_str(out, column->qualifiers[i]);
        buf_char(out, '.');
    }
    buf_str(out, column->name);
}

/* The nearest names, at most three, as a hint. */
static Status hint_near(Binder *binder, const Scope *scope, Str wanted) {
    Buf text;
    buf_init(&text, binder->arena, 256);
    uint32_t listed = 0;
    for (uint32_t distance = 0; distance <= NEAR_DISTANCE && listed < 3; distance++) {
        for (uint32_t i = 0; i < scope->count && listed < 3; i++) {
            const ScopeColumn *c = &scope->columns[i];
            if (c->qualified_only || str_distance(c->name, wanted, NEAR_DISTANCE) != distance)
                continue;
            buf_text(&text, listed++ ? ", " : "");
            print_column(&text, c);
        }
    }
    if (listed)
        return error_hint(binder->err, "Did you mean " STR_FORMAT "?", STR_ARGS(buf_view(&text)));
    uint32_t shown = 0;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (scope->columns[i].hidden || shown++ >= 8) continue;
        buf_text(&text, listed++ ? ", " : "");
        buf_str(&text, scope->columns[i].name);
    }
    if (!listed) return binder->err->status;
    return error_hint(binder->err, "Columns here: " STR_FORMAT "%s", STR_ARGS(buf_view(&text)),
                      shown > 8 ? ", ..." : "");
}

static Status ambiguous(Binder *binder, const AstQualifiedName *name, const Match *match) {
    AstPosition at = name->parts[0].at;
    Buf text, both;
    buf_init(&text, binder->arena, 512);
    print_name(&text, name);
    buf_init(&both, binder->arena, 512);
    print_column(&both, match->first);
    buf_text(&both, " and ");
    print_column(&both, match->second);
    error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                 "column '" STR_FORMAT "' is ambiguous: " STR_FORMAT, STR_ARGS(buf_view(&text)),
                 STR_ARGS(buf_view(&both)));
    return error_hint(binder->err, "Write the table's name or alias before it.");
}

static Status refuse_column(Binder *binder, const AstQualifiedName *name, const char *why) {
    AstPosition at = name->parts[0].at;
    Buf text;
    buf_init(&text, binder->arena, 512);
    print_name(&text, name);
    return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                        "column '" STR_FORMAT "' cannot be used here: %s",
                        STR_ARGS(buf_view(&text)), why);
}

Status scope_find(Binder *binder, const Scope *self, const AstQualifiedName *name,
                  const ScopeColumn **out, bool *enclosing) {
    AstPosition at = name->parts[0].at;
    for (const Scope *scope = self; scope; scope = enclosing ? scope->outer : NULL) {
        Match match;
        match_in(scope, name, &match);
        if (match.second) return ambiguous(binder, name, &match);
        if (!match.first) continue;
        if (scope->refused) return refuse_column(binder, name, scope->refused);
        if (enclosing) *enclosing = scope != self;
        *out = match.first;
        return TRIB_OK;
    }
    Buf text;
    buf_init(&text, binder->arena, 512);
    print_name(&text, name);
    error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, at.line, at.column,
                 "column '" STR_FORMAT "' does not exist here", STR_ARGS(buf_view(&text)));
    if (name->count == 1 && name->parts[0].quoted && !(self && self->count)) {
        return error_hint(binder->err,
                          "Text is written in single quotes; double quotes are for names.");
    }
    return self ? hint_near(binder, self, name->parts[name->count - 1].text) : binder->err->status;
}

Status bind_unsupported(Binder *binder, AstPosition at, const char *what) {
    return error_set_at(binder->err, ERR_UNSUPPORTED, at.line, at.column, "%s is not supported",
                        what);
}

Status bind_enter(Binder *binder, AstPosition at) {
    if (++binder->depth > BIND_MAX_DEPTH) {
        return error_set_at(binder->err, ERR_LIMIT, at.line, at.column,
                            "the statement is nested more than %d levels deep", BIND_MAX_DEPTH);
    }
    if (binder->depth > binder->deepest) binder->deepest = binder->depth;
    return TRIB_OK;
}

void bind_leave(Binder *binder) {
    binder->depth--;
}
