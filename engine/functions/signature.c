/*
 * signature.c - one signature against the types of a call.
 *
 * Patterns are read recursively: array(E), map(K, W), row(K, W), function(E, boolean). A first walk over
 * the arguments finds what the letters stand for, each letter growing to the common type of what it
 * meets; then lambdas are bound over the types found so far and their results taken in, again until
 * nothing grows any more; a last walk writes down what each argument becomes. Nothing is kept between
 * calls. Recursion follows the nesting of the patterns.
 */
#include "engine/functions/signature.h"

#include "engine/kernels/cast.h"

#define LAMBDA_ROUNDS 4 /* a result that still grows after so many is left to the coercion */

static const char letter_names[SIGNATURE_LETTERS + 1] = "TOEVKWSRU";

static int letter_index(Str word) {
    const char *found = word.len == 1 ? strchr(letter_names, word.data[0]) : NULL;
    return found != NULL && *found != '\0' ? (int)(found - letter_names) : -1;
}

/* Letters whose types must compare, and must have an order. */
static bool letters_suit(const Matcher *m) {
    for (int i = 0; i < SIGNATURE_LETTERS; i++) {
        bool compares = letter_names[i] == 'T' || letter_names[i] == 'K';
        if (compares && !type_comparable(m->letters[i])) return false;
        if (letter_names[i] == 'O' && !type_orderable(m->letters[i])) return false;
    }
    return true;
}

/* ---------------------------------------------------------------- reading */

/* The text up to a comma or arrow outside of parentheses. */
static Str pattern_read(const char **at) {
    const char *start = *at;
    int depth = 0;
    for (; **at != '\0'; (*at)++) {
        depth += (**at == '(') - (**at == ')');
        if (depth < 0) break;
        if (depth == 0 && (**at == ',' || ((*at)[0] == '-' && (*at)[1] == '>'))) break;
    }
    return str_trim((Str){start, (size_t)(*at - start)});
}

/* The next parameter, or the result after "->". `*variadic` when "..." follows it. */
static Str signature_next(Matcher *m, bool *variadic, bool *result) {
    while (*m->at == ' ' || *m->at == ',') m->at++;
    *result = m->at[0] == '-' && m->at[1] == '>';
    if (*result) m->at += 2;
    while (*m->at == ' ') m->at++;
    Str word = pattern_read(&m->at);
    *variadic = word.len > 3 && memcmp(word.data + word.len - 3, "...", 3) == 0;
    if (*variadic) word.len -= 3;
    return word;
}

/* "array(E)": the kind of type and where its parts begin; UNKNOWN for words of other forms. */
static TypeId pattern_kind(Str pattern, const char **parts) {
    static const struct {
        const char *name;
        TypeId id;
    } kinds[] = {{"array", TRIB_TYPE_ARRAY},
                 {"map", TRIB_TYPE_MAP},
                 {"row", TRIB_TYPE_ROW},
                 {"function", TRIB_TYPE_FUNCTION}};
    const char *open = pattern.len > 0 ? memchr(pattern.data, '(', pattern.len) : NULL;
    if (open == NULL) return TRIB_TYPE_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        Str head = {pattern.data, (size_t)(open - pattern.data)};
        if (!str_equal(head, str_from(kinds[i].name))) continue;
        *parts = open + 1;
        return kinds[i].id;
    }
    return TRIB_TYPE_UNKNOWN;
}

/* The next part of "(a, b)"; false after the last. */
static bool part_next(const char **at, Str *out) {
    while (**at == ' ' || **at == ',') (*at)++;
    if (**at == ')' || **at == '\0') return false;
    *out = pattern_read(at);
    return true;
}

static uint32_t part_count(const char *parts) {
    uint32_t n = 0;
    Str part;
    while (part_next(&parts, &part)) n++;
    return n;
}

/* ---------------------------------------------------------------- coercions */

/* The type that an argument gets when it is coerced to a parameter of `wanted`'s kind. */
static bool coercion_target(Type given, Type wanted, Type *out) {
    *out = wanted;
    if (given.id == TRIB_TYPE_UNKNOWN) {
        if (wanted.id == TRIB_TYPE_DECIMAL) *out = type_decimal(1, 0); /* widens nothing */
        return true;
    }
    switch (wanted.id) {
    case TRIB_TYPE_DECIMAL: *out = type_as_decimal(given); return type_is_integer(given);
    case TRIB_TYPE_VARCHAR: out->length = given.length; return given.id == TRIB_TYPE_CHAR;
    case TRIB_TYPE_CHAR: return false;
    case TRIB_TYPE_TIMESTAMP: out->precision = 0; return given.id == TRIB_TYPE_DATE;
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_TIME_TZ: out->precision = given.precision; return type_coercible(given, *out);
    default: return type_coercible(given, wanted);
    }
}

