import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openDataset } from "../../../../train/config/open_dataset.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { startServices } from "../../../../train/slime/bridge/run_servers.ts";
import { TINY_CONFIG } from "../../../support/policy_run.ts";
import { withoutPython } from "../../../support/python.ts";
import {
  checkSample,
  type RolloutEvent,
  runRollouts,
  servePolicy,
  serveRouter,
  slimeArgs,
  type SlimeSample,
  writeRows,
} from "../../../support/slime_bridge.ts";
import { writeSlimeRecipe } from "../../../support/slime_recipe.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const ignore = withoutPython();

interface Worker {
  readonly id: string;
  readonly url: string;
}

async function workersOf(router: string): Promise<Worker[]> {
  return (await (await fetch(`${router}/workers`)).json()).workers;
}

/** Adds a worker to a router as slime does, and waits until the router has checked the worker. */
async function addWorker(router: string, url: string): Promise<void> {
  const response = await fetch(`${router}/workers`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url, worker_type: "regular" }),
  });
  assert.ok(response.ok, await response.text());
  while (!(await workersOf(router)).some((worker) => worker.url === url)) {
    await delay(20);
  }
}

/** Waits until an engine has a request in progress. */
async function busy(engine: string): Promise<void> {
  for (;;) {
    const { loads } = await (await fetch(`${engine}/v1/loads`)).json();
    if (loads[0].num_running_reqs > 0) return;
  }
}

/**
 * Returns how many prompt tokens an engine finds in its cache if it serves all turns of an episode, summed over the
 * turns.
 */
function knownTokens({ tokens, response_length, loss_mask }: SlimeSample) {
  const prompt = tokens.length - response_length;
  const ends = loss_mask.flatMap((mask, at) =>
    mask === 1 && loss_mask[at + 1] !== 1 ? [prompt + at + 1] : []
  );
  // The last token of an answer may be sampled but not yet cached.
  return ends.slice(0, -1).reduce((sum, end) => sum + end - 1, 0);
}

Deno.test({
  name:
    "SGLang's router keeps an episode's turns on one worker, and episodes continue when a worker is killed (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const model = join(dir, "run");
      await using doomed = await servePolicy(model);
      await using engine = await servePolicy(model);
      await using router = await serveRouter("consistent_hashing");
      await addWorker(router.url, doomed.url);
      await addWorker(router.url, engine.url);
      const recipePath = await writeSlimeRecipe(dir, { model });
      const text = await Deno.readTextFile(recipePath);
      await using services = await startServices(
        resolveSlime({ name: "r", text }).config,
        { recipePath, overrides: [], logDir: join(dir, "logs"), port: 0 },
      );
      const dataset = await openDataset(TINY_CONFIG.data);
      const rows = await writeRows(dir, { dataset, split: "train" });
      let killed: Promise<void> | undefined;
      const events = await runRollouts({
        args: slimeArgs(router.url, {
          prompt_data: rows,
          taulab_services: services.urls,
        }),
        rollouts: 2,
      }, (event) => {
        if (event.event === "begin" && event.rollout === 1) {
          killed = killWorker();
        }
      });
      async function killWorker(): Promise<void> {
        await busy(doomed.url);
        const worker = (await workersOf(router.url))
          .find(({ url }) => url === doomed.url)!;
        doomed.kill("SIGKILL");
        await doomed.ended;
        // As slime's fault tolerance does when an engine dies.
        const response = await fetch(`${router.url}/workers/${worker.id}`, {
          method: "DELETE",
        });
        await response.body?.cancel();
        assert.ok(response.ok);
      }
      await killed;
      const [before, after] = events.filter((event): event is RolloutEvent =>
        event.event === "rollout"
      );
      let [cached, known] = [0, 0];
      for (const sample of before!.kept.flat()) {
        checkSample(sample);
        assert.equal(sample.remove_sample, false);
        cached += sample.prefix_cache_info.cached_tokens;
        known += knownTokens(sample);
      }
      // On a busy machine, a retried call may find the tokens of its own first attempt in the cache, up to the last full
      // page.
      assert.ok(cached >= 0.9 * known, `${cached} of ${known} tokens`);
      assert.equal(after!.kept.length, 12);
      for (const sample of after!.kept.flat()) {
        checkSample(sample);
        assert.equal(
          sample.remove_sample,
          false,
          JSON.stringify(sample.metadata.taulab),
        );
      }
      assert.deepEqual(
        (await workersOf(router.url)).map(({ url }) => url),
        [engine.url],
      );
    }),
});
