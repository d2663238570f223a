#include <vector>

#include "core/config.h"
#include "data/open.h"
#include "fuzz/fuzz.h"
#include "plan/check.h"
#include "plan/settings.h"

namespace {

using smcl::config::Document;
using smcl::config::Resolved;
namespace fuzz = smcl::fuzz;

struct Settings {
  smcl::data::DataSettings data;
  smcl::plan::PlannerSettings plan;
  smcl::plan::LambdaSettings lambda;
};

/// The sections of a recipe that need no LibTorch.
std::vector<Resolved> bind_all(const Document& document, Settings& settings) {
  smcl::config::Binder binder(document);
  bind(binder, settings.data);
  bind(binder, settings.plan.augment);
  bind(binder, settings.plan.mask);
  bind(binder, settings.lambda);
  bind(binder, settings.plan.target);
  binder.finish();
  return binder.resolved();
}

/// Up to the first zero byte the recipe, then one override after each.
Document document_of(std::string_view text) {
  std::size_t end = std::min(text.find('\0'), text.size());
  Document document = Document::parse(text.substr(0, end), "recipe.toml");
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find('\0'), text.size());
    document.set(text.substr(0, end));
  }
  return document;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Settings settings;
  std::vector<Resolved> resolved;
  const bool bound = fuzz::takes([&] {
    const Document document = document_of(fuzz::as_text(data, size));
    resolved = bind_all(document, settings);
  });
  if (!bound) return 0;
  fuzz::require(fuzz::takes([&] {
                  Settings again;
                  const auto text = smcl::config::to_toml(resolved, true);
                  const auto same = bind_all(Document::parse(text, "config.toml"), again);
                  fuzz::require(to_toml(resolved, false) == to_toml(same, false),
                                "a stored recipe gives the same settings");
                }),
                "a stored recipe can be read");
  fuzz::takes([&] {
    settings.plan.mask.start.epoch(settings.plan.epochs);
    smcl::data::check(settings.data);
    smcl::plan::check_settings(settings.plan);
  });
  return 0;
}