/* Among coercions the nearest type wins: smaller steps cost less. */
static uint32_t coercion_cost(Type given, Type target) {
    if (given.id == TRIB_TYPE_UNKNOWN || type_is_nested(given)) return SIGNATURE_COERCION;
    uint32_t distance = target.id > given.id ? (uint32_t)(target.id - given.id) : 1;
    if (target.id == TRIB_TYPE_DECIMAL) distance = 1 + TRIB_TYPE_BIGINT - TRIB_TYPE_TINYINT;
    if (target.id == TRIB_TYPE_REAL) distance += 4; /* decimal comes before it */
    if (target.id == TRIB_TYPE_DOUBLE) distance += 5;
    return SIGNATURE_COERCION + distance;
}

/* ---------------------------------------------------------------- what letters stand for */

static bool match_letter(Matcher *m, int letter, Type given) {
    Type *so_far = &m->letters[letter];
    if (letter_names[letter] != 'V') return type_common(m->arena, *so_far, given, so_far);
    if (given.id != TRIB_TYPE_UNKNOWN && !type_is_text(given)) return false;
    if (given.id != TRIB_TYPE_VARCHAR) m->cost += SIGNATURE_COERCION;
    *so_far = type_varchar(given.length);
    return true;
}

/* One type against one pattern; false = no match. */
static bool match_pattern(Matcher *m, Str pattern, Type given) {
    const char *parts;
    Str part;
    Type wanted, target;
    int letter = letter_index(pattern);
    if (letter >= 0) return given.id != TRIB_TYPE_FUNCTION && match_letter(m, letter, given);
    if (str_equal(pattern, STR("any"))) return given.id != TRIB_TYPE_FUNCTION;
    TypeId kind = pattern_kind(pattern, &parts);
    if (kind == TRIB_TYPE_UNKNOWN) {
        if (type_parse(m->arena, pattern, &wanted, m->err) != TRIB_OK) return false;
        return given.id == wanted.id || coercion_target(given, wanted, &target);
    }
    if (kind == TRIB_TYPE_FUNCTION)
        return given.id == kind && given.length + 1 == part_count(parts);
    if (given.id == TRIB_TYPE_UNKNOWN) return true;
    if (given.id != kind || given.fields->count != part_count(parts)) return false;
    for (uint32_t i = 0; part_next(&parts, &part); i++) {
        if (!match_pattern(m, part, given.fields->field[i].type)) return false;
    }
    return true;
}

/* The type that a pattern stands for, with the letters' types put in; a name stands for what is given
 * of its kind. */
static bool pattern_type(Matcher *m, Str pattern, Type given, Type *out) {
    const char *parts;
    Str part;
    int letter = letter_index(pattern);
    *out = letter >= 0 ? m->letters[letter] : given;
    if (letter >= 0 || str_equal(pattern, STR("any"))) return true;
    TypeId kind = pattern_kind(pattern, &parts);
    if (kind == TRIB_TYPE_UNKNOWN) {
        Type wanted;
        if (type_parse(m->arena, pattern, &wanted, m->err) != TRIB_OK) return false;
        return given.id == wanted.id || coercion_target(given, wanted, out);
    }
    TribTypeFields *fields = arena_alloc(
        m->arena, sizeof(TribTypeFields) + (size_t)part_count(parts) * sizeof(TribTypeField));
    if (fields == NULL) return error_out_of_memory(m->err) == TRIB_OK;
    bool follows = given.id == kind && kind != TRIB_TYPE_FUNCTION;
    while (part_next(&parts, &part)) {
        uint32_t i = fields->count++;
        Type inner = follows ? given.fields->field[i].type : TYPE(UNKNOWN);
        if (follows) fields->field[i].name = given.fields->field[i].name;
        if (!pattern_type(m, part, inner, &fields->field[i].type)) return false;
    }
    *out = (Type){.id = (uint8_t)kind, .fields = fields};
    return true;
}

