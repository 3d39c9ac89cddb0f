/*
 * sql_render.c - renders the expression trees of an offer by a dialect's rules.
 *
 * Two passes over a leaf: sql_info decides, bottom-up and once per node, whether a value can be
 * rendered with the engine's own result (memoised in infos); then the template is written, rendering
 * an argument at each place where the template names it, so that parameters are listed in the order of
 * their question marks. Conditions are written in negation normal form: `negated` travels down through
 * AND, OR and NOT to the leaves. A piece that turns out not to fit is undone to its mark.
 *
 * Depth is counted against the dialect's max_depth, so the stack needed is bounded. Memory: the
 * writer's arena. One thread.
 */
#include "connectors/support/sql_render.h"

#include "engine/base/number.h"

#define REASON_DEPTH   "nested too deeply"
#define REASON_RULE    "no rule for this operator and these types"
#define REASON_INEXACT "a stored value may be read as NULL"
#define REASON_RAISES  "may raise an error"

static const SqlVerdict VERDICT_EXACT = {TRIB_EXACT, NULL};

static SqlVerdict verdict_none(const char *reason) {
    return (SqlVerdict){TRIB_NONE, reason};
}

/* ---------------------------------------------------------------- the writer */

Status sql_writer_init(SqlWriter *self, const SqlDialect *dialect, const void *context,
                       Arena *arena, const TribOffer *offer, Error *err) {
    memset(self, 0, sizeof *self);
    self->render = (SqlRender){dialect, context, arena, offer};
    self->err = err;
    buf_init(&self->text, arena, dialect->max_text);
    TRY_ALLOC(self->infos, ARENA_ARRAY(arena, SqlNodeInfo, offer->nnodes), err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, SqlColumn *, offer->ntables), err);
    TRY_ALLOC(self->columns_known, ARENA_ARRAY(arena, bool *, offer->ntables), err);
    for (uint32_t i = 0; i < offer->ntables; i++) {
        TRY_ALLOC(self->columns[i], ARENA_ARRAY(arena, SqlColumn, offer->tables[i]->ncolumns), err);
        TRY_ALLOC(self->columns_known[i], ARENA_ARRAY(arena, bool, offer->tables[i]->ncolumns),
                  err);
    }
    return TRIB_OK;
}

SqlMark sql_mark(const SqlWriter *self) {
    return (SqlMark){self->text.len, self->param_bytes, self->nparams, self->terms};
}

void sql_undo(SqlWriter *self, SqlMark mark) {
    /* Too long a text only means that the piece is not sent; no memory fails the plan. */
    if (self->text.failed && buf_status(&self->text, self->err) == TRIB_MEMORY)
        self->failed = TRIB_MEMORY;
    self->text.len = mark.text;
    if (self->text.data) self->text.data[mark.text] = '\0';
    self->text.failed = self->text.exceeded = false;
    self->nparams = mark.params;
    self->param_bytes = mark.param_bytes;
    self->terms = mark.terms;
    self->too_many = false;
}

bool sql_fits(const SqlWriter *self) {
    return !self->text.failed && !self->too_many;
}

Status sql_take(SqlWriter *self, SqlFragment *out) {
    TRY(buf_status(&self->text, self->err));
    if (self->too_many) {
        return error_set(self->err, ERR_LIMIT,
                         "the statement's parameters are too many or too long for the source");
    }
    Str text = buf_view(&self->text);
    *out = (SqlFragment){text.data, text.len, self->nparams, self->params};
    buf_init(&self->text, self->render.arena, self->render.dialect->max_text);
    self->params = NULL;
    self->nparams = self->param_capacity = 0;
    self->param_bytes = 0;
    return TRIB_OK;
}

/* Room for one more parameter; NULL: too many. */
static SqlParam *param_new(SqlWriter *self) {
    if (self->nparams >= self->render.dialect->max_params) {
        self->too_many = true;
        return NULL;
    }
    if (self->nparams == self->param_capacity) {
        uint32_t capacity = self->param_capacity ? self->param_capacity * 2 : 8;
        SqlParam *params = ARENA_ARRAY(self->render.arena, SqlParam, capacity);
        if (!params) {
            self->failed = error_out_of_memory(self->err);
            self->too_many = true;
            return NULL;
        }
        if (self->nparams) memcpy(params, self->params, self->nparams * sizeof *params);
        self->params = params;
        self->param_capacity = capacity;
    }
    return &self->params[self->nparams++];
}

