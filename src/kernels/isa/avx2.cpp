#define AITQE_ISA_TABLE kAvx2Kernels
#define AITQE_ISA_NAME "avx2"
#define AITQE_ISA_BF16 0
#include "kernels.inc"
