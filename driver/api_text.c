/*
 * api_text.c - exported functions with text: W and ANSI twins, both from the one template
 * api_text_twins.def over the same core calls, so that they cannot drift apart.
 *
 * ANSI text is UTF-8 in every locale; W text is UTF-16. Lengths of W functions are in characters or
 * in bytes as the specification says for each; byte lengths that are odd are rounded down.
 */
#include "driver/diag_get.h"
#include "driver/stmt.h"

#define TWIN(name) name
#define TWIN_TEXT  SQLCHAR
#define TWIN_IN    call_text
#define TWIN_WIDE  false
#define TWIN_UNIT  1
#include "driver/api_text_twins.def"
#undef TWIN
#undef TWIN_TEXT
#undef TWIN_IN
#undef TWIN_WIDE
#undef TWIN_UNIT

#define TWIN(name) name##W
#define TWIN_TEXT  SQLWCHAR
#define TWIN_IN    call_text_w
#define TWIN_WIDE  true
#define TWIN_UNIT  2
#include "driver/api_text_twins.def"