const SqlColumn *sql_facts(SqlWriter *self, uint32_t table, uint32_t column) {
    SqlColumn *facts = &self->columns[table][column];
    if (self->columns_known[table][column]) return facts;
    facts->cap = TRIB_EXACT;
    const TribTable *of = self->render.offer->tables[table];
    const SqlDialect *dialect = self->render.dialect;
    if (dialect->column) {
        Status status = (self->assigning ? dialect->assigning->column : dialect->column)(
            self->render.context, self->render.arena, of, &of->columns[column], facts, self->err);
        if (status != TRIB_OK) {
            self->failed = status;
            return NULL;
        }
    }
    self->columns_known[table][column] = true;
    return facts;
}

/* ---------------------------------------------------------------- nodes */

const TribNode *sql_argument(const SqlRender *render, const TribNode *call, uint32_t index) {
    return index < call->count ? &render->offer->nodes[call->first + index] : NULL;
}

const TribValue *sql_literal(const SqlRender *render, const TribNode *node) {
    return node && node->kind == TRIB_NODE_LITERAL ? &render->offer->values[node->ref] : NULL;
}

static uint32_t type_mask(TribType type) {
    return type.id < 32 ? UINT32_C(1) << type.id : 0;
}

static int integer_rank(TribType type) {
    return type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT ? type.id : 0;
}

/* A cast that keeps every value as it is, in every SQL source. */
static bool cast_widens(TribType from, TribType to) {
    if (integer_rank(from) && integer_rank(to)) return integer_rank(from) <= integer_rank(to);
    if (from.id != to.id) return false;
    switch (from.id) {
    case TRIB_TYPE_VARCHAR: return to.length == 0 || (from.length != 0 && from.length <= to.length);
    case TRIB_TYPE_DECIMAL:
        return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_UUID: return true;
    default: return false;
    }
}

static bool is_widening_cast(const SqlRender *render, const TribNode *node) {
    if (node->kind != TRIB_NODE_CALL || node->count != 1) return false;
    if (node->op != TRIB_FN_cast && node->op != TRIB_FN_try_cast) return false;
    return cast_widens(render->offer->nodes[node->first].type, node->type);
}

const TribColumn *sql_column(const SqlRender *render, const TribNode *node) {
    while (node && is_widening_cast(render, node)) node = sql_argument(render, node, 0);
    if (!node || node->kind != TRIB_NODE_COLUMN) return NULL;
    return &render->offer->tables[node->first]->columns[node->ref];
}

static bool is_comparison(uint16_t op) {
    return (op >= TRIB_FN_eq && op <= TRIB_FN_is_distinct_from) || op == TRIB_FN_in ||
           op == TRIB_FN_between || op == SQL_OP_NOT_IN || op == SQL_OP_NOT_BETWEEN ||
           op == SQL_OP_IS_NOT_DISTINCT;
}

/* Comparisons that are never TRUE when an argument is NULL: allowed over capped columns. */
static bool rejects_null(uint16_t op) {
    return (op >= TRIB_FN_eq && op <= TRIB_FN_ge) || op == TRIB_FN_in || op == TRIB_FN_between ||
           op == TRIB_FN_like || op == SQL_OP_NOT_IN || op == SQL_OP_NOT_BETWEEN ||
           op == SQL_OP_NOT_LIKE || op == SQL_OP_TRUE || op == SQL_OP_FALSE;
}

/* Values that are NULL whenever an argument is. */
static bool keeps_null(uint16_t op) {
    return (op >= TRIB_FN_add && op <= TRIB_FN_negate) || op == TRIB_FN_cast;
}

static bool same_family(TribType a, TribType b) {
    if (a.id == b.id || a.id == TRIB_TYPE_UNKNOWN || b.id == TRIB_TYPE_UNKNOWN) return true;
    return integer_rank(a) && integer_rank(b);
}

/* ---------------------------------------------------------------- finding rules */

/* The arguments of a rule's operator: the children of a call, or the node itself for pseudo-operators. */
typedef struct Arguments {
    uint32_t first, count;
} Arguments;

