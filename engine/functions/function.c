/*
 * function.c - the registry: all rows, overload resolution, names.
 *
 * Signatures are read when they are needed (signature.c); nothing is kept, so that there is no state to
 * set up or guard. Resolution after Trino: every overload of the name is tried; an argument costs nothing if
 * its type is the parameter's, more the further it must be widened; the cheapest wins, the first
 * row among equals.
 */
#include "engine/functions/signature.h"
#include "engine/functions/tables.h"

#define NO_MATCH   UINT32_MAX
#define HINT_NAMES 3

static const FunctionTable *const function_tables[] = {
#define FUNCTIONS(name) &functions_##name,
#include "engine/functions/tables.def"
#undef FUNCTIONS
};

static const AggregateTable *const aggregate_tables[] = {
    &aggregates_count,     &aggregates_sum,        &aggregates_extreme,  &aggregates_statistics,
    &aggregates_bitwise,   &aggregates_regression, &aggregates_by,       &aggregates_array,
    &aggregates_text,      &aggregates_map,        &aggregates_distinct, &aggregates_percentile,
    &aggregates_histogram,
};

static const FunctionForm special_forms[] = {
    {TRIB_FN_is_null, NULL, NULL, NULL},
    {TRIB_FN_is_not_null, NULL, NULL, NULL},
    {TRIB_FN_and, NULL, NULL, NULL},
    {TRIB_FN_or, NULL, NULL, NULL},
    {TRIB_FN_not, NULL, NULL, NULL},
    {TRIB_FN_in, NULL, NULL, NULL},
    {TRIB_FN_between, NULL, NULL, NULL},
    {TRIB_FN_case, NULL, NULL, NULL},
    {TRIB_FN_coalesce, "coalesce", "T, T... -> T",
     "The first argument that is not NULL; those behind it are not evaluated."},
    {TRIB_FN_nullif, "nullif", "T, T -> T", "NULL if the two are equal, else the first."},
    {TRIB_FN_if, "if", "boolean, T[, T] -> T",
     "The second argument where the first is true, else the third, or NULL."},
    {TRIB_FN_cast, NULL, NULL, NULL},
    {TRIB_FN_try_cast, NULL, NULL, NULL},
    {TRIB_FN_try, "try", "T -> T",
     "The argument, or NULL where computing it is an error of the data."},
    {0, "reduce_agg", "E, S, function(S, E, S), function(S, S, S) -> S",
     "An aggregate: a state carried through the values by the first lambda; the second one joins "
     "states."},
};

const FunctionForm *function_form(uint32_t index) {
    return index < COUNT_OF(special_forms) ? &special_forms[index] : NULL;
}

typedef struct Symbol {
    uint16_t id;
    const char *text;
} Symbol;

static const Symbol symbols[] = {
    {TRIB_FN_eq, "="},
    {TRIB_FN_ne, "<>"},
    {TRIB_FN_lt, "<"},
    {TRIB_FN_le, "<="},
    {TRIB_FN_gt, ">"},
    {TRIB_FN_ge, ">="},
    {TRIB_FN_is_distinct_from, "IS DISTINCT FROM"},
    {TRIB_FN_add, "+"},
    {TRIB_FN_subtract, "-"},
    {TRIB_FN_multiply, "*"},
    {TRIB_FN_divide, "/"},
    {TRIB_FN_modulus, "%"},
    {TRIB_FN_concat, "||"},
    {TRIB_FN_like, "LIKE"},
    {TRIB_FN_at_timezone, "AT TIME ZONE"},
};

const Function *function_row(uint32_t index) {
    for (size_t t = 0; t < COUNT_OF(function_tables); t++) {
        if (index < function_tables[t]->count) return &function_tables[t]->rows[index];
        index -= function_tables[t]->count;
    }
    return NULL;
}

const Aggregate *aggregate_row(uint32_t index) {
    for (size_t t = 0; t < COUNT_OF(aggregate_tables); t++) {
        if (index < aggregate_tables[t]->count) return &aggregate_tables[t]->rows[index];
        index -= aggregate_tables[t]->count;
    }
    return NULL;
}

