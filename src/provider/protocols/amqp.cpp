// AMQP 0-9-1: Start, Start-Ok with PLAIN, Tune, Open of the virtual host. Frames are type, channel, size, payload,
// 0xCE.
#include <utility>

#include "provider/probe_result.hpp"
#include "provider/protocols/protocol_probe.hpp"
#include "provider/protocols/wire.hpp"
#include "provider/provider_config.hpp"

namespace openindex::providers {
namespace {

constexpr std::uint32_t frame_bytes_max = 131'072;
constexpr std::uint32_t connection_class = 10;
constexpr char frame_end = static_cast<char>(0xCE);

enum Method : std::uint32_t { start = 10, start_ok = 11, tune = 30, tune_ok = 31, open = 40, open_ok = 41, close = 50 };

std::string short_text(std::string_view text) {
  return big_endian(static_cast<std::uint32_t>(text.size()), 1) + std::string(text);
}

std::string long_text(std::string_view text) {
  return big_endian(static_cast<std::uint32_t>(text.size()), 4) + std::string(text);
}

std::string frame(Method method, const std::string& arguments) {
  const std::string payload = big_endian(connection_class, 2) + big_endian(method, 2) + arguments;
  return std::string("\x01\0\0", 3) + long_text(payload) + frame_end;
}

// A server that is asked to says that it refuses a login; others hang up.
std::string login(const Values& values) {
  const std::string capability = short_text("authentication_failure_close") + "t\x01";
  const std::string properties = short_text("capabilities") + "F" + long_text(capability);
  const std::string plain =
      std::string(1, '\0') + std::string(values["user"]) + std::string(1, '\0') + std::string(values["password"]);
  return frame(start_ok, long_text(properties) + short_text("PLAIN") + long_text(plain) + short_text("en_US"));
}

struct Said {
  std::uint32_t method = 0;
  std::uint32_t code = 0;  ///< Of a close.
  std::string arguments = {};
};

Error wrong_frame() { return errc::provider_malformed_reply; }

Result<Said> read_frame(Wire& wire) {
  for (int frames = 0; frames < 20; ++frames) {
    const auto head = wire.read(7);
    if (!head) return head.error();
    if (head->starts_with("AMQP")) return wrong_frame();  // the versions that it would rather speak
    const std::uint32_t size = big_endian(*head, 3, 4);
    if (size > frame_bytes_max) return wrong_frame();
    const auto payload = wire.read(size + 1);
    if (!payload) return payload.error();
    if (payload->back() != frame_end) return wrong_frame();
    if ((*head)[0] == 8) continue;  // a heartbeat
    if ((*head)[0] != 1 || size < 4 || big_endian(*payload, 0, 2) != connection_class) return wrong_frame();
    Said said{big_endian(*payload, 2, 2), 0, payload->substr(4, size - 4)};
    if (said.method == close && size >= 6) said.code = big_endian(*payload, 4, 2);
    return said;
  }
  return wrong_frame();
}

ProviderTest wrong_server() {
  return answered(false, false, errc::provider_malformed_reply,
                  "Something answers, but not as an AMQP 0-9-1 broker does; check endpoint, port and protocol.");
}

ProviderTest refused() {
  return answered(false, true, errc::provider_unauthorized,
                  "The broker refuses the credential; set user and password anew.");
}

ProviderTest turned_away() {
  return answered(false, true, errc::provider_overloaded,
                  "The broker takes no connections at the moment; try again later.");
}

ProviderTest talk(Wire& wire, const Values& values) {
  const auto failed = [](const Error& error) {
    return error.code() == errc::provider_malformed_reply ? wrong_server() : talk_failed(error);
  };
  if (auto sent = wire.write(std::string_view("AMQP\0\0\x09\x01", 8)); !sent) return failed(sent.error());
  const auto started = read_frame(wire);
  if (!started) return failed(started.error());
  if (started->method != start) return wrong_server();
  if (auto sent = wire.write(login(values)); !sent) return failed(sent.error());
  const auto tuned = read_frame(wire);
  if (!tuned && tuned.error().code() == errc::http_interrupted) return refused();
  if (!tuned) return failed(tuned.error());
  if (tuned->method == close) return tuned->code == 403 ? refused() : turned_away();
  if (tuned->method != tune || tuned->arguments.size() < 8) return wrong_server();
  const std::string sizes = tuned->arguments.substr(0, 6) + big_endian(0, 2);  // as it likes them, without heartbeats
  const std::string place = short_text(values["namespace"]) + short_text("") + std::string(1, '\0');
  if (auto sent = wire.write(frame(tune_ok, sizes) + frame(open, place)); !sent) return failed(sent.error());
  const auto opened = read_frame(wire);
  if (!opened && opened.error().code() != errc::http_interrupted) return failed(opened.error());
  if (opened && opened->method == open_ok) {
    static_cast<void>(wire.write(frame(close, big_endian(200, 2) + short_text("bye") + big_endian(0, 4))).has_value());
    return accepted();
  }
  if (opened && opened->method == close && opened->code != 403 && opened->code != 530) return turned_away();
  return answered(true, false, errc::provider_rejected_request,
                  "The broker accepts the credential, but not for this virtual host; check namespace.");
}

}  // namespace

Result<ProviderTest> probe_amqp(const Values& values, Connector& connector) {
  const bool tls = is_same(values["protocol"], "amqps") || values["endpoint"].starts_with("amqps://");
  const auto place = first_place(values["endpoint"], read_port(values["port"]).value_or(tls ? 5671 : 5672));
  if (!place) return place.error();
  if (values["namespace"].size() > 255) return Error(errc::invalid_argument, "A virtual host has at most 255 bytes");
  auto connection = connector.open({.host = place->host, .port = place->port, .tls = tls});
  if (!connection) return unreached(connection.error().code());
  Wire wire(std::move(*connection));
  return talk(wire, values);
}

}  // namespace openindex::providers
