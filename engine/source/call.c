/*
 * call.c - TribCall over the engine's cancellation token.
 *
 * A frame is used by the thread that makes the call, except that callbacks registered through it run
 * on whichever thread cancels.
 */
#include "engine/source/internal.h"

static CallFrame *frame_of(TribCall *call) {
    return (CallFrame *)call; /* base is the first member */
}

static bool frame_cancelled(TribCall *call) {
    CallFrame *self = frame_of(call);
    return self->token && cancel_reason(self->token) != CANCEL_NONE;
}

static void *frame_on_cancel(TribCall *call, void (*callback)(void *context), void *context) {
    CallFrame *self = frame_of(call);
    return self->token ? cancel_on(self->token, callback, context) : NULL;
}

static void frame_off_cancel(TribCall *call, void *handle) {
    CallFrame *self = frame_of(call);
    if (self->token && handle) cancel_off(self->token, handle);
}

static void frame_warn(TribCall *call, const char *sqlstate, const char *text) {
    CallFrame *self = frame_of(call);
    if (self->guard) pthread_mutex_lock(self->guard);
    if (self->warn && text)
        self->warn(self->warn_context, self->catalog, sqlstate ? sqlstate : "01000", text);
    if (self->guard) pthread_mutex_unlock(self->guard);
}

void call_frame_init(CallFrame *self, const Source *source, CancelToken *token,
                     int64_t deadline_ns) {
    *self = (CallFrame){.token = token, .catalog = source->name};
    self->base = (TribCall){.size = sizeof(TribCall),
                            .host = source_host(),
                            .deadline_ns = deadline_ns,
                            .cancelled = frame_cancelled,
                            .on_cancel = frame_on_cancel,
                            .off_cancel = frame_off_cancel,
                            .warn = frame_warn};
}

int64_t source_call_deadline(const SourceCall *call) {
    int64_t deadline = call->deadline_ns > 0 ? call->deadline_ns : INT64_MAX;
    int64_t of_token = call->cancel ? cancel_deadline(call->cancel) : INT64_MAX;
    return of_token < deadline ? of_token : deadline;
}
