import assert from "node:assert/strict";
import { InFlight } from "../../env/serve/in_flight.ts";
import { linesOf } from "../../env/child_process.ts";
import { shutDown } from "../../tasks/_serving.ts";
import { until } from "../support/until.ts";

const never = new Promise<void>(() => {});

Deno.test("shutDown() waits for the work in progress, then briefly for open connections", async () => {
  const inFlight = new InFlight();
  const work = Promise.withResolvers<void>();
  const worked = inFlight.run(() => work.promise);
  let isOver = false;
  const over = shutDown({ shutdown: () => never }, {
    ended: inFlight.ended(),
    graceMs: 0,
  }).then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isOver, false, "work is in progress");
  work.resolve();
  await Promise.all([worked, over]);
});

Deno.test("shutDown() does not wait if all connections are closed", async () => {
  await shutDown({ shutdown: () => Promise.resolve() }, {
    ended: never,
    graceMs: 2 ** 30,
  });
});

Deno.test("InFlight counts work until it ends or fails", async () => {
  const inFlight = new InFlight();
  await inFlight.ended();
  const [one, two] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const works = [one, two].map(({ promise }) => inFlight.run(() => promise));
  let isOver = false;
  const over = inFlight.ended().then(() => isOver = true);
  one.resolve();
  await works[0];
  assert.equal(isOver, false);
  two.reject(new Error("broken"));
  await assert.rejects(works[1]!, /broken/);
  await over;
});

Deno.test("listen() continues after the limit of open files, and says what to do", async () => {
  const module = new URL("../../tasks/_serving.ts", import.meta.url);
  const program = `
    import { listen } from "${module}";
    const open = Promise.withResolvers();
    const server = listen(
      { host: "127.0.0.1", port: 0, terminal: { note: (text) => console.error(text) } },
      async ({ url }) => {
        if (url.endsWith("/wait")) {
          console.log("waiting");
          await open.promise;
        }
        if (url.endsWith("/open")) open.resolve();
        return new Response("ok");
      },
    );
    console.log(server.addr.port);
    Deno.addSignalListener("SIGINT", async () => {
      await server.shutdown();
      Deno.exit(0);
    });
  `;
  const args = [Deno.execPath(), "eval", "--quiet", program];
  await using child = new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 100; exec "$@"', "sh", ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, stderr] = [child.stdout, child.stderr]
    .map((stream) => linesOf(stream)[Symbol.asyncIterator]());
  const port = Number((await stdout!.next()).value);
  const url = `http://127.0.0.1:${port}`;
  const waiting = fetch(`${url}/wait`).then((response) => response.text());
  assert.equal((await stdout!.next()).value, "waiting");
  // Connections are refused for a moment once the limit is reached.
  const idle = await Promise.allSettled(
    Array.from({ length: 110 }, () => Deno.connect({ port })),
  );
  assert.match((await stderr!.next()).value, /^warning: .*ulimit -n$/);
  for (const one of idle) if (one.status === "fulfilled") one.value.close();
  await until(() =>
    fetch(`${url}/open`).then((response) => response.text())
      .then((text) => text === "ok", () => false)
  );
  assert.equal(await waiting, "ok", "a request in progress is completed");
  child.kill("SIGINT");
  assert.equal((await child.status).code, 0);
});
