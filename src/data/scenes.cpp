#include "data/scenes.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "data/scenes_fashion.h"
#include "data/scenes_object.h"
#include "data/scenes_parts.h"
#include "data/scenes_support.h"

namespace smcl::data {
namespace {

constexpr std::size_t kImageBytes = std::size_t{kSceneSize} * kSceneSize * 3;
constexpr int kPlainPerKind = 8;

/// One image before it is rendered.
struct Shot {
  std::int32_t label = 0;
  std::int32_t kind = 0;     // in epoch 0
  std::int32_t object = -1;  // also the sprite's position
  std::uint64_t stream = 0;  // index of its random streams
};

class SceneSet final : public Scenes {
 public:
  /// With `rule` each epoch draws its kinds and images anew; else all are rendered here.
  SceneSet(std::uint64_t seed, int amplitude, std::vector<Shot> shots, std::vector<Sprite> sprites,
           std::optional<KindRule> rule)
      : seed_(seed),
        amplitude_(amplitude),
        shots_(std::move(shots)),
        sprites_(std::move(sprites)),
        rule_(std::move(rule)) {
    if (rule_) return;
    pixels_.resize(shots_.size() * kImageBytes);
    for (std::size_t i = 0; i < shots_.size(); ++i) {
      render(i, 0, pixels_.data() + i * kImageBytes);
    }
  }

  std::size_t size() const override { return shots_.size(); }
  int classes() const override { return kSceneClasses; }
  std::int32_t label(std::size_t index) const override { return shots_[index].label; }
  const std::vector<std::string>& class_names() const override { return fashion_class_names(); }
  int object(std::size_t index) const override { return shots_[index].object; }

  ImageView image(std::size_t index, int epoch, std::vector<std::uint8_t>& scratch) const override {
    ImageView view{nullptr, kSceneSize, kSceneSize, 3, kSceneSize * 3};
    if (rule_) {
      scratch.resize(kImageBytes);
      render(index, epoch, scratch.data());
      view.pixels = scratch.data();
    } else {
      view.pixels = pixels_.data() + index * kImageBytes;
    }
    return view;
  }

  bool changes_by_epoch() const override { return rule_.has_value(); }

  int kind(std::size_t index, int epoch) const override {
    const Shot& shot = shots_[index];
    if (!rule_ || epoch == 0) return shot.kind;
    RandomStream stream(seed_, Purpose::scene_kinds, static_cast<std::uint32_t>(epoch),
                        shot.stream);
    return rule_->draw(shot.label, stream);
  }

  std::optional<Box> object_box(std::size_t index, int /*epoch*/) const override {
    const Sprite* sprite = sprite_of(index);
    return sprite ? sprite->box() : std::nullopt;
  }

  std::vector<std::uint8_t> object_mask(std::size_t index, int /*epoch*/) const override {
    const Sprite* sprite = sprite_of(index);
    if (!sprite) return std::vector<std::uint8_t>(kImageBytes / 3, 0);
    return sprite->mask();
  }

 private:
  const Sprite* sprite_of(std::size_t index) const {
    const int object = shots_[index].object;
    return object < 0 ? nullptr : &sprites_[static_cast<std::size_t>(object)];
  }

  void render(std::size_t index, int epoch, std::uint8_t* pixels) const {
    RandomStream stream(seed_, Purpose::scene_texture, static_cast<std::uint32_t>(epoch),
                        shots_[index].stream);
    render_scene(kind(index, epoch), stream, amplitude_, sprite_of(index), pixels);
  }

