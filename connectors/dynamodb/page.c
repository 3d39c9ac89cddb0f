/*
 * page.c - reads one answer of Scan, Query or BatchGetItem, item by item, into the batch.
 *
 * The answer is in memory; the reader walks it once. Attributes that nobody asked for are skipped without
 * being decoded. Items of one table usually have the same attributes in the same order, so that each
 * attribute's column is first looked for where the item before had it.
 */
#include "connectors/dynamodb/scan.h"
#include "engine/base/number.h"

enum { NESTING_MOST = 256 };

static Status broken(const TribScan *self, const char *what, Error *err) {
    return answer_broken(self->catalog, what, err);
}

Status page_open(TribScan *self, Str body, Error *err) {
    JsonToken token;
    Page *page = &self->page;
    memset(page, 0, sizeof *page);
    page->next = (Str){"", 0};
    json_init(&page->reader, self->page_arena, body, false, NESTING_MOST);
    TRY(json_next(&page->reader, &token, err));
    if (token != JSON_OBJECT_BEGIN) return broken(self, "it is no object", err);
    page->open = true;
    self->stats.pages++;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- attributes */

/* The wanted column of that name; UINT32_MAX. */
static uint32_t column_named(const TribScan *self, Str name) {
    const TribPlan *plan = self->plan;
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (self->request.wanted[i] && str_equal(plan->columns[i].name, name)) return i;
    }
    return UINT32_MAX;
}

static Status order_room(TribScan *self, uint32_t at, Error *err) {
    if (at < self->order_room) return TRIB_OK;
    uint32_t room = self->order_room ? self->order_room * 2 : 32;
    uint32_t *more;
    TRY_ALLOC(more,
              arena_resize(self->arena, self->order, self->order_room * sizeof *more,
                           room * sizeof *more),
              err);
    self->order = more;
    self->order_room = room;
    return TRIB_OK;
}

/* The column of the item's attribute number `at`. */
static Status attribute_column(TribScan *self, uint32_t at, Str name, uint32_t *out, Error *err) {
    if (at < self->norder) {
        uint32_t guess = self->order[at];
        if (guess != UINT32_MAX && str_equal(self->plan->columns[guess].name, name)) {
            *out = guess;
            return TRIB_OK;
        }
    }
    *out = column_named(self, name);
    TRY(order_room(self, at, err));
    self->order[at] = *out;
    if (at >= self->norder) self->norder = at + 1;
    return TRIB_OK;
}

static Status item_read(TribScan *self, Error *err) {
    JsonReader *reader = &self->page.reader;
    JsonToken token;
    const TribPlan *plan = self->plan;
    for (uint32_t i = 0; i < plan->ncolumns; i++) self->values[i].type = ATTR_NONE;
    for (uint32_t at = 0;; at++) {
        uint32_t column;
        Str raw;
        TRY(json_next(reader, &token, err));
        if (token == JSON_OBJECT_END) return TRIB_OK;
        TRY(attribute_column(self, at, reader->text, &column, err));
        if (column != UINT32_MAX) {
            TRY(attribute_read(reader, &self->values[column], err));
            continue;
        }
        TRY(json_next(reader, &token, err));
        TRY(json_skip(reader, token, &raw, err));
    }
}

/* ---------------------------------------------------------------- rows */

/* "order_id=1002": which item an error speaks of. */
static void item_name(const TribScan *self, Buf *out) {
    const AccessPath *table = &self->plan->facts.paths[0];
    const Str names[] = {table->hash.name, table->range.name};
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        for (uint32_t i = 0; i < self->plan->ncolumns; i++) {
            const AttrValue *value = &self->values[i];
            if (!names[k].len || !str_equal(self->plan->columns[i].name, names[k]) ||
                value->type == ATTR_NONE)
                continue;
            if (out->len) buf_text(out, ", ");
            buf_str(out, names[k]);
            buf_char(out, '=');
            buf_str(out, value->text);
        }
    }
}

