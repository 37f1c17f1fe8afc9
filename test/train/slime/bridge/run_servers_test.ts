import assert from "node:assert/strict";
import { join } from "node:path";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import {
  type ServiceEvent,
  startServices,
  stopServices,
} from "../../../../train/slime/bridge/run_servers.ts";
import {
  tinyTokenizerFiles,
  writeModelDir,
  writeSlimeRecipe,
} from "../../../support/slime_recipe.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const files = await tinyTokenizerFiles();

/** Starts the servers of a run on free ports, and records their events. */
async function start(
  dir: string,
  more: Partial<Parameters<typeof startServices>[1]> = {},
) {
  const model = join(dir, "model");
  await writeModelDir(model, files);
  const recipePath = await writeSlimeRecipe(dir, { model });
  const { config } = resolveSlime({
    name: "r",
    text: await Deno.readTextFile(recipePath),
  });
  const events: ServiceEvent[] = [];
  const waiting: { type: string; resolve: () => void }[] = [];
  const services = await startServices(config, {
    recipePath,
    overrides: ["rollout.maxTurns=2"],
    logDir: join(dir, "logs"),
    port: 0,
    onEvent(event) {
      events.push(event);
      for (const { type, resolve } of waiting) {
        if (type === event.type) resolve();
      }
    },
    ...more,
  });
  return {
    services,
    events,
    next: (type: string) =>
      new Promise<void>((resolve) => waiting.push({ type, resolve })),
  };
}

async function health(url: string): Promise<Record<string, unknown>> {
  return await (await fetch(`${url}/health`)).json();
}

Deno.test("startServices() starts as many servers as the recipe says, and stops them", () =>
  inTempDir(async (dir) => {
    const { services } = await start(dir);
    assert.equal(services.urls.length, 2);
    for (const url of services.urls) {
      const info = await (await fetch(`${url}/info`)).json();
      assert.equal(info.max_turns, 2);
      assert.equal((await health(url)).status, "ok");
    }
    await services[Symbol.asyncDispose]();
    for (const url of services.urls) {
      await assert.rejects(fetch(`${url}/health`));
    }
  }));

Deno.test("startServices() restarts a server that was killed, at its address", () =>
  inTempDir(async (dir) => {
    const { services, events, next } = await start(dir);
    await using _ = services;
    const [killed, other] = services.records;
    const again = next("ready");
    Deno.kill(killed!.pid, "SIGKILL");
    await again;
    assert.deepEqual(events.slice(-2).map(({ type }) => type), [
      "died",
      "ready",
    ]);
    const [back] = services.records;
    assert.equal(back!.url, killed!.url);
    assert.notEqual(back!.pid, killed!.pid);
    assert.equal((await health(back!.url)).pid, back!.pid);
    assert.deepEqual(services.records[1], other);
  }));

Deno.test("startServices() takes over servers that an earlier process left running, and stopServices() ends only those", () =>
  inTempDir(async (dir) => {
    const first = await start(dir);
    const { records } = first.services;
    first.services.leave();
    await first.services[Symbol.asyncDispose]();
    assert.equal((await health(records[0]!.url)).status, "ok");
    const second = await start(dir, { adopt: records });
    assert.deepEqual(second.services.records, records);
    second.services.leave();
    const strangers = records.map((record) => ({
      ...record,
      instance: "another",
    }));
    assert.deepEqual(await stopServices(strangers), []);
    assert.equal((await health(records[0]!.url)).status, "ok");
    assert.deepEqual(await stopServices(records), records);
    assert.deepEqual(await stopServices(records), []);
  }));

Deno.test("startServices() says why a server did not start, and leaves none running", () =>
  inTempDir(async (dir) => {
    await assert.rejects(
      start(dir, { overrides: ["model.directory=not-there"] }),
      /exited with status 1 before it was ready[^]*not-there/,
    );
    await using taken = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
    }, () => new Response());
    await assert.rejects(start(dir, { port: taken.addr.port }), /is in use/);
    const stopped = AbortSignal.timeout(50);
    await assert.rejects(start(dir, { signal: stopped }), {
      name: "TimeoutError",
    });
  }));

Deno.test("startServices() uses servers that already run, if they answer", () =>
  inTempDir(async (dir) => {
    await using running = await start(dir).then(({ services }) => services);
    const text = (services: readonly string[]) =>
      JSON.stringify({ trainer: "slime", bridge: { services } });
    const options = { recipePath: "", overrides: [], logDir: dir };
    const { config } = resolveSlime({ name: "r", text: text(running.urls) });
    {
      await using services = await startServices(config, options);
      assert.deepEqual(services.urls, running.urls);
    }
    assert.equal((await health(running.urls[0]!)).status, "ok");
    const { config: none } = resolveSlime({
      name: "r",
      text: text(["http://127.0.0.1:1"]),
    });
    await assert.rejects(
      startServices(none, options),
      /No episode server answers at/,
    );
  }));
