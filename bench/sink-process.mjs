/** The server process of the bench: says yes, and does as little as it can. */
import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";
import process from "node:process";

/** Answers commands, and after DATA waits for the dot on a line of its own. */
function smtp() {
  return createServer((socket) => {
    let inText = false;
    let rest = "";
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.write("220 bench\r\n");
    socket.on("data", (chunk) => {
      rest += chunk.toString("latin1");
      for (;;) {
        if (inText) {
          const end = rest.indexOf("\r\n.\r\n");
          if (end < 0) {
            rest = rest.slice(-4);
            return;
          }
          rest = rest.slice(end + 5);
          inText = false;
          socket.write("250 taken\r\n");
        }
        const end = rest.indexOf("\r\n");
        if (end < 0) return;
        const command = rest.slice(0, 4).toUpperCase();
        rest = rest.slice(end + 2);
        if (command === "DATA") {
          inText = true;
          // The line ends before the first line of the text belong to the search for the dot.
          rest = `\r\n${rest}`;
          socket.write("354 go on\r\n");
        } else if (command === "QUIT") socket.end("221 bye\r\n");
        else socket.write(command === "EHLO" ? "250-bench\r\n250 8BITMIME\r\n" : "250 yes\r\n");
      }
    });
  });
}

/** By path: what the provider answers to an accepted mail. */
const answers = [
  [/^\/v3\/mail\/send$/, 202, ""],
  [/^\/v3\/[^/]+\/messages$/, 200, '{"id":"<1@mailgun>","message":"Queued. Thank you."}'],
  [/^\/v2\/email\/outbound-emails$/, 200, '{"MessageId":"1"}'],
  [/^\/email$/, 200, '{"To":"","SubmittedAt":"2026-01-01T00:00:00Z","MessageID":"1","ErrorCode":0,"Message":"OK"}'],
  [/^\/emails$/, 200, '{"id":"1"}'],
];

function http() {
  const server = createHttp((request, response) => {
    const path = String(request.url).split("?")[0] ?? "";
    const [, status, body] = answers.find(([pattern]) => /** @type {RegExp} */ (pattern).test(path)) ?? ["", 404, "{}"];
    request.resume();
    request.on("end", () => {
      response.writeHead(Number(status), { "content-type": "application/json", "x-message-id": "1" });
      response.end(String(body));
    });
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

const server = process.argv[2] === "smtp" ? smtp() : http();
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" && address ? address.port : 0);
});
process.on("disconnect", () => process.exit());