static Status misfit_error(const TribScan *self, uint32_t column, Error *err) {
    const ColumnInfo *info = &self->plan->columns[column];
    const AttrValue *value = &self->values[column];
    Buf item;
    buf_init(&item, NULL, 300);
    item_name(self, &item);
    error_set(err, ERR_MISMATCH,
              STR_FORMAT "." STR_FORMAT
                         ": an item holds a value of type %s that its column cannot read",
              STR_ARGS(self->plan->table), STR_ARGS(info->name), attr_type_name(value->type));
    Str text = {value->text.data, utf8_cut(value->text.data, value->text.len, 100)};
    error_detail(err, "item " STR_FORMAT ", value " STR_FORMAT, STR_ARGS(buf_view(&item)),
                 STR_ARGS(text));
    error_hint(err, "declare the column with another type, or set on_mismatch to null");
    buf_clear(&item);
    return error_source(err, self->catalog->name);
}

static Status misfit(TribScan *self, uint32_t column, Error *err) {
    if (self->plan->columns[column].mismatch == MISMATCH_ERROR)
        return misfit_error(self, column, err);
    if (self->misfits[column].count++ == 0) self->misfits[column].type = self->values[column].type;
    return TRIB_OK;
}

static Status row_write(TribScan *self, Error *err) {
    const TribPlan *plan = self->plan;
    for (uint32_t i = 0; i < plan->noutput; i++) {
        uint32_t column = plan->outputs[i];
        Fit fit;
        TRY(value_write(self->builder, i, &plan->columns[column], &self->values[column],
                        &self->scratch, &fit, err));
        if (fit == FIT_WRONG) TRY(misfit(self, column, err));
    }
    batch_row_done(self->builder);
    return TRIB_OK;
}

/* Columns that only filters look at: a wrong value in a row that counts is an error here too. */
static Status tested_check(TribScan *self, Error *err) {
    for (uint32_t i = 0; i < self->plan->ncolumns; i++) {
        const ColumnInfo *column = &self->plan->columns[i];
        if (self->request.wanted[i] && column->mismatch == MISMATCH_ERROR &&
            value_fit(column, &self->values[i]) == FIT_WRONG)
            return misfit_error(self, i, err);
    }
    return TRIB_OK;
}

static Status item_take(TribScan *self, Error *err) {
    const TribPlan *plan = self->plan;
    TRY(item_read(self, err));
    self->page.items++;
    if (self->request.local) {
        for (uint32_t i = 0; i < plan->nfilters; i++) {
            if (!filter_test(plan->filters[i], plan->columns, self->values)) return TRIB_OK;
        }
        TRY(tested_check(self, err));
    }
    if (self->left > 0) self->left--;
    return row_write(self, err);
}

static bool batch_wants_more(const TribScan *self, uint32_t max_rows) {
    return self->builder->rows < max_rows && !batch_full(self->builder) && self->left != 0;
}