/* ---------------------------------------------------------------- lambdas */

static bool letters_equal(const Type *a, const Type *b) {
    for (int i = 0; i < SIGNATURE_LETTERS; i++) {
        if (!type_equal(a[i], b[i])) return false;
    }
    return true;
}

/* Binds one lambda over what its parameters are so far, and takes its result in. */
static bool bind_lambda(Matcher *m, uint32_t index) {
    Type function, result;
    const char *parts;
    Str part = {NULL, 0};
    uint32_t nparams = m->given[index].length;
    if (!pattern_type(m, m->patterns[index], TYPE(UNKNOWN), &function)) return false;
    Type *params = ARENA_ARRAY(m->arena, Type, nparams);
    if (params == NULL) return error_out_of_memory(m->err) == TRIB_OK;
    for (uint32_t i = 0; i < nparams; i++) params[i] = function.fields->field[i].type;
    if (m->lambdas->bind(m->lambdas->context, index, nparams, params, &result, m->err) != TRIB_OK) {
        m->refused = true;
        return false;
    }
    (void)pattern_kind(m->patterns[index], &parts);
    for (Str next; part_next(&parts, &next);) part = next;
    return match_pattern(m, part, result);
}

static bool bind_lambdas(Matcher *m) {
    for (int round = 0; round < LAMBDA_ROUNDS; round++) {
        Type before[SIGNATURE_LETTERS];
        bool any = false;
        memcpy(before, m->letters, sizeof(before));
        for (uint32_t i = 0; i < m->nargs; i++) {
            if (m->given[i].id != TRIB_TYPE_FUNCTION) continue;
            any = true;
            if (m->lambdas == NULL || !bind_lambda(m, i)) return false;
        }
        if (!any || letters_equal(before, m->letters)) return true;
    }
    return true;
}

/* ---------------------------------------------------------------- what arguments become */

static bool bind_argument(Matcher *m, uint32_t index) {
    Type given = m->given[index], to;
    if (!pattern_type(m, m->patterns[index], given, &to)) return false;
    bool same = given.id == TRIB_TYPE_FUNCTION || type_equal(given, to);
    bool letter = letter_index(m->patterns[index]) >= 0;
    bool renamed = !same && letter && cast_is_renaming(given, to);
    m->bound[index] = renamed ? given : to;
    if (given.id == TRIB_TYPE_FUNCTION) m->bound[index] = to;
    if (!same && (given.id != to.id || (type_is_nested(to) && !cast_is_renaming(given, to))))
        m->cost += coercion_cost(given, to);
    return true;
}

bool matcher_run(Matcher *m, Str *result) {
    bool variadic = false, at_result = false;
    Str word = {NULL, 0};
    for (uint32_t i = 0;; i++) {
        if (!variadic || i >= m->nargs) word = signature_next(m, &variadic, &at_result);
        /* A variadic parameter stands for none, too. */
        if (variadic && i >= m->nargs) word = signature_next(m, &variadic, &at_result);
        if (at_result) {
            *result = word;
            if (i != m->nargs) return false;
            break;
        }
        if (i >= m->nargs || !match_pattern(m, word, m->given[i])) return false;
        m->patterns[i] = word;
    }
    if (!letters_suit(m) || !bind_lambdas(m) || !letters_suit(m)) return false;
    for (uint32_t i = 0; i < m->nargs; i++) {
        if (!bind_argument(m, i)) return false;
    }
    return true;
}

Status matcher_result(Matcher *m, Str word, ResolveType resolve, Type *out) {
    if (str_equal(word, STR("*"))) return resolve(m->arena, m->nargs, m->bound, out, m->err);
    if (pattern_type(m, word, TYPE(UNKNOWN), out)) return TRIB_OK;
    return m->err->status;
}

Status matcher_init(Matcher *m, Arena *arena, uint32_t nargs, const Type *given,
                    const char *signature, const LambdaBinder *lambdas, Error *err) {
    *m = (Matcher){.arena = arena,
                   .at = signature,
                   .nargs = nargs,
                   .given = given,
                   .lambdas = lambdas,
                   .err = err};
    TRY_ALLOC(m->bound, ARENA_ARRAY(arena, Type, nargs), err);
    TRY_ALLOC(m->patterns, ARENA_ARRAY(arena, Str, nargs), err);
    return TRIB_OK;
}
