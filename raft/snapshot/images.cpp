#include "raft/snapshot/images.hpp"

#include "raft/snapshot/names.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace raftlab::raft::snapshot {

std::optional<Image> judge(std::vector<std::byte> bytes, LogId last, std::uint64_t cluster,
                           std::vector<std::byte>* content) {
  Verifier verifier(cluster);
  if (!verifier.feed(bytes, content) || !verifier.complete() || verifier.header()->last != last)
    return std::nullopt;
  return Image{*verifier.header(), verifier.checksum(), std::move(bytes)};
}

std::optional<Image> Images::read(LogId last, std::vector<std::byte>* content) const {
  auto file = disk_->read(finished_name(last));
  auto* bytes = std::get_if<std::vector<std::byte>>(&file);
  if (bytes == nullptr) return std::nullopt;
  return judge(std::move(*bytes), last, cluster_, content);
}

const Image* Images::get(LogId last) {
  const auto found =
      std::ranges::find_if(kept_, [&](const Image& image) { return image.header.last == last; });
  if (found != kept_.end()) {
    std::rotate(found, found + 1, kept_.end());
    return &kept_.back();
  }
  // Room first: at no time are there more than may be kept.
  if (kept_.size() == kept_max) kept_.erase(kept_.begin());
  auto image = read(last);
  if (!image) return nullptr;
  kept_.push_back(std::move(*image));
  return &kept_.back();
}

void Images::forget(LogId last) {
  std::erase_if(kept_, [&](const Image& image) { return image.header.last == last; });
}

}  // namespace raftlab::raft::snapshot