static Status items_read(TribScan *self, uint32_t max_rows, Error *err) {
    JsonToken token;
    while (batch_wants_more(self, max_rows)) {
        TRY(json_next(&self->page.reader, &token, err));
        if (token == JSON_ARRAY_END) {
            self->page.in_items = false;
            return TRIB_OK;
        }
        if (token != JSON_OBJECT_BEGIN) return broken(self, "an item is no object", err);
        TRY(item_take(self, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the rest of the answer */

static Status items_begin(TribScan *self, Error *err) {
    JsonToken token;
    TRY(json_next(&self->page.reader, &token, err));
    if (token != JSON_ARRAY_BEGIN) return broken(self, "the items are no list", err);
    if (self->page.seen_items) return broken(self, "it holds two lists of items", err);
    self->page.in_items = self->page.seen_items = true;
    return TRIB_OK;
}

/* {"Orders": [items]}: the reader goes on inside; the closing brace is met as a plain token later. */
static Status responses_begin(TribScan *self, Error *err) {
    JsonToken token;
    TRY(json_next(&self->page.reader, &token, err));
    if (token != JSON_OBJECT_BEGIN) return broken(self, "Responses is no object", err);
    TRY(json_next(&self->page.reader, &token, err));
    if (token == JSON_OBJECT_END) { /* none of the keys was found or processed */
        self->page.seen_items = true;
        return TRIB_OK;
    }
    if (!str_equal(self->page.reader.text, self->plan->table))
        return broken(self, "it speaks of another table", err);
    return items_begin(self, err);
}

static Status count_read(TribScan *self, Str raw, uint64_t *out, Error *err) {
    int64_t number;
    if (int64_parse(raw, &number) != NUMBER_OK || number < 0)
        return broken(self, "a count is no number", err);
    *out = (uint64_t)number;
    return TRIB_OK;
}

/* {"TableName": ..., "CapacityUnits": 1.5}, or a list of those. */
static Status capacity_read(TribScan *self, Str raw, Error *err) {
    JsonReader reader;
    JsonToken token = JSON_NULL;
    json_init(&reader, self->page_arena, raw, false, NESTING_MOST);
    do {
        TRY(json_next(&reader, &token, err));
        if (token != JSON_KEY || !str_equal(reader.text, STR("CapacityUnits"))) continue;
        double units;
        TRY(json_next(&reader, &token, err));
        if (token == JSON_NUMBER && reader.depth <= 2 &&
            double_parse(reader.text, &units) == NUMBER_OK)
            self->stats.capacity += units;
    } while (token != JSON_END);
    return TRIB_OK;
}

static Status member_read(TribScan *self, Error *err) {
    JsonReader *reader = &self->page.reader;
    JsonToken token;
    Str name = reader->text, raw;
    bool get = self->way.kind == READ_GET;
    if (!get && !self->request.count && str_equal(name, STR("Items")))
        return items_begin(self, err);
    if (get && str_equal(name, STR("Responses"))) return responses_begin(self, err);
    TRY(json_next(reader, &token, err));
    TRY(json_skip(reader, token, &raw, err));
    if (self->request.count && str_equal(name, STR("Count"))) {
        self->page.seen_items = true;
        return count_read(self, raw, &self->page.counted, err);
    }
    if (str_equal(name, STR("ScannedCount"))) {
        uint64_t scanned;
        TRY(count_read(self, raw, &scanned, err));
        self->stats.scanned += scanned;
    }
    bool next = str_equal(name, get ? STR("UnprocessedKeys") : STR("LastEvaluatedKey"));
    if (next && token == JSON_OBJECT_BEGIN && raw.len > 2) self->page.next = raw;
    if (str_equal(name, STR("ConsumedCapacity")) && token != JSON_NULL)
        return capacity_read(self, raw, err);
    return TRIB_OK;
}

/* Rows of a count have no columns. */
static void counted_take(TribScan *self, uint32_t max_rows) {
    while (self->page.counted > 0 && batch_wants_more(self, max_rows)) {
        self->page.counted--;
        if (self->left > 0) self->left--;
        batch_row_done(self->builder);
    }
}

Status page_read(TribScan *self, uint32_t max_rows, Error *err) {
    Page *page = &self->page;
    JsonToken token;
    while (page->open && batch_wants_more(self, max_rows)) {
        if (page->in_items) {
            TRY(items_read(self, max_rows, err));
            continue;
        }
        if (page->reader.depth == 0) {
            counted_take(self, max_rows);
            if (page->counted == 0) page->open = false;
            continue;
        }
        TRY(json_next(&page->reader, &token, err));
        if (token == JSON_KEY) TRY(member_read(self, err));
        if (token != JSON_OBJECT_END || page->reader.depth > 0) continue;
        if (!page->seen_items) return broken(self, "it holds no items", err);
        if (self->way.kind == READ_GET) self->stats.scanned += page->items;
    }
    return TRIB_OK;
}
