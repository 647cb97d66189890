#define AITQE_ISA_TABLE kAvx512Bf16Kernels
#define AITQE_ISA_NAME "avx512_bf16"
#define AITQE_ISA_BF16 1
#include "kernels.inc"