static bool rule_fits(SqlWriter *self, const SqlRule *rule, uint16_t op, Arguments args,
                      TribType result, uint16_t flags) {
    const TribNode *nodes = self->render.offer->nodes;
    if (rule->op != op || ((rule->flags ^ flags) & SQL_DISTINCT)) return false;
    if ((rule->flags & SQL_STORED) && !(flags & SQL_STORED)) return false;
    if ((flags & SQL_RAISES) && !(rule->flags & SQL_RAISES)) return false;
    if (rule->result && !(rule->result & type_mask(result))) return false;
    for (uint32_t i = 0; i < args.count; i++) {
        uint32_t mask = i && rule->rest ? rule->rest : rule->first;
        TribType type = nodes[args.first + i].type;
        /* A bare NULL goes with any type. */
        if (!(mask & type_mask(type)) && type.id != TRIB_TYPE_UNKNOWN) return false;
        if (self->infos[args.first + i].classes & ~rule->classes) return false;
        if (i && is_comparison(op) && !same_family(nodes[args.first].type, type)) return false;
    }
    return true;
}

/* What a rule must say, or may say, for it to be taken for a call. */
static uint16_t call_flags(const SqlWriter *self, const TribNode *call) {
    uint16_t flags = call->kind == TRIB_NODE_AGGREGATE && (call->ref & 1) ? SQL_DISTINCT : 0;
    if (!self->assigning) return flags;
    if (self->infos[call - self->render.offer->nodes].stored) flags |= SQL_STORED;
    return call->may_raise ? flags | SQL_RAISES : flags;
}

const SqlRule *sql_rule(SqlWriter *self, uint16_t op, const TribNode *call, uint32_t first,
                        uint32_t count) {
    const SqlDialect *dialect = self->render.dialect;
    const SqlAssigning *more = self->assigning ? dialect->assigning : NULL;
    uint16_t flags = call_flags(self, call);
    Arguments args = {first, count};
    for (uint32_t i = 0; more && i < more->nrules; i++) {
        if (rule_fits(self, &more->rules[i], op, args, call->type, flags)) return &more->rules[i];
    }
    for (uint32_t i = 0; i < dialect->nrules; i++) {
        if (rule_fits(self, &dialect->rules[i], op, args, call->type, flags))
            return &dialect->rules[i];
    }
    return NULL;
}

typedef struct Match {
    const SqlRule *rule;
    const char *template;
    SqlVerdict verdict; /* of the rule and its check; caps are not in it */
    TribVerdictKind cap;
    bool inexact;
    const char *cap_reason;
} Match;

static Match match_none(const char *reason) {
    return (Match){.verdict = {TRIB_NONE, reason}, .cap = TRIB_EXACT};
}

/* Picks the rule for `op` over the arguments. `call` is handed to the rule's check. */
static Match rule_find(SqlWriter *self, uint16_t op, const TribNode *call, Arguments args,
                       uint32_t depth) {
    Match match = match_none(call->may_raise ? REASON_RAISES : REASON_RULE);
    for (uint32_t i = 0; i < args.count; i++) {
        const SqlNodeInfo *info = sql_info(self, args.first + i, depth + 1);
        if (!info->ok) return match_none(info->reason);
        match.inexact |= info->inexact;
        if (info->cap < match.cap) {
            match.cap = info->cap;
            match.cap_reason = info->reason;
        }
    }
    const SqlRule *rule = sql_rule(self, op, call, args.first, args.count);
    if (!rule) return match;
    if (!rule->template) return match_none(rule->reason ? rule->reason : REASON_RULE);
    match.rule = rule;
    match.template = rule->template;
    match.verdict = (SqlVerdict){rule->verdict, rule->reason};
    if (rule->check) {
        const char *reason = rule->reason;
        TribVerdictKind kind = rule->check(&self->render, call, &match.template, &reason);
        if (kind < match.verdict.kind) match.verdict.kind = kind;
        match.verdict.reason = reason;
    }
    return match;
}

/* Works out what a value call is. */
static void info_call(SqlWriter *self, const TribNode *node, SqlNodeInfo *info, uint32_t depth) {
    Arguments args = {node->first, node->count};
    if (is_widening_cast(&self->render, node)) {
        const SqlNodeInfo *inner = sql_info(self, node->first, depth + 1);
        bool stored = info->stored;
        *info = *inner;
        info->stored = stored;
        info->passthrough = true;
        return;
    }
    if (info->stored && node->op == TRIB_FN_cast) { /* see sql_assigned: storing it does it */
        *info = *sql_info(self, node->first, depth + 1);
        info->stored = info->passthrough = true;
        return;
    }
    Match match = rule_find(self, node->op, node, args, depth);
    if (match.verdict.kind != TRIB_EXACT) {
        info->reason = match.verdict.reason ? match.verdict.reason : REASON_RULE;
        return;
    }
    if (match.rule->flags & SQL_TRUTH_ONLY) {
        info->reason = "its NULL differs in the source";
        return;
    }
    if (match.inexact && !(match.rule->flags & SQL_STRICT) && !keeps_null(node->op)) {
        info->reason = match.cap_reason ? match.cap_reason : REASON_INEXACT;
        return;
    }
    if (self->assigning && !sql_operands(self, node, info)) return;
    info->ok = true;
    info->inexact = match.inexact;
    info->template = match.template;
    info->cap = match.cap;
    info->reason = match.cap_reason;
    info->classes = match.rule->gives;
    if (!info->classes) {
        for (uint32_t i = 0; i < args.count; i++)
            info->classes |= self->infos[args.first + i].classes;
    }
}

