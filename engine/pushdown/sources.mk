# engine/pushdown: what a source is asked to do
ENGINE_SOURCES += engine/pushdown/pushdown.c engine/pushdown/pushdown.h engine/pushdown/modify.c engine/pushdown/modify.h engine/pushdown/offer.c engine/pushdown/offer.h
