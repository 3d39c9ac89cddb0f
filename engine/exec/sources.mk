# engine/exec
