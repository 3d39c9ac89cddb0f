/*
 * xml.c - the pull reader. No recursion; the open elements' names are slices of the document.
 */
#include "connectors/support/xml.h"

static Status broken(const XmlReader *self, Error *err, const char *what) {
    return error_set(err, ERR_SOURCE, "an XML answer is broken at byte %zu: %s", self->at, what);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool starts(const XmlReader *self, const char *text) {
    size_t n = strlen(text);
    return self->len - self->at >= n && memcmp(self->data + self->at, text, n) == 0;
}

/* Moves behind the next `text`; false: there is none. */
static bool skip_behind(XmlReader *self, const char *text) {
    size_t n = strlen(text);
    for (; self->len - self->at >= n; self->at++) {
        if (memcmp(self->data + self->at, text, n) == 0) {
            self->at += n;
            return true;
        }
    }
    return false;
}

void xml_init(XmlReader *self, Arena *arena, Str document) {
    memset(self, 0, sizeof *self);
    self->arena = arena;
    self->data = document.data;
    self->len = document.len;
    if (starts(self, "\xEF\xBB\xBF")) self->at = 3;
}

static Str local_name(Str name) {
    const char *colon = memchr(name.data, ':', name.len);
    if (!colon) return name;
    size_t prefix = (size_t)(colon - name.data) + 1;
    return (Str){name.data + prefix, name.len - prefix};
}

static Str read_name(XmlReader *self) {
    size_t begin = self->at;
    while (self->at < self->len && !is_space(self->data[self->at]) &&
           !strchr("/>=<\"'&", self->data[self->at]))
        self->at++;
    return (Str){self->data + begin, self->at - begin};
}

/* ---------------------------------------------------------------- text */

static bool entity_named(Str name, char *out) {
    static const struct {
        const char *name;
        char value;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < COUNT_OF(entities); i++) {
        if (!str_equal(name, str_from(entities[i].name))) continue;
        *out = entities[i].value;
        return true;
    }
    return false;
}

/* "#65" or "#x41"; 0 if it is no character that XML allows. */
static uint32_t entity_number(Str name) {
    bool hex = name.len > 1 && (name.data[1] == 'x' || name.data[1] == 'X');
    uint32_t value = 0, base = hex ? 16 : 10;
    for (size_t i = hex ? 2 : 1; i < name.len; i++) {
        char c = name.data[i];
        uint32_t digit = c >= '0' && c <= '9'          ? (uint32_t)(c - '0')
                         : hex && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : hex && c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                       : 99;
        if (digit == 99 || value > 0x110000) return 0;
        value = value * base + digit;
    }
    return value;
}

static Status add_entity(XmlReader *self, Buf *out, Error *err) {
    const char *begin = self->data + self->at + 1;
    size_t left = self->len - self->at - 1, most = left < 12 ? left : 12;
    const char *end = memchr(begin, ';', most);
    if (!end) return broken(self, err, "an entity without end");
    Str name = {begin, (size_t)(end - begin)};
    char bytes[4];
    size_t n = 1;
    if (name.len && name.data[0] == '#')
        n = utf8_put(bytes, entity_number(name));
    else if (!entity_named(name, bytes))
        n = 0;
    if (n == 0 || bytes[0] == 0) return broken(self, err, "an unknown entity");
    buf_add(out, bytes, n);
    self->at += name.len + 2;
    return TRIB_OK;
}

static Status read_text(XmlReader *self, Error *err) {
    size_t begin = self->at;
    const char *end = memchr(self->data + self->at, '<', self->len - self->at);
    size_t stop = end ? (size_t)(end - self->data) : self->len;
    self->text = (Str){self->data + begin, stop - begin};
    if (!utf8_valid(self->text.data, self->text.len)) return broken(self, err, "invalid UTF-8");
    if (!memchr(self->text.data, '&', self->text.len)) {
        self->at = stop;
        return TRIB_OK;
    }
    Buf decoded;
    buf_init(&decoded, self->arena, self->text.len + 1);
    while (self->at < stop) {
        const char *amp = memchr(self->data + self->at, '&', stop - self->at);
        size_t until = amp ? (size_t)(amp - self->data) : stop;
        buf_add(&decoded, self->data + self->at, until - self->at);
        self->at = until;
        if (amp) TRY(add_entity(self, &decoded, err));
    }
    if (self->at > stop) return broken(self, err, "an entity without end");
    TRY(buf_status(&decoded, err));
    self->text = buf_view(&decoded);
    return TRIB_OK;
}

static Status read_cdata(XmlReader *self, Error *err) {
    self->at += 9;
    size_t begin = self->at;
    if (!skip_behind(self, "]]>")) return broken(self, err, "CDATA without end");
    self->text = (Str){self->data + begin, self->at - 3 - begin};
    return utf8_valid(self->text.data, self->text.len) ? TRIB_OK
                                                       : broken(self, err, "invalid UTF-8");
}

/* ---------------------------------------------------------------- elements */

static Status read_attributes(XmlReader *self, Error *err) {
    for (;;) {
        while (self->at < self->len && is_space(self->data[self->at])) self->at++;
        if (self->at == self->len) return broken(self, err, "a tag without end");
        if (self->data[self->at] == '>' || self->data[self->at] == '/') return TRIB_OK;
        if (read_name(self).len == 0) return broken(self, err, "a name is missing");
        while (self->at < self->len && is_space(self->data[self->at])) self->at++;
        if (self->at == self->len || self->data[self->at] != '=')
            return broken(self, err, "an attribute without value");
        self->at++;
        while (self->at < self->len && is_space(self->data[self->at])) self->at++;
        char quote = self->at < self->len ? self->data[self->at] : 0;
        if (quote != '"' && quote != '\'')
            return broken(self, err, "an attribute's value without quotes");
        const char *end = memchr(self->data + self->at + 1, quote, self->len - self->at - 1);
        if (!end) return broken(self, err, "an attribute without end");
        self->at = (size_t)(end - self->data) + 1;
    }
}

static Status read_open(XmlReader *self, Error *err) {
    self->at++;
    Str name = read_name(self);
    if (name.len == 0) return broken(self, err, "a name is missing");
    if (!utf8_valid(name.data, name.len)) return broken(self, err, "invalid UTF-8");
    if (self->depth == 0 && self->rooted) return broken(self, err, "a second root element");
    if (self->depth == XML_DEPTH_MOST) return broken(self, err, "elements are nested too deeply");
    TRY(read_attributes(self, err));
    if (self->data[self->at] == '/') {
        self->at++;
        if (self->at == self->len || self->data[self->at] != '>')
            return broken(self, err, "a tag without end");
        self->empty = true;
    }
    self->at++;
    self->rooted = true;
    self->names[self->depth++] = name;
    self->name = local_name(name);
    return TRIB_OK;
}

static Status read_close(XmlReader *self, Error *err) {
    self->at += 2;
    Str name = read_name(self);
    while (self->at < self->len && is_space(self->data[self->at])) self->at++;
    if (self->at == self->len || self->data[self->at] != '>')
        return broken(self, err, "a tag without end");
    if (self->depth == 0 || !str_equal(self->names[self->depth - 1], name))
        return broken(self, err, "a closing tag that does not match");
    self->at++;
    self->depth--;
    self->name = local_name(name);
    return TRIB_OK;
}

/* Comments and processing instructions; *skipped = false: something else stands here. */
static Status skip_misc(XmlReader *self, bool *skipped, Error *err) {
    *skipped = true;
    if (starts(self, "<!--"))
        return skip_behind(self, "-->") ? TRIB_OK : broken(self, err, "a comment without end");
    if (starts(self, "<?"))
        return skip_behind(self, "?>") ? TRIB_OK : broken(self, err, "an instruction without end");
    *skipped = false;
    if (starts(self, "<!") && !starts(self, "<![CDATA["))
        return broken(self, err, "document types are not accepted");
    return TRIB_OK;
}

static Status read_end(XmlReader *self, XmlToken *token, Error *err) {
    *token = XML_END;
    if (self->depth) return broken(self, err, "it ends inside an element");
    return self->rooted ? TRIB_OK : broken(self, err, "there is no element");
}

Status xml_next(XmlReader *self, XmlToken *token, Error *err) {
    if (self->empty) {
        self->empty = false;
        self->name = local_name(self->names[--self->depth]);
        *token = XML_CLOSE;
        return TRIB_OK;
    }
    for (;;) {
        bool skipped;
        if (self->at >= self->len) return read_end(self, token, err);
        TRY(skip_misc(self, &skipped, err));
        if (skipped) continue;
        if (self->depth == 0 && is_space(self->data[self->at])) {
            self->at++;
            continue;
        }
        break;
    }
    if (self->data[self->at] != '<' || starts(self, "<![CDATA[")) {
        if (self->depth == 0) return broken(self, err, "text outside of an element");
        *token = XML_TEXT;
        return self->data[self->at] == '<' ? read_cdata(self, err) : read_text(self, err);
    }
    bool close = starts(self, "</");
    *token = close ? XML_CLOSE : XML_OPEN;
    return close ? read_close(self, err) : read_open(self, err);
}

Status xml_skip(XmlReader *self, Error *err) {
    XmlToken token;
    for (uint32_t inside = 1; inside > 0;) {
        TRY(xml_next(self, &token, err));
        if (token == XML_OPEN) inside++;
        if (token == XML_CLOSE) inside--;
    }
    return TRIB_OK;
}

Status xml_text(XmlReader *self, Str *out, Error *err) {
    XmlToken token;
    Buf text;
    Str first = {"", 0};
    bool several = false;
    buf_init(&text, self->arena, self->len + 1);
    for (;;) {
        TRY(xml_next(self, &token, err));
        if (token == XML_CLOSE) break;
        if (token == XML_OPEN) {
            TRY(xml_skip(self, err));
            continue;
        }
        if (first.len == 0 && !several) {
            first = self->text;
            continue;
        }
        if (!several) buf_str(&text, first);
        several = true;
        buf_str(&text, self->text);
    }
    TRY(buf_status(&text, err));
    *out = several ? buf_view(&text) : first;
    return TRIB_OK;
}

Status xml_find(Arena *arena, Str document, const char *name, Str *out, Error *err) {
    XmlReader reader;
    XmlToken token;
    *out = (Str){NULL, 0};
    xml_init(&reader, arena, document);
    do {
        TRY(xml_next(&reader, &token, err));
        if (token == XML_OPEN && str_equal(reader.name, str_from(name)))
            return xml_text(&reader, out, err);
    } while (token != XML_END);
    return TRIB_OK;
}
