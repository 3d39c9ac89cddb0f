/*
 * module.h - shared objects that are loaded when they are first needed: connectors, and modules for what
 * only some statements use.
 */
#ifndef TRIB_BASE_MODULE_H
#define TRIB_BASE_MODULE_H

#include "engine/base/text.h"

#define MODULE_FOLDERS 32

/* Where shared objects may lie, in the order in which to look. */
typedef struct ModuleFolders {
    Arena *arena;
    uint32_t count;
    char *path[MODULE_FOLDERS];
} ModuleFolders;

/* `path` (folders separated by colons; may be empty), $TRIBUTARY_CONNECTORS, the folder `tributary` beside
 * the file that holds this code, that file's own folder (and .libs below it: a build tree), the
 * installed folder. */
Status module_folders(ModuleFolders *self, Arena *arena, Str path, Error *err) WARN_UNUSED;
/* Adds folders (separated by colons) in which module_load looks first, for the life of the process (64 KiB
 * at most; more are left out). */
Status module_search(Str path, Error *err) WARN_UNUSED;
/* Loads tributary_<name>.so and gives the table that its function trib_module returns. It is loaded once
 * and never unloaded. `package` is what to install where it is missing. Any thread. */
Status module_load(const char *name, const char *package, const void **out, Error *err) WARN_UNUSED;

#endif