const char *function_symbol(TribFunctionId id) {
    for (size_t i = 0; i < COUNT_OF(symbols); i++) {
        if (symbols[i].id == (uint16_t)id) return symbols[i].text;
    }
    return id == TRIB_FN_negate ? "-" : NULL;
}

static const char *const id_names[] = {
#define FN(number, name, odbc_group, odbc_bit) [number] = #name,
#define AGG(number, name, odbc_bit)            [number] = #name,
#include "connectors/ids.def"
};

const char *function_id_name(TribFunctionId id) {
    const char *name = (size_t)id < COUNT_OF(id_names) ? id_names[id] : NULL;
    return name != NULL ? name : "?";
}

bool function_has_kernel(TribFunctionId id) {
    for (size_t i = 0; i < COUNT_OF(special_forms); i++) {
        if (special_forms[i].id == (uint16_t)id) return true;
    }
    const Function *f;
    for (uint32_t i = 0; (f = function_row(i)) != NULL; i++) {
        if (f->id == (uint16_t)id) return true;
    }
    const Aggregate *a;
    for (uint32_t i = 0; (a = aggregate_row(i)) != NULL; i++) {
        if (a->id == (uint16_t)id) return true;
    }
    const WindowFunction *w;
    for (uint32_t i = 0; (w = window_function_row(i)) != NULL; i++) {
        if (w->id == (uint16_t)id) return true;
    }
    return false;
}

