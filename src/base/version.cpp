#include "aitqe/base/version.h"

namespace aitqe {

const std::string_view kVersion = AITQE_VERSION;

}  // namespace aitqe
