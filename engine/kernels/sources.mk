# engine/kernels
