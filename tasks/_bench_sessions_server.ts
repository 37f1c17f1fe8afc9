/**
 * Runs the environment server of the session benchmark in a worker, so that its work and heap are separate from the
 * client's. For comparison, the route `/plain` reads a body and answers with the given number of bytes, without an
 * environment.
 */

/// <reference lib="webworker" />

import { generated } from "../env/generated/generated.ts";
import { environmentApp } from "../env/serve/environment/environment_app.ts";
import { LiveSessions } from "../env/serve/environment/live_sessions.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { heapBytes } from "./_bench_measure.ts";

declare const self: DedicatedWorkerGlobalScope;

self.onmessage = async () => {
  const dataset = await generated(1);
  const sessions = new LiveSessions({
    dataset,
    user: scriptedUser(dataset),
    split: "test",
    seed: 1,
    maxTurns: 30,
  });
  const app = environmentApp({ sessions, version: "bench" });
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const at = request.url.indexOf("/plain?");
    if (at === -1) return await app.fetch(request);
    await request.json();
    const content = "x".repeat(Number(request.url.slice(at + 7)));
    return Response.json({ content });
  });
  self.postMessage({ port: server.addr.port });
  self.onmessage = () => self.postMessage({ heap: heapBytes() });
};