static void info_leaf(SqlWriter *self, const TribNode *node, SqlNodeInfo *info) {
    const SqlRender *render = &self->render;
    if (node->kind == TRIB_NODE_COLUMN) {
        const TribColumn *column = &render->offer->tables[node->first]->columns[node->ref];
        const SqlColumn *facts = sql_facts(self, node->first, node->ref);
        if (column->unreadable || !facts) {
            info->reason =
                column->unreadable ? column->unreadable : "the column's facts are unknown";
            return;
        }
        info->ok = facts->cap != TRIB_NONE;
        info->cap = facts->cap;
        info->inexact = facts->cap < TRIB_EXACT || facts->guard;
        info->classes = facts->class;
        info->reason = facts->reason;
        info->never_null = !column->nullable && !info->inexact;
        return;
    }
    if (node->kind == TRIB_NODE_PARAM) {
        if (render->dialect->slot_refused)
            info->reason = render->dialect->slot_refused(render->context, node->type);
        info->ok = info->reason == NULL;
        return;
    }
    const TribValue *value = &render->offer->values[node->ref];
    info->reason =
        render->dialect->unbindable ? render->dialect->unbindable(render->context, value) : NULL;
    info->ok = info->reason == NULL;
    info->never_null = !value->is_null;
}

const SqlNodeInfo *sql_info(SqlWriter *self, uint32_t node, uint32_t depth) {
    SqlNodeInfo *info = &self->infos[node];
    if (info->known) return info;
    const TribNode *of = &self->render.offer->nodes[node];
    SqlNodeInfo found = {.known = true, .cap = TRIB_EXACT, .stored = info->stored};
    if (of->may_raise && !self->assigning)
        found.reason = "may raise";
    else if (depth > self->render.dialect->max_depth)
        found.reason = REASON_DEPTH;
    else if (of->kind == TRIB_NODE_AGGREGATE)
        found.reason = "an aggregate";
    else if (self->assigning && of->kind == TRIB_NODE_CALL && of->op == TRIB_FN_case)
        sql_case_info(self, of, &found, depth);
    else if (of->kind == TRIB_NODE_CALL)
        info_call(self, of, &found, depth);
    else
        info_leaf(self, of, &found);
    if (!found.ok && !found.reason) found.reason = REASON_RULE;
    found.known = true;
    *info = found;
    return info;
}

SqlVerdict sql_capability(SqlWriter *self, const TribNode *column, uint16_t op) {
    uint32_t index = (uint32_t)(column - self->render.offer->nodes);
    const SqlDialect *dialect = self->render.dialect;
    const SqlNodeInfo *info = sql_info(self, index, 0);
    if (!info->ok) return verdict_none(info->reason);
    for (uint32_t i = 0; i < dialect->nrules; i++) {
        const SqlRule *rule = &dialect->rules[i];
        if (!rule_fits(self, rule, op, (Arguments){index, 1}, column->type, 0)) continue;
        if (!rule->template) return verdict_none(rule->reason ? rule->reason : REASON_RULE);
        SqlVerdict verdict = {rule->verdict, rule->reason};
        if (info->cap < verdict.kind) verdict = (SqlVerdict){info->cap, info->reason};
        return verdict;
    }
    return verdict_none(REASON_RULE);
}

/* ---------------------------------------------------------------- writing */

/* A text with one "%" or "{0}" in it: what stands before and after. */
void sql_around(SqlWriter *self, Str template, const char *hole, uint32_t node) {
    size_t width = strlen(hole);
    for (size_t i = 0; i < template.len; i++) {
        if (i + width <= template.len && memcmp(template.data + i, hole, width) == 0) {
            sql_value(self, node, false);
            i += width - 1;
        } else {
            buf_char(&self->text, template.data[i]);
        }
    }
}