/* Is `name` the row's name or one of its aliases "a|b"? */
static bool name_matches(const char *own, const char *aliases, Str name) {
    if (str_equal_fold(str_from(own), name)) return true;
    for (const char *at = aliases; at != NULL && *at != '\0';) {
        const char *bar = strchr(at, '|');
        size_t len = bar != NULL ? (size_t)(bar - at) : strlen(at);
        if (str_equal_fold((Str){at, len}, name)) return true;
        at = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

/* Operators and constructors are not callable by a name, except those that are functions as well. */
static bool row_callable(const Function *f) {
    if (f->id >= TRIB_FN_row_new && f->id <= TRIB_FN_subscript) return false;
    return f->id == TRIB_FN_concat || f->id == TRIB_FN_at_timezone ||
           function_symbol((TribFunctionId)f->id) == NULL;
}

bool function_exists(Str name) {
    for (size_t i = 0; i < COUNT_OF(special_forms); i++) {
        const char *own = special_forms[i].name;
        if (own != NULL && str_equal_fold(str_from(own), name)) return true;
    }
    const Function *f;
    for (uint32_t i = 0; (f = function_row(i)) != NULL; i++) {
        if (row_callable(f) && name_matches(f->name, f->aliases, name)) return true;
    }
    return false;
}

bool aggregate_exists(Str name) {
    const Aggregate *a;
    for (uint32_t i = 0; (a = aggregate_row(i)) != NULL; i++) {
        if (name_matches(a->name, a->aliases, name)) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- messages */

static void types_print(Buf *out, uint32_t nargs, const Type *args) {
    buf_char(out, '(');
    for (uint32_t i = 0; i < nargs; i++) {
        if (i > 0) buf_text(out, ", ");
        type_print(out, args[i]);
    }
    buf_char(out, ')');
}

/* Collects the nearest names for "did you mean". */
static void nearest_names(Buf *out, Str name, bool aggregates) {
    uint32_t limit = name.len <= 4 ? 1 : 2, found = 0;
    const char *last = "";
    for (uint32_t i = 0; found < HINT_NAMES; i++) {
        const Function *f = aggregates ? NULL : function_row(i);
        const Aggregate *a = aggregates ? aggregate_row(i) : NULL;
        if (f == NULL && a == NULL) break;
        if (f != NULL && !row_callable(f)) continue;
        const char *own = f != NULL ? f->name : a->name;
        if (strcmp(own, last) == 0 || str_distance(str_from(own), name, limit) > limit) continue;
        if (found++ > 0) buf_text(out, ", ");
        buf_text(out, own);
        last = own;
    }
}

static Status unknown_name(Arena *arena, Str name, bool aggregates, Error *err) {
    Buf names;
    buf_init(&names, arena, 1000);
    nearest_names(&names, name, aggregates);
    error_set(err, ERR_SYNTAX, "function '" STR_FORMAT "' does not exist", STR_ARGS(name));
    if (names.len > 0) error_hint(err, "did you mean %s?", names.data);
    return err->status;
}

static Status no_overload(Arena *arena, const char *name, const char *symbol, uint32_t nargs,
                          const Type *args, const Buf *signatures, Error *err) {
    Buf types;
    buf_init(&types, arena, 4000);
    types_print(&types, nargs, args);
    if (symbol != NULL) {
        error_set(err, ERR_SYNTAX, "operator %s cannot be applied to %s", symbol,
                  types.data != NULL ? types.data : "");
    } else {
        error_set(err, ERR_SYNTAX, "function %s does not accept %s", name,
                  types.data != NULL ? types.data : "");
    }
    if (signatures->len > 0) error_detail(err, "it accepts: %s", signatures->data);
    return err->status;
}

static void signature_collect(Buf *out, const char *name, const char *signature) {
    if (out->len > 0) buf_text(out, "; ");
    size_t cut = 0;
    while (signature[cut] != '\0' && !(signature[cut] == '-' && signature[cut + 1] == '>')) cut++;
    while (cut > 0 && signature[cut - 1] == ' ') cut--;
    buf_printf(out, "%s(%.*s)", name, (int)cut, signature);
}

/* ---------------------------------------------------------------- resolution */

/* The search among the overloads of one name: the cheapest match so far, and the cheapest one whose
 * resolve() refused, with what it said. */
typedef struct Search {
    Arena *arena;
    uint32_t nargs;
    const Type *given;
    const LambdaBinder *lambdas;
    uint32_t cost, refused_cost;
    Type *args;
    Type result;
    Buf signatures;
    Error *err; /* of the refusal */
} Search;

static Search search_begin(Arena *arena, uint32_t nargs, const Type *given, Error *err) {
    Search s = {.arena = arena, .nargs = nargs, .given = given, .err = err};
    s.cost = s.refused_cost = NO_MATCH;
    buf_init(&s.signatures, arena, 480);
    return s;
}

/* Tries one row; *better if it matches at a lower cost than the best so far. */
static Status search_try(Search *s, const char *signature, ResolveType resolve, bool *better) {
    Matcher m;
    Str result;
    Type type;
    Error own; /* what a mismatch says is of no interest, unless memory is exhausted */
    *better = false;
    error_clear(&own);
    if (matcher_init(&m, s->arena, s->nargs, s->given, signature, s->lambdas, &own) != TRIB_OK) {
        return error_out_of_memory(s->err);
    }
    if (!matcher_run(&m, &result) && !m.refused) {
        bool refused = own.status == TRIB_MEMORY || arena_exhausted(s->arena);
        return refused ? error_out_of_memory(s->err) : TRIB_OK;
    }
    if (m.cost >= s->cost) return TRIB_OK;
    Status status = m.refused ? own.status : matcher_result(&m, result, resolve, &type);
    if (status == TRIB_OK) {
        s->cost = m.cost;
        s->args = m.bound;
        s->result = type;
        *better = true;
    } else if (m.cost < s->refused_cost || status == TRIB_MEMORY) {
        s->refused_cost = m.cost;
        *s->err = own;
    }
    return status == TRIB_MEMORY ? status : TRIB_OK;
}

/* A refusal counts if nothing that costs the same was found: what fits best decides, it is not a
 * reason to take something that fits worse. */
static Status search_end(Search *s, const char *name, const char *symbol) {
    if (s->refused_cost < s->cost) return s->err->status;
    if (s->cost == NO_MATCH) {
        return no_overload(s->arena, name, symbol, s->nargs, s->given, &s->signatures, s->err);
    }
    error_clear(s->err);
    return TRIB_OK;
}

static Status resolve_where(Arena *arena, bool (*wanted)(const Function *, const void *),
                            const void *key, const char *symbol, uint32_t nargs, const Type *args,
                            const LambdaBinder *lambdas, ResolvedFunction *out, bool *known,
                            Error *err) {
    Search search = search_begin(arena, nargs, args, err);
    search.lambdas = lambdas;
    const Function *f;
    const char *name = NULL;
    for (uint32_t i = 0; (f = function_row(i)) != NULL; i++) {
        bool better;
        if (!wanted(f, key)) continue;
        name = f->name;
        if (symbol == NULL) signature_collect(&search.signatures, f->name, f->signature);
        TRY(search_try(&search, f->signature, f->resolve, &better));
        if (better) out->function = f;
    }
    *known = name != NULL;
    if (name == NULL) return TRIB_OK;
    TRY(search_end(&search, name, symbol));
    out->args = search.args;
    out->result = search.result;
    return TRIB_OK;
}

static bool wanted_name(const Function *f, const void *key) {
    return row_callable(f) && name_matches(f->name, f->aliases, *(const Str *)key);
}

static bool wanted_id(const Function *f, const void *key) {
    return f->id == *(const uint16_t *)key;
}

Status function_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                        ResolvedFunction *out, Error *err) {
    bool known = false;
    TRY(resolve_where(arena, wanted_name, &name, NULL, nargs, args, NULL, out, &known, err));
    return known ? TRIB_OK : unknown_name(arena, name, false, err);
}

Status function_resolve_lambda(Arena *arena, Str name, uint32_t nargs, const Type *args,
                               const LambdaBinder *lambdas, ResolvedFunction *out, Error *err) {
    bool known = false;
    TRY(resolve_where(arena, wanted_name, &name, NULL, nargs, args, lambdas, out, &known, err));
    return known ? TRIB_OK : unknown_name(arena, name, false, err);
}

Status function_resolve_id(Arena *arena, TribFunctionId id, uint32_t nargs, const Type *args,
                           ResolvedFunction *out, Error *err) {
    bool known = false;
    uint16_t key = (uint16_t)id;
    TRY(resolve_where(arena, wanted_id, &key, function_symbol(id), nargs, args, NULL, out, &known,
                      err));
    if (known) return TRIB_OK;
    return error_set(err, ERR_UNSUPPORTED, "function %s is not supported here",
                     function_id_name(id));
}

Status aggregate_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                         ResolvedAggregate *out, Error *err) {
    Search search = search_begin(arena, nargs, args, err);
    const Aggregate *a;
    const char *known = NULL;
    for (uint32_t i = 0; (a = aggregate_row(i)) != NULL; i++) {
        bool better;
        if (!name_matches(a->name, a->aliases, name)) continue;
        known = a->name;
        signature_collect(&search.signatures, a->name, a->signature);
        TRY(search_try(&search, a->signature, a->resolve, &better));
        if (better) out->aggregate = a;
    }
    if (known == NULL) return unknown_name(arena, name, true, err);
    TRY(search_end(&search, known, NULL));
    out->args = search.args;
    out->result = search.result;
    return TRIB_OK;
}

Status window_function_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                               ResolvedWindowFunction *out, Error *err) {
    Search search = search_begin(arena, nargs, args, err);
    const WindowFunction *f;
    const char *known = NULL;
    for (uint32_t i = 0; (f = window_function_row(i)) != NULL; i++) {
        bool better;
        if (!name_matches(f->name, NULL, name)) continue;
        known = f->name;
        signature_collect(&search.signatures, f->name, f->signature);
        TRY(search_try(&search, f->signature, NULL, &better));
        if (better) out->function = f;
    }
    if (known == NULL) return unknown_name(arena, name, true, err);
    TRY(search_end(&search, known, NULL));
    out->args = search.args;
    out->result = search.result;
    return TRIB_OK;
}

Status resolve_first(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    return TRIB_OK;
}
