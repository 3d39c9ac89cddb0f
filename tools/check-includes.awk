# check-includes.awk - the textual part of check-includes; takes paths relative to the source root.
#
# Comments are removed before anything is matched, strings before functions are looked for.

BEGIN {
    # Lower numbers lie below; one folder per number.
    split("base types vector kernels functions sql source catalog expr plan bind pushdown optimise " \
          "spill exec runtime", order, " ")
    for (i in order) layer[order[i]] = i + 0

    odbc["sql.h"] = odbc["sqlext.h"] = odbc["sqltypes.h"] = odbc["sqlucode.h"] = 1
    odbc["odbcinst.h"] = odbc["odbcinstext.h"] = 1

    banned_everywhere = "strcpy strcat strncpy strncat stpcpy sprintf vsprintf strtok gets atoi " \
        "atol atoll atof strtod strtof strtold localtime gmtime ctime asctime setlocale rand " \
        "srand alloca"
    banned_in_guest = "exit _exit quick_exit abort signal sigset chdir fchdir umask " \
        "setenv putenv unsetenv clearenv printf vprintf puts putchar perror system popen"
    banned_words = "stdout stderr"
    only_base = "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf " \
        "aligned_alloc posix_memalign memalign"
    name_pattern(banned_everywhere, everywhere)
    name_pattern(banned_in_guest, guest)
    name_pattern(banned_words, words)
    name_pattern(only_base, memory)
    faults = 0
}

function name_pattern(list, into,    parts, n, i) {
    n = split(list, parts, " ")
    for (i = 1; i <= n; i++) into[parts[i]] = 1
}

function fault(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    faults++
}

FNR == 1 {
    in_comment = 0
    n = split(FILENAME, path, "/")
    top = path[1]
    folder = n > 2 ? path[2] : ""
    own = FILENAME
    sub(/[^\/]*$/, "", own)
}

# The line without comments; strings are emptied unless it is an include.
function plain(line,    out, at, mark, rest, is_include) {
    out = ""
    is_include = line ~ /^[ \t]*#[ \t]*include/
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (at == 0) return out
            line = substr(line, at + 2)
            in_comment = 0
            out = out " "
            continue
        }
        if (is_include) match(line, /\/\*|\/\//)
        else match(line, /["']|\/\*|\/\//)
        if (RLENGTH < 0) return out line
        mark = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART + RLENGTH)
        if (mark == "//") return out
        if (mark == "/*") {
            in_comment = 1
            line = rest
        } else {
            if (mark == "\"") match(rest, /^([^"\\]|\\.)*"/)
            else match(rest, /^([^'\\]|\\.)*'/)
            if (RLENGTH < 0) return out
            out = out "S"
            line = substr(rest, RLENGTH + 1)
        }
    }
    return out
}

function check_system(name) {
    if (!(name in odbc)) return
    if (top == "driver" || top == "tests" || (top == "connectors" && folder == "odbc")) return
    if (top == "setup" && name ~ /^odbcinst/) return
    fault("<" name "> belongs to driver/, connectors/odbc/ and tests/")
}

# Whether a file of this folder may include `name`, a path from the root; "" or the reason against.
function reason(name,    parts, n, target) {
    n = split(name, parts, "/")
    target = n > 2 ? parts[2] : ""
    if (top == "tests") return ""
    if (name == "connectors/tributary_types.h" || name == "connectors/ids.def") return ""
    if (parts[1] == "engine" && target == "base") return ""
    if (parts[1] "/" target == top "/" folder) return ""
    if (top == "engine") {
        if (name == "connectors/tributary_connector.h")
            return folder == "source" ? "" : "only engine/source/ includes the connectors' ABI"
        if (name == "engine/tributary.h")
            return folder == "runtime" ? "" : "only engine/runtime/ includes engine/tributary.h"
        if (parts[1] != "engine") return "the engine does not see " parts[1] "/"
        if (!(target in layer)) return "engine/" target " has no layer (tools/check-includes.awk)"
        if (folder == "") return "engine/tributary.h stands on engine/base/ alone"
        if (!(folder in layer)) return "engine/" folder " has no layer (tools/check-includes.awk)"
        return layer[target] < layer[folder] ? "" : "engine/" target " does not lie below engine/" folder
    }
    if (top == "connectors") {
        if (name == "connectors/tributary_connector.h" || target == "support") return ""
        return "a connector includes the ABI, connectors/support/, engine/base/ and its own folder"
    }
    if (name == "engine/tributary.h") return ""
    if (top == "setup" && parts[1] == "driver" && name ~ /\.(def|h)$/) return ""
    return top "/" " includes of the engine engine/tributary.h and engine/base/ alone"
}

function check_quoted(name,    why) {
    if (name ~ /(^|\/)\.\.?\//) {
        fault("\"" name "\": paths begin at the root of the tree")
        return
    }
    if (name == "config.h") {
        if (FILENAME ~ /\.h$/) fault("config.h is for .c files")
        return
    }
    if (index(name, "/") == 0) name = own name
    why = reason(name)
    if (why != "") fault("\"" name "\": " why)
}

function check_call(name) {
    if (name in everywhere) fault(name "() is banned")
    else if ((name in guest) && top != "setup") fault(name "() is banned: we live in a process of others")
    else if ((name in memory) && FILENAME !~ /^engine\/base\//)
        fault(name "() belongs to engine/base/: use an arena or heap_alloc")
}

{
    line = plain($0)
    if (line ~ /^[ \t]*#[ \t]*include/) {
        name = line
        sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
        if (name ~ /^</) {
            gsub(/[<>]|[ \t]+$/, "", name)
            check_system(name)
        } else if (name ~ /^"/) {
            gsub(/"|[ \t]+$/, "", name)
            check_quoted(name)
        }
        next
    }
    if (top == "tests") next
    rest = line
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        name = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (before == "." || before == ">") continue
        if (rest ~ /^[ \t]*\(/) check_call(name)
        if ((name in words) && top != "setup") fault(name " is banned: it belongs to the application")
    }
}

END {
    exit faults > 0
}
