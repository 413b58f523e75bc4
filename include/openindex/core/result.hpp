// Result<T>: a value or an Error, with the names of std::expected.
//
// Every public operation that can fail returns one, and dropping it warns. Ask with `if (!result)`, then read
// `*result` or `result.error()`. Reading the wrong side is a broken precondition: `*result` asserts,
// `value()` throws `BadResult`, which is the only exception the library throws on purpose.
// Of a temporary, `*` and `value()` give the value itself and not a reference into it, so that
// `for (auto& entry : engine.audit(me, key).value())` is safe; std::expected is not.
//
// Thread safety: as for T.
#pragma once

#include <cassert>
#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <openindex/core/error.hpp>

namespace openindex {
inline namespace v0 {

/// Thrown by `value()` on an error, and by nothing else.
class BadResult : public std::exception {
 public:
  explicit BadResult(Error error) : error_(std::move(error)) {}
  [[nodiscard]] const char* what() const noexcept override { return error_.message().c_str(); }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;

  template <class U = T>
  requires std::constructible_from<T, U&&> &&(!std::same_as<std::remove_cvref_t<U>, Result>)&&(
      !std::same_as<std::remove_cvref_t<U>, Error>)&&(!std::same_as<std::remove_cvref_t<U>, errc>)Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}            // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result(errc code) : Result(Error(code)) {}                                 // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& operator*() & noexcept { return *get(); }
  [[nodiscard]] const T& operator*() const& noexcept { return *get(); }
  [[nodiscard]] T operator*() && { return std::move(*get()); }
  [[nodiscard]] T* operator->() noexcept { return get(); }
  [[nodiscard]] const T* operator->() const noexcept { return get(); }

  [[nodiscard]] T& value() & { return require(), *get(); }
  [[nodiscard]] const T& value() const& { return require(), *get(); }
  [[nodiscard]] T value() && { return require(), std::move(*get()); }

  [[nodiscard]] const Error& error() const& noexcept {
    assert(!has_value() && "error() of a Result that has a value");
    return *std::get_if<1>(&state_);
  }

  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return has_value() ? std::move(*get()) : static_cast<T>(std::forward<U>(other));
  }

  template <class F>
  [[nodiscard]] auto and_then(F&& next) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return error();
    return std::invoke(std::forward<F>(next), std::move(*get()));
  }
  template <class F>
  [[nodiscard]] auto transform(F&& next) && -> Result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
    if (!has_value()) return error();
    return std::invoke(std::forward<F>(next), std::move(*get()));
  }
  template <class F>
  [[nodiscard]] Result or_else(F&& otherwise) && {
    if (has_value()) return std::move(*this);
    return std::invoke(std::forward<F>(otherwise), error());
  }

 private:
  T* get() noexcept {
    assert(has_value() && "value of a Result that holds an error");
    return std::get_if<0>(&state_);
  }
  const T* get() const noexcept {
    assert(has_value() && "value of a Result that holds an error");
    return std::get_if<0>(&state_);
  }
  void require() const {
    if (!has_value()) throw BadResult(error());
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Error;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result(errc code) : error_(Error(code)) {}         // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) throw BadResult(*error_);
  }
  [[nodiscard]] const Error& error() const& noexcept {
    assert(error_ && "error() of a Result that has a value");
    return *error_;
  }
  template <class F>
  [[nodiscard]] auto and_then(F&& next) && -> std::invoke_result_t<F> {
    if (error_) return *error_;
    return std::invoke(std::forward<F>(next));
  }

 private:
  std::optional<Error> error_;
};

}  // namespace v0
}  // namespace openindex
