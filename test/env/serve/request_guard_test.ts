import assert from "node:assert/strict";
import { Hono } from "hono";
import { guard } from "../../../env/serve/request_guard.ts";
import { answerErrors } from "../../../env/serve/http_errors.ts";

/** Sends a request to a guarded app, and returns the status and the text of the response. */
async function ask(
  url: string,
  { token, ...init }: RequestInit & { token?: string } = {},
): Promise<[status: number, text: string]> {
  const app = new Hono();
  guard(app, { token });
  answerErrors(app);
  app.all("*", (c) => c.text("served"));
  const response = await app.request(url, init);
  return [response.status, await response.text()];
}

const JSON_TYPE = { "content-type": "application/json" };

Deno.test("guard() accepts requests from programs on this machine", async () => {
  for (const host of ["127.0.0.1:8400", "localhost:8400", "[::1]:8400"]) {
    const init = { method: "POST", headers: JSON_TYPE, body: "{}" };
    assert.deepEqual(await ask(`http://${host}/episodes`, init), [
      200,
      "served",
    ]);
    assert.deepEqual(await ask(`http://${host}/health`), [200, "served"]);
  }
});

Deno.test("guard() rejects other host names unless there is a token", async () => {
  for (
    const host of [
      "evil.example:8400",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
    ]
  ) {
    const [status, text] = await ask(`http://${host}/episodes`);
    assert.equal(status, 421, host);
    assert.match(text, /address this server as 127\.0\.0\.1 or localhost/);
    assert.equal((await ask(`http://${host}/`, { token: "t" }))[0], 200);
  }
});

Deno.test("guard() rejects pages of other origins unless there is a token", async () => {
  const url = "http://127.0.0.1:8400/abort_request";
  for (
    const origin of ["https://evil.example", "http://127.0.0.1:9000", "null"]
  ) {
    const headers = { ...JSON_TYPE, origin };
    const [status, text] = await ask(url, {
      method: "POST",
      headers,
      body: "{}",
    });
    assert.equal(status, 403, origin);
    assert.match(text, /may not access this server/);
    assert.equal((await ask(url, { headers, token: "t" }))[0], 200);
  }
  const own = { origin: "http://127.0.0.1:8400" };
  assert.equal((await ask(url, { headers: own }))[0], 200);
});

Deno.test("guard() rejects bodies that a form could send", async () => {
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
  ];
  for (const type of types) {
    const init = {
      method: "POST",
      headers: { "content-type": type },
      body: "{}",
    };
    const [status, text] = await ask("http://localhost/flush_cache", init);
    assert.equal(status, 415, type);
    assert.match(text, /content type must be application\/json/);
  }
  const json = { "content-type": "application/json; charset=utf-8" };
  assert.equal(
    (await ask("http://localhost/", {
      method: "POST",
      headers: json,
      body: "{}",
    }))[0],
    200,
  );
});