static size_t value_bytes(const TribValue *value) {
    if (!value || value->is_null) return 0;
    switch (value->type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON: return value->as.text.length;
    default: return 0;
    }
}

/* Appends the dialect's text for a parameter and lists the parameter itself. */
static void write_param(SqlWriter *self, TribType type, const TribValue *value, uint32_t slot) {
    const SqlDialect *dialect = self->render.dialect;
    const char *text = dialect->param ? dialect->param(self->render.context, type) : "?";
    const char *mark = strchr(text, '?');
    size_t bytes = value_bytes(value);
    if (dialect->max_param_bytes && bytes > dialect->max_param_bytes - self->param_bytes) {
        self->too_many = true;
        return;
    }
    SqlParam *param = param_new(self);
    if (!param) return;
    self->param_bytes += bytes;
    *param = (SqlParam){
        .at = self->text.len + (mark ? (size_t)(mark - text) : 0), .slot = slot, .type = type};
    param->is_slot = value == NULL;
    if (value && !sql_value_copy(self->render.arena, value, &param->value)) {
        self->failed = error_out_of_memory(self->err);
    }
    buf_text(&self->text, text);
}

static void write_column(SqlWriter *self, const TribNode *node) {
    const SqlDialect *dialect = self->render.dialect;
    const TribColumn *column = &self->render.offer->tables[node->first]->columns[node->ref];
    const SqlColumn *facts = sql_facts(self, node->first, node->ref);
    const char *template = facts && facts->text ? facts->text : "{0}";
    for (const char *c = template; *c; c++) {
        if (strncmp(c, "{0}", 3) == 0) {
            dialect->quote(&self->text, str_from(column->name));
            c += 2;
        } else {
            buf_char(&self->text, *c);
        }
    }
}

/* LIKE's pattern, rewritten; the caller made sure that it is a literal with a good escape. */
static bool like_pattern(SqlWriter *self, const TribNode *call, Str *out) {
    const TribValue *pattern = sql_literal(&self->render, sql_argument(&self->render, call, 1));
    const TribValue *escape = sql_literal(&self->render, sql_argument(&self->render, call, 2));
    int32_t escape_char = 0;
    if (!pattern || pattern->is_null || (call->count > 2 && (!escape || escape->is_null)))
        return false;
    if (escape) {
        size_t at = 0;
        escape_char = utf8_next(escape->as.text.data, escape->as.text.length, &at);
        if (escape_char <= 0 || at != escape->as.text.length) return false;
    }
    Str text = {pattern->as.text.data, pattern->as.text.length};
    char own = self->render.dialect->like_escape;
    return own ? sql_like_rewrite(self->render.arena, text, escape_char, own, out)
               : sql_glob_rewrite(self->render.arena, text, escape_char, out);
}

static void write_pattern(SqlWriter *self, const TribNode *call) {
    Str text;
    if (!like_pattern(self, call, &text)) { /* it was well-formed when the leaf was looked at */
        self->failed = error_out_of_memory(self->err);
        return;
    }
    TribValue value = {.type = {.id = TRIB_TYPE_VARCHAR}};
    value.as.text.data = text.data;
    value.as.text.length = text.len;
    write_param(self, value.type, &value, 0);
}

/* Arguments from `from` on, separated by commas, each in `item` if there is one. */
static void write_list(SqlWriter *self, Arguments args, uint32_t from, Str item) {
    for (uint32_t i = from; i < args.count && sql_fits(self); i++) {
        if (i > from) buf_text(&self->text, ", ");
        if (item.len)
            sql_around(self, item, "%", args.first + i);
        else
            sql_value(self, args.first + i, false);
    }
}

/* Writes one {...} of a template; returns the character after its brace. */
static const char *write_hole(SqlWriter *self, const char *hole, const TribNode *call,
                              Arguments args) {
    const char *end = strchr(hole, '}');
    if (!end) return hole + strlen(hole);
    if (strncmp(hole, "pattern}", 8) == 0) {
        write_pattern(self, call);
        return end + 1;
    }
    uint32_t index = 0;
    const char *c = hole;
    while (*c >= '0' && *c <= '9') index = index * 10 + (uint32_t)(*c++ - '0');
    if (*c == '*') {
        Str item = {c + 2, c[1] == '|' ? (size_t)(end - c - 2) : 0};
        write_list(self, args, index, item);
    } else if (index < args.count) {
        sql_value(self, args.first + index, true);
    }
    return end + 1;
}

