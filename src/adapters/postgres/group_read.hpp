// Many callers, one question: reads that meet while the server is busy with others are asked together.
//
// A read of a record or two costs server and client far more for the round trip than for the record. Whoever finds few
// others reading asks on its own thread, and a lone caller waits for nobody; those who come meanwhile are taken along
// by the next one. Reads of many records go by themselves: nobody shall wait for those.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <openindex/storage/storage.hpp>

#include "adapters/postgres/pool.hpp"
#include "adapters/postgres/rows.hpp"

namespace openindex::postgres {

class GroupRead {
 public:
  using Records = std::vector<std::optional<Record>>;

  GroupRead(const Statements& statements, Pool& pool) : statements_(statements), pool_(pool) {}

  /// Read versions and bodies of records of one domain, all of one moment. @pre `names_in_domain` names them
  /// @par Errors storage
  Result<Records> read(std::span<const RecordId> ids);

 private:
  /// Shared with who reads, whose news may come after the caller has gone.
  struct Call {
    enum class News { none, answered, lead };

    std::span<const RecordId> ids;
    std::mutex mutex;
    std::condition_variable told;
    News news = News::none;
    std::optional<Result<Records>> answer;

    void tell(News its_news);
    News wait();
  };
  using CallPtr = std::shared_ptr<Call>;

  Result<Records> ask(std::span<const RecordId> ids);
  std::vector<CallPtr> take_group(const CallPtr& mine);
  void lead(const CallPtr& mine);
  void pass_on();

  const Statements& statements_;
  Pool& pool_;
  std::mutex mutex_;
  std::deque<CallPtr> waiting_;
  std::size_t readers_ = 0;  ///< Who ask, or were told to.
};

}  // namespace openindex::postgres
