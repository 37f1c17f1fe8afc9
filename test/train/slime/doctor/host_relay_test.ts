import assert from "node:assert/strict";
import { RayError } from "../../../../env/errors.ts";
import { openRelay } from "../../../../train/slime/doctor/host_relay.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { RayJobs } from "../../../../train/slime/launch/ray_jobs.ts";
import { pathServer } from "../../../support/doctor.ts";
import { testPython, withoutPython } from "../../../support/python.ts";

const ignore = withoutPython();
const python = testPython() ?? "python3";

Deno.test({
  name:
    "openRelay() forwards GET requests with path, query and token, and returns the response (needs Python)",
  ignore,
  fn: async () => {
    await using server = pathServer({
      "/a/b": (request: Request) =>
        Response.json({
          query: new URL(request.url).search,
          token: request.headers.get("authorization"),
        }),
      "/api/version": { ray_version: "2.49.2", session_name: null },
    });
    await using relay = openRelay(localShell(), { python });
    const base = relay.urlFor(server.url);
    const answer = await fetch(`${base}/a/b?c=d`, {
      headers: { authorization: "Bearer t" },
    });
    assert.deepEqual(await answer.json(), { query: "?c=d", token: "Bearer t" });
    const missing = await fetch(`${base}/none`);
    assert.equal(missing.status, 404);
    assert.equal(await missing.text(), "no such page");
    const jobs = new RayJobs({ url: base, retries: 0 });
    assert.equal((await jobs.version()).version, "2.49.2");
  },
});

Deno.test({
  name:
    "openRelay() breaks the connection if the host cannot reach the server, and reports the host's URL (needs Python)",
  ignore,
  fn: async () => {
    await using relay = openRelay(localShell(), { python });
    const jobs = new RayJobs({
      url: relay.urlFor("http://127.0.0.1:1"),
      retries: 0,
    });
    const error = await jobs.version().catch((error: unknown) => error);
    assert.ok(error instanceof RayError);
    assert.equal(error.kind, "unreachable");
    assert.match(
      relay.readable(error.message),
      /Ray at http:\/\/127\.0\.0\.1:1 cannot be reached/,
    );
  },
});

Deno.test("openRelay() breaks the connection if the host has no Python", async () => {
  await using relay = openRelay(localShell(), { python: "no-such-python" });
  await assert.rejects(async () => {
    const response = await fetch(`${relay.urlFor("http://127.0.0.1:1")}/x`);
    await response.text();
  });
});