  std::uint64_t seed_;
  int amplitude_;  // 65536 is 1
  std::vector<Shot> shots_;
  std::vector<Sprite> sprites_;
  std::optional<KindRule> rule_;
  std::vector<std::uint8_t> pixels_;
};

SideRange side_range(const ScenesSettings& settings) {
  const auto pixels = [](double scale) {
    return static_cast<int>(std::floor(kItemSize * scale + 0.5));
  };
  const bool valid = settings.scale_min > 0.0 && settings.scale_min <= settings.scale_max &&
                     settings.scale_max < 2.0 && pixels(settings.scale_min) >= 4 &&
                     pixels(settings.scale_max) <= kSceneSize;
  if (!valid) {
    throw UsageError(concat("scenes.scale_min and scale_max: got ", settings.scale_min, " and ",
                            settings.scale_max, ", expected 0.13 <= min <= max <= 1.15 (4 to ",
                            kSceneSize, " pixels)"));
  }
  return {pixels(settings.scale_min), pixels(settings.scale_max)};
}

int amplitude(const ScenesSettings& settings) {
  if (!(settings.texture_amplitude >= 0.0 && settings.texture_amplitude <= 1.0)) {
    throw UsageError(
        concat("scenes.texture_amplitude: got ", settings.texture_amplitude, ", expected 0 to 1"));
  }
  return static_cast<int>(std::floor(settings.texture_amplitude * 65536.0 + 0.5));
}

/// Makes the parts of the set.
class Maker {
 public:
  explicit Maker(const ScenesSettings& settings)
      : seed_(settings.seed),
        sides_(side_range(settings)),
        amplitude_(amplitude(settings)),
        rule_(settings),
        items_(settings.fashion_dir) {}

  const KindRule& rule() const { return rule_; }

  std::shared_ptr<const Scenes> train(std::span<const int> counts) const {
    std::vector<Shot> shots;
    std::vector<Sprite> sprites;
    for (int label = 0; label < kSceneClasses; ++label) {
      const int count = counts[static_cast<std::size_t>(label)];
      add_sprites(ScenePart::train, label, count, sprites);
      for (int i = 0; i < count; ++i) {
        const auto index = stream_index(ScenePart::train, label, static_cast<std::uint32_t>(i));
        RandomStream stream(seed_, Purpose::scene_kinds, 0, index);
        shots.push_back(
            {label, rule_.draw(label, stream), static_cast<std::int32_t>(shots.size()), index});
      }
    }
    return set(std::move(shots), std::move(sprites),
               rule_.resampled() ? std::optional(rule_) : std::nullopt);
  }

  /// Every object over every kind, an object's images side by side.
  std::shared_ptr<const Scenes> paired(ScenePart part, int objects) const {
    std::vector<Shot> shots;
    std::vector<Sprite> sprites;
    for (int label = 0; label < kSceneClasses; ++label) {
      for (int i = 0; i < objects; ++i) {
        for (int kind = 0; kind < kSceneKinds; ++kind) {
          const auto number = static_cast<std::uint32_t>(i * kSceneKinds + kind);
          shots.push_back({label, kind, label * objects + i, stream_index(part, label, number)});
        }
      }
      add_sprites(part, label, objects, sprites);
    }
    return set(std::move(shots), std::move(sprites), std::nullopt);
  }

  std::shared_ptr<const Scenes> plain() const {
    std::vector<Shot> shots;
    for (int i = 0; i < kSceneKinds * kPlainPerKind; ++i) {
      shots.push_back({0, i / kPlainPerKind, -1,
                       stream_index(ScenePart::plain, 0, static_cast<std::uint32_t>(i))});
    }
    return set(std::move(shots), {}, std::nullopt);
  }

 private:
  std::shared_ptr<const Scenes> set(std::vector<Shot> shots, std::vector<Sprite> sprites,
                                    std::optional<KindRule> rule) const {
    return std::make_shared<SceneSet>(seed_, amplitude_, std::move(shots), std::move(sprites),
                                      std::move(rule));
  }

