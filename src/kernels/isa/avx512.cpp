#define AITQE_ISA_TABLE kAvx512Kernels
#define AITQE_ISA_NAME "avx512"
#define AITQE_ISA_BF16 0
#include "kernels.inc"
