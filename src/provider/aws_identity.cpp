#include <openindex/provider/aws_identity.hpp>

namespace openindex {
inline namespace v0 {

AwsIdentity::~AwsIdentity() = default;
void AwsIdentity::refused(std::string_view) {}

}  // namespace v0
}  // namespace openindex
