import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { retry } from "../../../env/retry.ts";
import { readEpisodeRows } from "../../../train/runs/read_episode_rows.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import {
  askTool,
  freePort,
  resumed,
  toolCommand,
  trackedRun,
  without,
} from "../../support/trackers.ts";

const seenSchema = z.object({
  name: z.string(),
  status: z.string(),
  params: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  metrics: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
  files: z.record(z.string(), z.string()),
});

/**
 * Environment variables that disable MLflow's telemetry and its job processes. The latter are slow to start, because
 * each imports all of MLflow.
 */
const ENV = {
  MLFLOW_DISABLE_TELEMETRY: "true",
  DO_NOT_TRACK: "true",
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
};

/** Starts MLflow's server, which stores its data in `dir`, and waits until it responds. */
async function mlflowServer(dir: string, port: number) {
  const args = ["-m", "mlflow", "server", "--host", "127.0.0.1"];
  args.push("--port", String(port), "--workers", "1");
  args.push("--backend-store-uri", `sqlite:///${join(dir, "mlflow.db")}`);
  args.push("--artifacts-destination", join(dir, "artifacts"));
  const server = toolCommand("mlflow", args, { env: ENV, cwd: dir }).spawn();
  const ended = server.output();
  await retry(async () => {
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    await health.body?.cancel();
    assert.ok(health.ok);
  }, { backoffMs: 500, factor: 1, retries: 400 });
  return {
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await ended;
    },
  };
}

Deno.test({
  name:
    "tracking.mlflow sends curves, config and a table of episodes to MLflow, even if its server starts late (needs Python with mlflow)",
  ignore: without("mlflow"),
  fn: () =>
    inTempDir(async (dir) => {
      const port = freePort();
      const mlflowUrl = `http://127.0.0.1:${port}`;
      const [path, late] = [join(dir, "a"), join(dir, "late")];
      const tracking = { mlflow: true, mlflowUrl, project: "worlds" };
      const missed = await trackedRun(late, { ...tracking, project: "late" });
      assert.equal(missed.trackers[0]?.sent, 0);
      await using _server = await mlflowServer(dir, port);

      const { trackers: [report] } = await trackedRun(path, tracking);
      assert.equal(report?.failure, null);
      assert.ok(report?.isWhole);
      assert.match(report.link ?? "", /#\/experiments\/\d+\/runs\/\w{32}$/);
      const seen = await seenBy(mlflowUrl, "worlds", dir);
      assert.equal(seen.name, "a");
      assert.equal(seen.status, "FINISHED");
      assert.equal(seen.params["rl.groupSize"], "2");
      const { lines } = await readRun(path);
      assert.deepEqual(
        seen.metrics["rl/reward"],
        lines.flatMap((line) =>
          line.phase === "rl" ? [[line.step, line.reward]] : []
        ),
      );
      assert.match(seen.files["config.yaml"] ?? "", /tasksPerStep: 2/);
      const table = JSON.parse(seen.files["episodes.json"] ?? "");
      assert.ok(table.columns.includes("reward"));
      assert.equal(table.data.length, (await readEpisodeRows(path)).length);
      assert.match(seen.tags["mlflow.loggedArtifacts"] ?? "", /episodes.json/);

      const { trackers } = await resumed(late);
      assert.ok(trackers[0]?.isWhole);
      const found = await seenBy(mlflowUrl, "late", dir);
      assert.deepEqual(found.metrics["rl/reward"], seen.metrics["rl/reward"]);
      const again = await resumed(late);
      assert.equal(again.trackers[0]?.link, trackers[0]?.link);
    }),
});

async function seenBy(url: string, experiment: string, dir: string) {
  const args = ["read_mlflow.py", url, experiment, dir];
  return seenSchema.parse(await askTool("mlflow", args, { env: ENV }));
}