  void add_sprites(ScenePart part, int label, int count, std::vector<Sprite>& sprites) const {
    const std::size_t available = items_.count(part, label);
    if (static_cast<std::size_t>(count) > available) {
      throw DataError(concat("scenes: ", count, " objects of class ", label, " (",
                             fashion_class_names()[static_cast<std::size_t>(label)],
                             ") asked for, Fashion-MNIST has ", available, " for ",
                             part == ScenePart::train  ? "training: lower data.n_max, or its count"
                             : part == ScenePart::test ? "the test set: lower scenes.test_objects"
                                                       : "validation: lower scenes.val_objects"));
    }
    std::vector<std::uint32_t> order(available);
    std::iota(order.begin(), order.end(), 0U);
    RandomStream chooser(seed_, Purpose::scene_objects, 0, stream_index(part, label, 0));
    shuffle(std::span(order), chooser);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      RandomStream pose(seed_, Purpose::scene_pose, 0,
                        stream_index(part, label, static_cast<std::uint32_t>(i)));
      sprites.push_back(make_sprite(items_.item(part, label, order[i]), sides_, pose));
    }
  }

  std::uint64_t seed_;
  SideRange sides_;
  int amplitude_;
  KindRule rule_;
  FashionItems items_;
};

void check_counts(const ScenesSettings& settings, std::span<const int> counts) {
  if (counts.size() != kSceneClasses) {
    throw UsageError(concat("scenes: ", counts.size(), " class counts, expected ", kSceneClasses));
  }
  for (const int count : counts) {
    if (count < 0) throw UsageError(concat("scenes: a class count is ", count, ", expected >= 0"));
  }
  if (settings.test_objects < 1) {
    throw UsageError(
        concat("scenes.test_objects: got ", settings.test_objects, ", expected 1 or more"));
  }
  if (settings.val_objects < 0) {
    throw UsageError(concat("scenes.val_objects: got ", settings.val_objects,
                            ", expected 0 (no validation set) or more"));
  }
}

}  // namespace

void bind(config::Binder& binder, ScenesSettings& settings) {
  const config::Signature::Argument kinds{"preferred", 4, 1, kSceneKinds};
  binder.field("scenes.seed", settings.seed, {0.0, 9.0e15},
               "seed of objects, kinds, poses and textures");
  binder.field("scenes.support", settings.support,
               {{"context", {{"alpha", 0.6, 0, 1}, kinds}},
                {"independent", {}},
                {"resampled", {{"alpha", 0.0, 0, 1}, kinds}},
                {"scarce", {{"kinds", 4, 1, kSceneKinds}}}},
               "how background kinds go with classes in training");
  binder.field("scenes.kind_zipf", settings.kind_zipf, {0.0, 10.0},
               "exponent of a long tail of kinds; 0 = all alike");
  binder.field("scenes.scale_min", settings.scale_min, {0.13, 1.15},
               "smallest object, of 28 pixels");
  binder.field("scenes.scale_max", settings.scale_max, {0.13, 1.15},
               "largest object, of 28 pixels");
  binder.field("scenes.texture_amplitude", settings.texture_amplitude, {0.0, 1.0},
               "strength of the texture, of +-127 grey levels");
  binder.field("scenes.test_objects", settings.test_objects, {1.0, 1000.0},
               "test objects a class, each over all kinds");
  binder.field("scenes.val_objects", settings.val_objects, {0.0, 1000.0},
               "validation objects a class, each over all kinds; 0 = no validation set");
  binder.field("scenes.fashion_dir", settings.fashion_dir,
               "folder of Fashion-MNIST (Debian package dataset-fashion-mnist)");
}

SceneSets make_scenes(const ScenesSettings& settings, std::span<const int> counts) {
  check_counts(settings, counts);
  const Maker maker(settings);
  SceneSets sets;
  sets.train = maker.train(counts);
  if (settings.val_objects > 0) {
    sets.validation = maker.paired(ScenePart::validation, settings.val_objects);
  }
  sets.test = maker.paired(ScenePart::test, settings.test_objects);
  sets.backgrounds = maker.plain();
  sets.truth.preferred = maker.rule().preferred();
  sets.truth.seen.resize(kSceneClasses);
  for (std::size_t i = 0; i < sets.train->size(); ++i) {
    const auto label = static_cast<std::size_t>(sets.train->label(i));
    ++sets.truth.seen[label][static_cast<std::size_t>(sets.train->kind(i, 0))];
  }
  return sets;
}

}  // namespace smcl::data
