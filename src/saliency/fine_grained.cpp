#include "core/cpu.h"
#include "saliency/detectors.h"
#include "saliency/fine_grained_impl.h"

namespace smcl::saliency {
namespace {

class FineGrained : public Detector {
 public:
  std::string_view name() const override { return "fine_grained"; }

  std::unique_ptr<Workspace> workspace() const override {
    return std::make_unique<fine_grained::FineGrainedWorkspace>();
  }

  void map(const ImageView& image, const Draws&, Workspace& workspace,
           std::uint8_t* out) const override {
    fine_grained::Frame& frame = fine_grained::prepare(image, workspace);
    const fine_grained::Maxima maxima = kernels_.centre_surround(image, frame);
    kernels_.scale_apart(frame, maxima, out);
  }

 private:
  const fine_grained::Kernels& kernels_ = fine_grained::kernels(best_isa());
};

}  // namespace

std::unique_ptr<Detector> make_fine_grained() {
  return std::make_unique<FineGrained>();
}

}  // namespace smcl::saliency
