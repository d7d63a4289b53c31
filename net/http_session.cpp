#include "net/http_session.hpp"

#include "net/connection.hpp"
#include "net/http_answer.hpp"
#include "net/http_checks.hpp"
#include "net/transport_state.hpp"
#include "raft/assert.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace raftlab::net {

namespace asio = boost::asio;

namespace {

/// Answers that are shorter are put together into one write; longer ones are written in pieces of this size.
constexpr std::size_t piece_bytes = 64U << 10U;

/// Of what is read after the last request that is taken. Who sends more is cut off.
constexpr std::size_t drained_bytes_max = 8U << 20U;

HttpStream make_stream(const HttpState& state, asio::ip::tcp::socket socket) {
  set_up(socket, state.options.write_timeout);
  if (!state.tls) return HttpStream(std::move(socket));
  return HttpStream(std::move(socket), *state.tls->listening());
}

HttpRefusal refusal_of_stranger() {
  return {403, "forbidden", "the certificate is not that of a client of this cluster"};
}

Reason reason_of(unsigned status) {
  switch (status) {
    case 403: return Reason::request_forbidden;
    case 405:
    case 415:
    case 417:
    case 501: return Reason::request_unsupported;
    case 413:
    case 414:
    case 431: return Reason::request_too_large;
    case 408: return Reason::request_timeout;
    case 503: return Reason::overloaded;
    default: return Reason::request_malformed;
  }
}

}  // namespace

HttpSession::HttpSession(std::shared_ptr<HttpState> state, asio::ip::tcp::socket socket)
    : state_(std::move(state)),
      stream_(make_stream(*state_, std::move(socket))),
      remote_(remote_of(stream_.socket())),
      tls_(state_->tls),
      parser_(state_->options.limits),
      reading_(state_->io, [this](Reason reason) { missed(reason); }),
      writing_(state_->io, [this](Reason reason) { missed(reason); }),
      room_(state_->io),
      work_(state_->io),
      waiting_since_(Clock::now()) {
  if (tls_ && !state_->options.tls->client_certificate_required)
    SSL_set_verify(stream_.session(), SSL_VERIFY_PEER, nullptr);
}

HttpSession::~HttpSession() {
  state_->bodies_bytes -= accounted_bytes_;
  state_->answers_bytes -= answers_bytes_;
}

void HttpSession::start() {
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->run(); }, rethrow);
}

// In the coroutines below what is awaited gets a name before it is looked at. With `co_await` in the condition of an `if`, g++ 12 made
// two of them into frames that begin eight bytes before where they are resumed.

void HttpSession::start_writing() {
  asio::co_spawn(
      state_->io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->write_answers(); },
      rethrow);
}

// ---- Reading ---------------------------------------------------------------------------------------------------

asio::awaitable<void> HttpSession::run() {
  const bool is_open = co_await handshake();
  if (is_open) {
    start_writing();
    co_await read_requests();
  }
  co_await drain();
  input_closed_ = true;
  if (output_closed_) close();
}

asio::awaitable<bool> HttpSession::handshake() {
  if (tls_) {
    reading_.arm(Clock::now() + state_->options.handshake_timeout, Reason::handshake_timeout);
    const boost::system::error_code error = co_await stream_.handshake();
    if (closed_) co_return false;
    if (error) {
      handshake_failed(error);
      co_return false;
    }
  }
  identify();
  co_return !closed_;
}