static void write_template(SqlWriter *self, const char *template, const TribNode *call,
                           Arguments args) {
    const char *c = template;
    while (*c && sql_fits(self)) {
        if (*c == '{' && c[1] == '{') {
            buf_char(&self->text, '{');
            c += 2;
        } else if (*c == '{') {
            c = write_hole(self, c + 1, call, args);
        } else {
            buf_char(&self->text, *c++);
        }
    }
}

void sql_value(SqlWriter *self, uint32_t node, bool nested) {
    const TribNode *of = &self->render.offer->nodes[node];
    const SqlNodeInfo *info = &self->infos[node];
    if (!sql_fits(self)) return;
    switch (of->kind) {
    case TRIB_NODE_COLUMN: write_column(self, of); return;
    case TRIB_NODE_LITERAL:
        write_param(self, of->type, &self->render.offer->values[of->ref], 0);
        return;
    case TRIB_NODE_PARAM: write_param(self, of->type, NULL, of->ref); return;
    default: break;
    }
    if (info->passthrough) {
        sql_value(self, of->first, nested);
        return;
    }
    if (self->assigning && of->op == TRIB_FN_case) {
        sql_case_write(self, of);
        return;
    }
    if (nested) buf_char(&self->text, '(');
    if (info->null_first) {
        buf_text(&self->text, "CASE WHEN ");
        sql_value(self, of->first, true);
        buf_text(&self->text, " IS NOT NULL THEN ");
    }
    write_template(self, info->template, of, (Arguments){of->first, of->count});
    if (info->null_first) buf_text(&self->text, " END");
    if (nested) buf_char(&self->text, ')');
}

/* ---------------------------------------------------------------- guards */

/* Appends " AND guard" for every guarded column below, once per column and leaf. */
static bool write_guards(SqlWriter *self, uint32_t node, SqlMark since, bool write) {
    const TribNode *of = &self->render.offer->nodes[node];
    bool any = false;
    if (of->kind == TRIB_NODE_COLUMN) {
        const SqlColumn *facts = sql_facts(self, of->first, of->ref);
        if (!facts || !facts->guard) return false;
        if (!write) return true;
        size_t before = self->text.len;
        buf_text(&self->text, " AND ");
        const TribColumn *column = &self->render.offer->tables[of->first]->columns[of->ref];
        for (const char *c = facts->guard; *c; c++) {
            if (strncmp(c, "{0}", 3) == 0) {
                self->render.dialect->quote(&self->text, str_from(column->name));
                c += 2;
            } else {
                buf_char(&self->text, *c);
            }
        }
        /* The same guard may stand there already: `i BETWEEN i AND j`. */
        size_t length = self->text.len - before;
        if (!self->text.failed && memmem(self->text.data + since.text, before - since.text,
                                         self->text.data + before, length)) {
            self->text.len = before;
            self->text.data[before] = '\0';
        }
        return true;
    }
    for (uint32_t i = 0; i < of->count && of->kind == TRIB_NODE_CALL; i++) {
        any |= write_guards(self, of->first + i, since, write);
    }
    return any;
}

bool sql_guarded(SqlWriter *self, uint32_t node) {
    return write_guards(self, node, sql_mark(self), false);
}

/* ---------------------------------------------------------------- conditions */

static SqlVerdict condition(SqlWriter *self, uint32_t node, bool negated, bool nested,
                            uint32_t depth);

static uint16_t negated_op(uint16_t op) {
    static const struct {
        uint16_t op, negated;
    } pairs[] = {
        {TRIB_FN_eq, TRIB_FN_ne},
        {TRIB_FN_ne, TRIB_FN_eq},
        {TRIB_FN_lt, TRIB_FN_ge},
        {TRIB_FN_ge, TRIB_FN_lt},
        {TRIB_FN_le, TRIB_FN_gt},
        {TRIB_FN_gt, TRIB_FN_le},
        {TRIB_FN_is_null, TRIB_FN_is_not_null},
        {TRIB_FN_is_not_null, TRIB_FN_is_null},
        {TRIB_FN_in, SQL_OP_NOT_IN},
        {TRIB_FN_like, SQL_OP_NOT_LIKE},
        {TRIB_FN_between, SQL_OP_NOT_BETWEEN},
        {TRIB_FN_is_distinct_from, SQL_OP_IS_NOT_DISTINCT},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (pairs[i].op == op) return pairs[i].negated;
    }
    return 0;
}

