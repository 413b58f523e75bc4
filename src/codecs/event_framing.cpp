#include "codecs/event_framing.hpp"

#include <algorithm>

#include "codecs/reply_reader.hpp"

namespace openindex::codecs {
namespace {

// Lines end with CR, LF or both, as server-sent events allow.
class Lines : public EventFraming {
 public:
  explicit Lines(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  Result<void> feed(std::string_view chunk, const TakeEvent& take) final {
    while (!chunk.empty()) {
      if (after_return_ && chunk.front() == '\n') chunk.remove_prefix(1);
      after_return_ = false;
      const auto end = std::min(chunk.find_first_of("\r\n"), chunk.size());
      if (line_.size() + end + held() > bytes_max_) return misshapen("an event of the stream is too long");
      line_ += chunk.substr(0, end);
      if (end == chunk.size()) return {};
      after_return_ = chunk[end] == '\r';
      chunk.remove_prefix(end + 1);
      if (auto taken = finish_line(take); !taken) return taken.error();
    }
    return {};
  }

  Result<void> end(const TakeEvent& take) override { return line_.empty() ? Result<void>() : finish_line(take); }

 protected:
  virtual Result<void> take_line(std::string_view line, const TakeEvent& take) = 0;
  [[nodiscard]] virtual std::size_t held() const noexcept { return 0; }

 private:
  Result<void> finish_line(const TakeEvent& take) {
    auto taken = take_line(line_, take);
    line_.clear();
    return taken;
  }

  std::size_t bytes_max_;
  std::string line_;
  bool after_return_ = false;
};

class Sse final : public Lines {
 public:
  using Lines::Lines;

  // Servers forget the empty line after the last event.
  Result<void> end(const TakeEvent& take) override {
    if (auto taken = Lines::end(take); !taken) return taken.error();
    return dispatch(take);
  }

 private:
  Result<void> take_line(std::string_view line, const TakeEvent& take) override {
    constexpr std::string_view mark = "\xEF\xBB\xBF", field = "data:";
    if (first_ && line.starts_with(mark)) line.remove_prefix(mark.size());
    first_ = false;
    if (line.empty()) return dispatch(take);
    if (!line.starts_with(field)) return {};
    line.remove_prefix(field.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (has_data_) data_ += '\n';
    has_data_ = true;
    data_ += line;
    return {};
  }

  [[nodiscard]] std::size_t held() const noexcept override { return data_.size(); }

  Result<void> dispatch(const TakeEvent& take) {
    if (!has_data_) return {};
    has_data_ = false;
    const std::string data = std::move(data_);
    data_.clear();
    return take({data});
  }

  std::string data_;
  bool has_data_ = false;
  bool first_ = true;
};

class JsonLines final : public Lines {
 public:
  using Lines::Lines;

 private:
  Result<void> take_line(std::string_view line, const TakeEvent& take) override {
    return line.find_first_not_of(" \t") == std::string_view::npos ? Result<void>() : take({line});
  }
};

}  // namespace

std::unique_ptr<EventFraming> sse_framing(std::size_t event_bytes_max) {
  return std::make_unique<Sse>(event_bytes_max);
}

std::unique_ptr<EventFraming> line_framing(std::size_t event_bytes_max) {
  return std::make_unique<JsonLines>(event_bytes_max);
}

}  // namespace openindex::codecs