void HttpSession::handshake_failed(const boost::system::error_code& error) {
  const Failure failure = failure_of(error, stream_.session());
  ++state_->counters.handshake_failures[static_cast<std::size_t>(failure.reason)];
  state_->event(remote_, failure.reason, failure.detail);
  // The client gets a moment to read why.
  takes_requests_ = false;
  output_closed_ = true;
  writing_.arm(Clock::now() + state_->options.linger, Reason::stopped);
  boost::system::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void HttpSession::identify() {
  is_open_ = true;
  waiting_since_ = Clock::now();
  client_.role = state_->options.plain_role;
  if (const SSL* session = stream_.session()) {
    client_.role = ApiRole::none;
    if (const X509* certificate = SSL_get0_peer_certificate(session))
      client_ = client_of(identity_of(*certificate), state_->options.tls->self.cluster);
  }
  // The certificates may have changed during the handshake.
  if (tls_ != state_->tls) verify_again(*state_->tls);
  if (state_->stopping) finish();
}

asio::awaitable<void> HttpSession::read_requests() {
  while (!closed_) {
    const Pace pace = begin_requests();
    if (!takes_requests_) break;
    if (pace == Pace::full) {
      // The client is not to blame for what we do not read.
      reading_.disarm();
      co_await room_.wait();
      if (request_begun_) request_begun_ = Clock::now();
      if (body_begun_) body_begun_ = Clock::now();
      continue;
    }
    arm_reading();
    const TlsStream::Transferred transferred = co_await stream_.read_some(parser_.room());
    if (transferred.error) {
      input_ended(transferred.error);
      break;
    }
    if (!takes_requests_) break;
    if (!request_begun_) request_begun_ = Clock::now();
    parser_.filled(transferred.bytes);
  }
  has_to_wait_ = false;
  parser_.clear();
  account_for_body();
}

HttpSession::Pace HttpSession::begin_requests() {
  while (takes_requests_ && !closed_) {
    if (is_full()) return Pace::full;
    const HttpParser::Progress progress = has_to_wait_ ? HttpParser::Progress::complete : parser_.next();
    account_for_body();
    switch (progress) {
      case HttpParser::Progress::needs_bytes: return Pace::on;
      case HttpParser::Progress::refused:
        refuse(parser_.refusal(), reason_of(parser_.refusal().status));
        break;
      case HttpParser::Progress::head: look_at_head(); break;
      case HttpParser::Progress::complete:
        has_to_wait_ = !may_begin();
        if (has_to_wait_) return Pace::full;
        begin_request();
        break;
    }
  }
  return Pace::on;
}

/// Requests run beside each other only when all of them are safe (RFC 9112 §9.3.2): who sends a write and a read in one go means
/// the read to see the write.
bool HttpSession::may_begin() {
  const auto is_safe = [](const std::string& method) { return method == "GET" || method == "HEAD"; };
  const bool safe = is_safe(parser_.head().method);
  if (!exchanges_.empty() && !(safe && all_are_safe_)) return false;
  all_are_safe_ = safe;
  return true;
}

bool HttpSession::is_full() const {
  return exchanges_.size() >= state_->options.requests_ahead_max ||
         exchanged_bytes_ >= state_->options.bytes_ahead_max;
}

void HttpSession::look_at_head() {
  has_asked_ = true;
  body_begun_ = Clock::now();
  const HttpHead& head = parser_.head();
  head_only_ = head.method == "HEAD";
  if (client_.objection) return refuse(refusal_of_stranger(), *client_.objection);
  HttpRules rules;
  rules.tls = tls_ != nullptr;
  rules.names = state_->options.plain_names;
  if (const auto refusal = objection_to(head, rules)) return refuse(*refusal, reason_of(refusal->status));
  if (!head.has_body()) return;
  if (client_.role == ApiRole::none)
    return refuse({403, "forbidden", "without a certificate nobody sends a body"}, Reason::request_forbidden);
  if (head.find("Expect") == nullptr || parser_.unparsed() > 0) return;
  Exchange go_on;
  go_on.interim = true;
  go_on.reply.emplace();
  go_on.reply->status = 100;
  exchanges_.push_back(std::move(go_on));
  work_.notify();
}

void HttpSession::account_for_body() {
  const std::size_t now = parser_.body_bytes();
  state_->bodies_bytes += now - accounted_bytes_;  // modulo the size of the type, as it may shrink
  const bool grown = now > accounted_bytes_;
  accounted_bytes_ = now;
  if (grown && state_->bodies_bytes > state_->options.bodies_bytes_max)
    refuse({503, "overloaded", "too many bodies are on their way; nothing was done"}, Reason::overloaded);
}

void HttpSession::begin_request() {
  request_begun_.reset();
  body_begun_.reset();
  if (parser_.unparsed() > 0) request_begun_ = Clock::now();
  waiting_since_ = Clock::now();
  if (state_->ended || !takes_requests_) return;
  HttpHead& head = parser_.head();
  Exchange exchange;
  exchange.head_only = std::exchange(head_only_, false);
  exchange.bytes = parser_.body().size();
  exchanged_bytes_ += exchange.bytes;
  exchanges_.push_back(std::move(exchange));
  const std::uint64_t id = first_id_ + exchanges_.size() - 1;
  if (!head.keep_alive) takes_requests_ = false;
  ++state_->counters.requests;

  ApiRequest request;
  request.method = head.method == "HEAD" ? "GET" : head.method;
  request.target = std::move(head.target);
  request.body = parser_.take_body();
  request.role = client_.role;
  account_for_body();
  if (serve_metrics(request)) return;
  state_->api.handle(request, [weak = weak_from_this(), id](ApiReply reply) {
    if (const auto self = weak.lock()) self->answered(id, std::move(reply));
  });
}

bool HttpSession::serve_metrics(const ApiRequest& request) {
  if (!state_->options.metrics || request.target != "/metrics") return false;
  const std::uint64_t id = first_id_ + exchanges_.size() - 1;
  if (request.role == ApiRole::none) {
    answered(id, reply_of(HttpRefusal{403, "forbidden", "the certificate's role does not allow this"}));
  } else if (request.method != "GET") {
    ApiReply reply = reply_of(HttpRefusal{405, "method_not_allowed", "this path has other methods"});
    reply.headers.clear();
    reply.headers.emplace_back("Allow", "GET");
    answered(id, std::move(reply));
  } else {
    ApiReply reply;
    reply.body = state_->options.metrics();
    reply.headers.emplace_back("Content-Type", "text/plain; version=0.0.4");
    answered(id, std::move(reply));
  }
  return true;
}

void HttpSession::refuse(const HttpRefusal& refusal, Reason reason) {
  if (!takes_requests_ || closed_) return;
  takes_requests_ = false;
  reading_.disarm();
  ++state_->counters.refused[static_cast<std::size_t>(reason)];
  state_->event(remote_, reason, client_.name.empty() ? refusal.code : refusal.code + (" " + client_.name));
  Exchange exchange;
  exchange.head_only = head_only_;
  exchange.reply = reply_of(refusal);
  exchange.bytes = exchange.reply->body.size();
  exchanged_bytes_ += exchange.bytes;
  state_->answers_bytes += exchange.bytes;
  answers_bytes_ += exchange.bytes;
  exchanges_.push_back(std::move(exchange));
  room_.notify();
  work_.notify();
}

void HttpSession::input_ended(const boost::system::error_code& error) {
  input_closed_ = true;
  const bool orderly = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  // Who has said its last word may still listen.
  if (!orderly) return close();
  takes_requests_ = false;
  reading_.disarm();
  work_.notify();
}

asio::awaitable<void> HttpSession::drain() {
  std::array<std::byte, 4096> rest;
  std::size_t total = 0;
  while (!closed_ && !input_closed_ && total < drained_bytes_max) {
    const TlsStream::Transferred transferred = co_await stream_.read_some(rest);
    total += transferred.bytes;
    if (transferred.error) co_return;
  }
}

// ---- Writing ---------------------------------------------------------------------------------------------------

void HttpSession::answered(std::uint64_t id, ApiReply reply) {
  if (closed_) return;
  RAFTLAB_ASSERT(id >= first_id_ && id - first_id_ < exchanges_.size());
  Exchange& exchange = exchanges_[static_cast<std::size_t>(id - first_id_)];
  RAFTLAB_ASSERT(!exchange.reply);
  if (reply.status == 403) state_->event(remote_, Reason::request_forbidden, client_.name);
  // Only reads have long answers: what was done is never denied.
  if (reply.body.size() > piece_bytes &&
      state_->answers_bytes + reply.body.size() > state_->options.answers_bytes_max)
    reply = reply_of(HttpRefusal{503, "overloaded", "too many long answers are on their way"});
  state_->answers_bytes += reply.body.size();
  answers_bytes_ += reply.body.size();
  exchanged_bytes_ += reply.body.size() - exchange.bytes;
  exchange.bytes = reply.body.size();
  exchange.reply = std::move(reply);
  work_.notify();
}

bool HttpSession::gather() {
  out_.clear();
  body_.clear();
  while (!exchanges_.empty() && exchanges_.front().reply && out_.size() < piece_bytes && body_.empty()) {
    Exchange exchange = std::move(exchanges_.front());
    exchanges_.pop_front();
    ++first_id_;
    exchanged_bytes_ -= exchange.bytes;
    ApiReply& reply = *exchange.reply;
    ++state_->counters
          .answers[std::min<std::size_t>(reply.status / 100, state_->counters.answers.size() - 1)];
    if (exchange.interim) {
      out_ += "HTTP/1.1 100 Continue\r\n\r\n";
      continue;
    }
    for (auto& [name, value] : reply.headers)
      if (name == "Allow" && value.starts_with("GET") && !value.starts_with("GET, HEAD"))
        value.insert(3, ", HEAD");
    out_ += head_of(reply, !takes_requests_ && exchanges_.empty());
    if (exchange.head_only) continue;
    if (reply.body.size() < piece_bytes) {
      out_ += reply.body;
    } else {
      body_ = std::move(reply.body);
    }
  }
  if (out_.empty()) return false;
  room_.notify();
  return true;
}

asio::awaitable<void> HttpSession::write_answers() {
  while (!closed_) {
    if (!gather()) {
      if (!takes_requests_ && exchanges_.empty()) break;
      co_await work_.wait();
      continue;
    }
    const bool head_is_out = co_await write(out_);
    if (!head_is_out) co_return;
    const bool body_is_out = co_await write(body_);
    if (!body_is_out) co_return;
    forget_written();
    if (!exchanges_.empty()) continue;
    waiting_since_ = Clock::now();
    arm_reading();
  }
  if (closed_) co_return;
  writing_.arm(Clock::now() + state_->options.linger, Reason::stopped);
  // Said before it is done: the client may close on hearing it, which the reader is the one to notice.
  output_closed_ = true;
  co_await stream_.shut_down();
  if (input_closed_) close();
}

/// What is neither written nor being written is in the exchanges.
void HttpSession::forget_written() {
  std::size_t still = 0;
  for (const Exchange& exchange : exchanges_)
    if (exchange.reply) still += exchange.reply->body.size();
  state_->answers_bytes -= answers_bytes_ - still;
  answers_bytes_ = still;
  body_ = std::string();
}

/// In pieces, each with a deadline: who reads slowly but reads gets all of it.
asio::awaitable<bool> HttpSession::write(const std::string& bytes) {
  std::span<const std::byte> rest = std::as_bytes(std::span(bytes));
  while (!rest.empty() && !closed_) {
    const auto piece = rest.first(std::min(rest.size(), piece_bytes));
    rest = rest.subspan(piece.size());
    writing_.arm(Clock::now() + state_->options.write_timeout, Reason::write_timeout);
    const boost::system::error_code error = co_await stream_.write(piece);
    writing_.disarm();
    if (error) close();
  }
  co_return !closed_;
}

// ---- Deadlines and ends ----------------------------------------------------------------------------------------

void HttpSession::arm_reading() {
  const HttpOptions& options = state_->options;
  if (!takes_requests_ || closed_) return;
  if (body_begun_) return reading_.arm(*body_begun_ + options.body_timeout, Reason::request_timeout);
  if (request_begun_) return reading_.arm(*request_begun_ + options.header_timeout, Reason::request_timeout);
  // While it waits for an answer nobody expects anything of it.
  if (!exchanges_.empty()) return reading_.disarm();
  reading_.arm(waiting_since_ + (has_asked_ ? options.idle_timeout : options.header_timeout),
               Reason::idle_timeout);
}

void HttpSession::missed(Reason reason) {
  if (reason == Reason::request_timeout)
    return refuse({408, "timeout", "the request did not come in time"}, reason);
  if (reason == Reason::handshake_timeout) {
    ++state_->counters.handshake_failures[static_cast<std::size_t>(reason)];
    state_->event(remote_, reason, "");
  } else if (reason == Reason::write_timeout) {
    state_->event(remote_, reason, client_.name);
  } else if (reason == Reason::idle_timeout) {
    // With an orderly end.
    return finish();
  }
  close();
}

std::optional<Clock::time_point> HttpSession::idle_since() const {
  if (!is_open_ || !takes_requests_ || request_begun_ || !exchanges_.empty() || closed_) return std::nullopt;
  return waiting_since_;
}

void HttpSession::finish() {
  if (closed_ || !takes_requests_) return;
  if (!is_open_) return close();
  if (request_begun_) return refuse({503, "stopping", "this node stops; nothing was done"}, Reason::stopped);
  takes_requests_ = false;
  reading_.disarm();
  room_.notify();
  work_.notify();
}

void HttpSession::close() {
  if (std::exchange(closed_, true)) return;
  takes_requests_ = false;
  exchanges_.clear();
  reading_.disarm();
  writing_.disarm();
  stream_.close();
  room_.notify();
  work_.notify();
  state_->forget(shared_from_this());
}

void HttpSession::verify_again(const TlsContexts& contexts) {
  SSL* session = stream_.session();
  // Who has shown no certificate has none that could have become bad.
  if (!is_open_ || closed_ || session == nullptr || SSL_get0_peer_certificate(session) == nullptr) return;
  if (const std::optional<Reason> objection = contexts.objection_to(*session)) {
    state_->event(remote_, *objection, client_.name);
    close();
  }
}

}  // namespace raftlab::net
