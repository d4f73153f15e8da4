// SPDX-License-Identifier: MIT
#include "http_get.hpp"

#include <chrono>
#include <exception>
#include <utility> // Boost.Asio 1.74 uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace brownout::target {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Protocol = asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol>;

constexpr std::chrono::seconds kConnectTimeout{2}, kTimeout{10};
constexpr std::size_t kMaxReplyBytes = std::size_t{4} << 20;

asio::awaitable<HttpReply> exchange(const std::string& socket, const std::string& path) {
  Stream stream{co_await asio::this_coro::executor};
  stream.expires_after(kConnectTimeout);
  co_await stream.async_connect(Protocol::endpoint{socket}, asio::use_awaitable);

  http::request<http::empty_body> request{http::verb::get, path, 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::accept, "*/*");
  request.set(http::field::connection, "close");
  stream.expires_after(kTimeout);
  co_await http::async_write(stream, request, asio::use_awaitable);

  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxReplyBytes);
  beast::flat_buffer buffer;
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
  co_return HttpReply{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
}

}  // namespace

HttpReply http_get(const std::string& socket, const std::string& path) {
  HttpReply reply;
  std::exception_ptr failure;
  asio::io_context context{1};
  // The library reports by exception; here its reach ends.
  asio::co_spawn(context, exchange(socket, path), [&](std::exception_ptr thrown, HttpReply got) {
    failure = std::move(thrown);
    reply = std::move(got);
  });
  try {
    context.run();
    if (failure) std::rethrow_exception(failure);
  } catch (const beast::system_error& error) {
    reply.problem = error.code().message();
  } catch (const std::exception& error) {
    reply.problem = error.what();
  }
  return reply;
}

}  // namespace brownout::target
