import assert from "node:assert/strict";
import { join } from "node:path";
import { EpisodeStore } from "../../../../train/runs/episode_store.ts";
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
  slimeArgs,
  taskNumber,
  writeRows,
} from "../../../support/slime_bridge.ts";
import { writeSlimeRecipe } from "../../../support/slime_recipe.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { until } from "../../../support/until.ts";

const ignore = withoutPython();

Deno.test({
  name:
    "generate.py runs rollouts and evaluations over two servers, against the CPU policy as SGLang (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const model = join(dir, "run");
      await using engine = await servePolicy(model);
      const recipePath = await writeSlimeRecipe(dir, { model });
      const text = await Deno.readTextFile(recipePath);
      const { config } = resolveSlime({ name: "r", text });
      const record = join(dir, "record");
      await Deno.mkdir(record);
      const failures: string[] = [];
      await using services = await startServices(config, {
        recipePath,
        overrides: [],
        logDir: join(dir, "logs"),
        port: 0,
        record,
        onEvent: ({ type, message }) => {
          if (type !== "ready") failures.push(`${type}: ${message}`);
        },
      });
      const dataset = await openDataset(TINY_CONFIG.data);
      const rows = await writeRows(dir, { dataset, split: "train" });
      const dev = await writeRows(dir, { dataset, split: "dev" });
      const events = await runRollouts({
        args: slimeArgs(engine.url, {
          prompt_data: rows,
          workers: [engine.url],
          over_sampling_batch_size: 32,
          taulab_services: services.urls,
        }),
        evals: { dev },
        rollouts: 2,
      });
      assert.deepEqual(failures, []);
      const ended = events.at(-1)!;
      assert.ok(ended.event === "end" && ended.longest_gap < 1);
      const evaluation = events[0]!;
      assert.ok(evaluation.event === "eval");
      assert.equal(
        evaluation.samples.length,
        2 * dataset.tasks("dev").length,
      );
      for (const sample of evaluation.samples) {
        checkSample(sample);
        assert.equal(sample.remove_sample, false);
        const { taulab } = sample.metadata;
        assert.equal(taulab.split, "dev");
        assert.equal(
          taulab.task_id,
          dataset.tasks("dev")[taskNumber(sample)]!.id,
        );
      }
      const rollouts = events.filter((event): event is RolloutEvent =>
        event.event === "rollout"
      );
      assert.equal(rollouts.length, 2);
      for (const { kept, aborted, abort_seconds } of rollouts) {
        assert.equal(kept.length, 12);
        assert.ok(abort_seconds < 3, `the abort took ${abort_seconds} s`);
        for (const sample of kept.flat()) {
          checkSample(sample);
          assert.equal(sample.remove_sample, false);
          const { taulab } = sample.metadata;
          assert.equal(taulab.split, "train");
          assert.equal(
            taulab.task_id,
            dataset.tasks("train")[taskNumber(sample)]!.id,
          );
          assert.ok(sample.weight_versions.length > 0);
          assert.ok(sample.weight_versions.every((version) => version === "1"));
        }
        const cut = aborted.flat();
        assert.ok(cut.some(({ status }) => status === "aborted"));
        // Those that slime never started are unchanged.
        for (const sample of cut) {
          if (sample.tokens.length > 0) checkSample(sample);
        }
      }
      const seeds = rollouts.flatMap(({ kept }) => kept.flat())
        .map(({ metadata }) => metadata.taulab.seed);
      assert.equal(new Set(seeds).size, seeds.length);
      const shares = () =>
        Promise.all(
          services.urls.map(async (url) =>
            (await (await fetch(`${url}/health`)).json()).episodes
          ),
        );
      // A busy machine ends aborted episodes a moment after slime's call.
      await until(async () =>
        (await shares()).every(({ running }) => running === 0)
      );
      for (const { done } of await shares()) assert.ok(done > 50, `${done}`);
      const records = services.records.map(({ instance }) => instance);
      assert.equal(new Set(records).size, 2);
      await services[Symbol.asyncDispose]();
      checkRecord(record, rollouts);
    }),
});

/**
 * Checks the run dir `record`, in which both servers record their episodes. It must contain every training episode that
 * slime received and every evaluation episode, each with its source.
 */
function checkRecord(
  record: string,
  rollouts: readonly RolloutEvent[],
): void {
  using store = new EpisodeStore(join(record, "episodes.db"), {
    readOnly: true,
  });
  const evaluated = store.list({ source: "eval/dev/greedy" });
  assert.equal(evaluated.length, 4);
  assert.ok(
    evaluated.every(({ split, step }) => split === "dev" && step === 1),
  );
  const trained = new Map(
    store.list({ source: "slime" }).map((stored) => [stored.seed, stored]),
  );
  for (const sample of rollouts.flatMap(({ kept }) => kept.flat())) {
    const stored = trained.get(sample.metadata.taulab.seed)!;
    assert.equal(stored.reward, sample.reward);
    assert.equal(stored.taskId, sample.metadata.taulab.task_id);
    assert.equal(stored.step, 1);
    assert.deepEqual(store.trajectory(stored.id)!.ids, sample.tokens);
  }
}
