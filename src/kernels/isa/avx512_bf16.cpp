#define AITQE_ISA_TABLE k_avx512_bf16_kernels
#define AITQE_ISA_NAME "avx512_bf16"
#define AITQE_ISA_BF16 1
#include "kernels.inc"
