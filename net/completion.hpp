#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <memory>
#include <utility>

namespace raftlab::net {

/// An operation whose result comes later, for any of Asio's completion tokens: `initiate` is called with a copyable function
/// that takes the result, which it passes to the handler on the handler's executor (`fallback` when it has none). The
/// executor is kept busy until then.
template <class Signature, class Token, class Initiate>
auto complete(Token&& token, const boost::asio::any_io_executor& fallback, Initiate initiate) {
  return boost::asio::async_initiate<Token, Signature>(
      [fallback, initiate = std::move(initiate)](auto handler) mutable {
        auto executor = boost::asio::prefer(boost::asio::get_associated_executor(handler, fallback),
                                            boost::asio::execution::outstanding_work.tracked);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        initiate([shared, executor = std::move(executor)](const auto& result) {
          boost::asio::dispatch(executor,
                                [shared, result]() mutable { std::move (*shared)(std::move(result)); });
        });
      },
      token);
}

}  // namespace raftlab::net