/* Writes a found rule as a condition, with guards, and says how good it is. */
static SqlVerdict write_leaf(SqlWriter *self, uint32_t node, Match match, Arguments args,
                             bool negate, bool nested) {
    const TribNode *of = &self->render.offer->nodes[node];
    SqlVerdict verdict = match.verdict;
    bool guarded =
        !(match.rule->flags & SQL_NO_GUARD) && write_guards(self, node, sql_mark(self), false);
    if (match.cap < verdict.kind) verdict = (SqlVerdict){match.cap, match.cap_reason};
    if (self->render.offer->mode == TRIB_PUSHDOWN_NATIVE && verdict.kind == TRIB_SUPERSET)
        verdict = VERDICT_EXACT;
    if (negate && (guarded || verdict.kind != TRIB_EXACT || (match.rule->flags & SQL_TRUTH_ONLY))) {
        return verdict_none(verdict.reason ? verdict.reason : "NOT of an inexact condition");
    }
    SqlMark mark = sql_mark(self);
    uint32_t most = self->render.dialect->max_terms;
    if (most && self->terms >= most) return verdict_none("more conditions than the source takes");
    self->terms++;
    bool compound = strstr(match.template, " AND ") || strstr(match.template, " OR ");
    bool parens = guarded || negate || (nested && compound);
    if (negate) buf_text(&self->text, "NOT ");
    if (parens) buf_char(&self->text, '(');
    SqlMark inside = sql_mark(self);
    write_template(self, match.template, of, args);
    if (guarded) write_guards(self, node, inside, true);
    if (parens) buf_char(&self->text, ')');
    if (!sql_fits(self)) {
        sql_undo(self, mark);
        return verdict_none("too long a statement for the source");
    }
    return verdict;
}

static SqlVerdict condition_leaf(SqlWriter *self, uint32_t node, bool negated, bool nested,
                                 uint32_t depth) {
    const TribNode *of = &self->render.offer->nodes[node];
    bool call = of->kind == TRIB_NODE_CALL;
    Arguments args = call ? (Arguments){of->first, of->count} : (Arguments){node, 1};
    uint16_t op = call ? of->op : (uint16_t)(negated ? SQL_OP_FALSE : SQL_OP_TRUE);
    uint16_t opposite = call && negated ? negated_op(op) : 0;
    Match match;
    Str pattern;
    if (op == TRIB_FN_like && !like_pattern(self, of, &pattern)) {
        return verdict_none("the pattern is not a well-formed constant");
    }
    if (opposite) {
        match = rule_find(self, opposite, of, args, depth);
        op = opposite;
        negated = false;
    } else {
        match = rule_find(self, op, of, args, depth);
        if (!call) negated = false;
    }
    if (match.verdict.kind == TRIB_NONE)
        return verdict_none(match.verdict.reason ? match.verdict.reason : REASON_RULE);
    if (match.inexact && !rejects_null(op) && !(match.rule->flags & SQL_NO_GUARD)) {
        return verdict_none(match.cap_reason ? match.cap_reason : REASON_INEXACT);
    }
    return write_leaf(self, node, match, args, negated, nested);
}

static SqlVerdict condition_and(SqlWriter *self, const TribNode *of, bool negated, bool nested,
                                uint32_t depth) {
    SqlVerdict verdict = VERDICT_EXACT;
    SqlMark mark = sql_mark(self);
    uint32_t written = 0;
    if (nested) buf_char(&self->text, '(');
    for (uint32_t i = 0; i < of->count; i++) {
        SqlMark child = sql_mark(self);
        if (written) buf_text(&self->text, " AND ");
        SqlVerdict part = condition(self, of->first + i, negated, true, depth + 1);
        if (part.kind == TRIB_NONE) {
            sql_undo(self, child);
            part.kind = TRIB_SUPERSET;
        } else {
            written++;
        }
        if (part.kind < verdict.kind) verdict = part;
    }
    if (nested) buf_char(&self->text, ')');
    if (!written || !sql_fits(self)) {
        sql_undo(self, mark);
        return verdict_none(verdict.reason ? verdict.reason : REASON_RULE);
    }
    return verdict;
}

