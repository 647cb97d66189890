#define AITQE_ISA_TABLE k_avx2_kernels
#define AITQE_ISA_NAME "avx2"
#define AITQE_ISA_BF16 0
#include "kernels.inc"
