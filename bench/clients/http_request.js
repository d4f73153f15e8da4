// http_request.js ADDRESS PORT CONNECT_MS READ_MS: one request by Node.js's http.request, with the timeout of its
// socket. It says how it went; exit 0 if it was answered.
const http = require('node:http');

const [host, port, connectMs, readMs] = process.argv.slice(2);

function end(text, code) {
  console.log(text);
  process.exitCode = code;
}

const request = http.request({ host, port, agent: false });
request.on('socket', (socket) => {
  socket.setTimeout(Number(connectMs), () => request.destroy(new Error('timeout')));
  socket.on('connect', () => socket.setTimeout(Number(readMs)));
});
request.on('response', (response) => {
  response.resume();
  response.on('end', () => end('answered', 0));
});
request.on('error', (error) => end(error.code ?? error.message, 1));
request.end();