static SqlVerdict condition_or(SqlWriter *self, const TribNode *of, bool negated, bool nested,
                               uint32_t depth) {
    SqlVerdict verdict = VERDICT_EXACT;
    SqlMark mark = sql_mark(self);
    if (nested) buf_char(&self->text, '(');
    for (uint32_t i = 0; i < of->count; i++) {
        if (i) buf_text(&self->text, " OR ");
        SqlVerdict part = condition(self, of->first + i, negated, true, depth + 1);
        if (part.kind == TRIB_NONE || !sql_fits(self)) {
            sql_undo(self, mark);
            return verdict_none(part.reason ? part.reason : "too long a statement for the source");
        }
        if (part.kind < verdict.kind) verdict = part;
    }
    if (nested) buf_char(&self->text, ')');
    return verdict;
}

/* Conditions stand in positive places only (NOT is pushed down), where NULL and FALSE are alike. */
static SqlVerdict condition_constant(SqlWriter *self, const TribValue *value, bool negated) {
    bool truth = !value->is_null && (value->as.integer != 0) != negated;
    buf_text(&self->text,
             truth ? self->render.dialect->true_text : self->render.dialect->false_text);
    return VERDICT_EXACT;
}

static SqlVerdict condition(SqlWriter *self, uint32_t node, bool negated, bool nested,
                            uint32_t depth) {
    const TribNode *of = &self->render.offer->nodes[node];
    if (depth > self->render.dialect->max_depth) return verdict_none(REASON_DEPTH);
    if (of->may_raise) return verdict_none("may raise");
    if (of->kind == TRIB_NODE_LITERAL) {
        return condition_constant(self, &self->render.offer->values[of->ref], negated);
    }
    if (of->kind == TRIB_NODE_CALL) {
        switch (of->op) {
        case TRIB_FN_not: return condition(self, of->first, !negated, nested, depth + 1);
        case TRIB_FN_and:
            return negated ? condition_or(self, of, true, nested, depth)
                           : condition_and(self, of, false, nested, depth);
        case TRIB_FN_or:
            return negated ? condition_and(self, of, true, nested, depth)
                           : condition_or(self, of, false, nested, depth);
        default: break;
        }
    }
    if (of->kind == TRIB_NODE_AGGREGATE) return verdict_none("an aggregate");
    return condition_leaf(self, node, negated, nested, depth);
}

SqlVerdict sql_condition(SqlWriter *self, uint32_t node, bool negated) {
    SqlMark mark = sql_mark(self);
    SqlVerdict verdict = condition(self, node, negated, true, 0); /* AND-ed with others */
    if (self->failed != TRIB_OK || !sql_fits(self)) {
        sql_undo(self, mark);
        return verdict_none("too long a statement for the source");
    }
    if (verdict.kind == TRIB_NONE) sql_undo(self, mark);
    if (verdict.kind == TRIB_EXACT) verdict.reason = NULL;
    return verdict;
}

SqlVerdict sql_output_column(SqlWriter *self, uint32_t node) {
    const TribNode *of = &self->render.offer->nodes[node];
    const SqlDialect *dialect = self->render.dialect;
    SqlMark mark = sql_mark(self);
    const char *template = NULL;
    sql_info(self, node, 0);
    for (uint32_t i = 0; i < dialect->nrules && !template; i++) {
        const SqlRule *rule = &dialect->rules[i];
        if (rule_fits(self, rule, SQL_OP_OUTPUT, (Arguments){node, 1}, of->type, 0))
            template = rule->template;
    }
    if (template)
        write_template(self, template, of, (Arguments){node, 1});
    else
        sql_value(self, node, false);
    if (sql_fits(self)) return VERDICT_EXACT;
    sql_undo(self, mark);
    return verdict_none("too long a statement for the source");
}

SqlVerdict sql_operand(SqlWriter *self, uint32_t node, uint16_t op) {
    const TribNode *of = &self->render.offer->nodes[node];
    bool aggregate = of->kind == TRIB_NODE_AGGREGATE;
    Arguments args = aggregate ? (Arguments){of->first, of->count} : (Arguments){node, 1};
    Match match = rule_find(self, aggregate ? of->op : op, of, args, 0);
    SqlMark mark = sql_mark(self);
    if (match.cap < match.verdict.kind) match.verdict = (SqlVerdict){match.cap, match.cap_reason};
    if (self->render.offer->mode == TRIB_PUSHDOWN_NATIVE && match.verdict.kind == TRIB_SUPERSET) {
        match.verdict = VERDICT_EXACT;
    }
    if (match.verdict.kind == TRIB_EXACT) write_template(self, match.template, of, args);
    if (!sql_fits(self)) {
        sql_undo(self, mark);
        return verdict_none("too long a statement for the source");
    }
    return match.verdict;
}
