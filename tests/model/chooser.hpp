// Chooses what to try next: mostly something that makes sense where the item stands, and often enough something that
// does not.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/reference.hpp"

namespace openindex::model {

/// Random numbers that are the same everywhere for one seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class List>
  auto one_of(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(below(std::size(list))));
  }

 private:
  std::uint64_t state_;
};

// What is tried beside the commands.
struct Create {
  NewItem item = {};
};
struct Available {};
struct Mine {};
struct DispatchRun {};  ///< As a dispatcher does it.
struct Many {           ///< Commands in one call; the item of the attempt is not used.
  std::vector<ItemCommand> commands = {};
  bool partial = false;
};

using Try = std::variant<Command, Create, Available, Mine, DispatchRun, Many>;

struct Attempt {
  Actor actor;
  ItemKey item = {};
  CallOptions call = {};
  Try what = {};
};

constexpr std::size_t kind_count = std::variant_size_v<Command> + std::variant_size_v<Try> - 1;

/// Number the kinds of attempts: the commands in their order, then the rest.
std::size_t kind_of(const Attempt& attempt);
std::string_view kind_name(std::size_t kind);

class Chooser {
 public:
  Chooser(const Reference& reference, std::uint64_t seed) : reference_(reference), dice_(seed) {}

  Attempt choose(Time now);
  /// The people that attempts name, and what they may do; of others there are some, too.
  static std::map<std::string, Role> members();
  /// How far time goes on before the next attempt; mostly not at all.
  Duration pause();

 private:
  Attempt choose_new(Time now);
  Attempt repeat();
  std::size_t any_kind();
  [[nodiscard]] bool suits(std::size_t kind, const Item& item, Time now) const;
  Command command(std::size_t kind, const Item& item, bool sound);
  Try other(std::size_t kind);
  Create create();
  Actor actor_for(std::size_t kind, const Item& item, bool sound);
  Actor any_actor(const Item& item);
  Duration hold(bool sound);
  std::string status_from(const Item& item, bool sound, bool terminal);
  ItemKey any_item();
  FieldValues fields(const Item& item, bool sound);
  UpdateItem update(bool sound);
  Migrate migrate(const Item& item, bool sound);
  std::string gate(const Item& item, bool sound);

  const Reference& reference_;
  Dice dice_;
  std::vector<Attempt> keyed_ = {};      ///< The latest attempts with an idempotency key.
  std::vector<NewItem> creations_ = {};  ///< The latest with one.
  std::uint64_t keys_ = 0;
};

}  // namespace openindex::model
