# engine/spill
ENGINE_SOURCES += engine/spill/spill.c engine/spill/spill.h
