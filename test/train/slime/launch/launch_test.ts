import assert from "node:assert/strict";
import { join } from "node:path";
import type { BoundaryError, RayError } from "../../../../env/errors.ts";
import { EpisodeStore } from "../../../../train/runs/episode_store.ts";
import type { AnyMetrics } from "../../../../train/runs/metrics.ts";
import { readRun } from "../../../../train/runs/training_dir.ts";
import { readJobLog } from "../../../../train/slime/launch/follow.ts";
import { readLaunchRecord } from "../../../../train/slime/launch/launch_record.ts";
import { attachRun } from "../../../../train/slime/launch/launch.ts";
import {
  readSlimeRun,
  SlimeRun,
} from "../../../../train/slime/launch/slime_run.ts";
import { prepareResume, stopRun } from "../../../../train/slime/launch/stop.ts";
import { serveEpisodes } from "../../../support/episode_server.ts";
import { withoutPython } from "../../../support/python.ts";
import { cutWire, freePort, rayPython } from "../../../support/ray.ts";
import { servePolicy } from "../../../support/slime_bridge.ts";
import {
  launch,
  launchRecipe,
  launchWorld,
  type RunShape,
  testFleet,
} from "../../../support/slime_launch.ts";
import { taskCommand } from "../../../support/task_process.ts";

/** All steps of this test share one Ray cluster. The first step starts the cluster, and the last step stops it. */
Deno.test({
  name:
    "train launches, follows, detaches from, resumes and stops jobs on Ray (needs Python with Ray)",
  ignore: withoutPython(),
  async fn(t) {
    const dir = await Deno.makeTempDir({ prefix: "r" });
    const world = await launchWorld(dir);
    await using episodes = serveEpisodes();
    await using policy = await servePolicy(join(dir, "model"));
    const first = join(world.runs, "first");
    const hold = join(dir, "hold");
    await Deno.writeTextFile(hold, "2");
    const quick: RunShape = {
      episodes: episodes.url,
      engine: episodes.port,
      steps: 3,
      batchSize: 8,
      groupSize: 8,
      evalEvery: 2,
    };
    /** The settings of a run that starts its own episode server. Its engine is an untrained policy. */
    const served = {
      episodes: null,
      engine: Number(new URL(policy.url).port),
      servePort: freePort(),
      steps: 8,
      batchSize: 2,
      groupSize: 4,
    };
    // An unrelated program of the user whose name resembles Ray's.
    const bystander = new Deno.Command(rayPython(), {
      args: ["-c", "import time; time.sleep(3600)", "raylet", "gcs_server"],
    }).spawn();

    try {
      if (
        !await t.step(
          "Ctrl-C leaves the job, Ray and the episode servers running",
          async () => {
            const recipe = join(dir, "first.yaml");
            const shape = { ...served, env: { FAKE_HOLD: hold } };
            await Deno.writeTextFile(
              recipe,
              JSON.stringify(launchRecipe(world, shape)),
            );
            const said = await runTrain(world.runs, [
              ...["--recipe", recipe, "--name", "first", "--skip-doctor"],
            ], { interruptAfter: first });
            assert.equal(said.code, 130, said.stdout + said.stderr);
            assert.match(said.stdout, /--attach \S*first/);
            assert.match(said.stdout, /--stop \S*first/);
            assert.equal((await world.jobs.job("first")).state, "RUNNING");
            const record = (await readLaunchRecord(first))!;
            assert.equal(record.services.length, 1);
            const health = await fetch(`${record.services[0]!.url}/health`);
            assert.equal((await health.json()).status, "ok");
            assert.deepEqual(record.ray?.hosts, ["this machine"]);
            const { info } = await readSlimeRun(first);
            assert.equal(info.outcome, "running");
            await assert.rejects(readRun(first), /is a run of slime/);
          },
        )
      ) return;

      if (
        !await t.step(
          "a run whose GPUs or port another run uses is refused, the error names that run, and nothing is left behind",
          async () => {
            const greedy = launch(world, {
              name: "greedy",
              shape: { ...quick, gpus: 4 },
            });
            await assert.rejects(greedy, (error: BoundaryError) => {
              assert.match(
                error.message,
                /too few free GPUs: 3 of 4.*running: "first" \(RUNNING\)/,
              );
              assert.match(error.hint!, /deno task train --stop first/);
              return true;
            });
            const twin = launch(world, { name: "twin", shape: served });
            await assert.rejects(twin, (error: BoundaryError) => {
              assert.match(
                error.message,
                /an episode server of the run "first" uses the port/,
              );
              assert.match(error.message, /--stop first.*bridge\.port/);
              return true;
            });
            for (const name of ["greedy", "twin"]) {
              const { info } = await readSlimeRun(join(world.runs, name));
              assert.equal(info.outcome, "failed");
            }
            const jobs = await world.jobs.list();
            assert.deepEqual(
              jobs.map(({ submissionId }) => submissionId),
              ["first"],
            );
          },
        )
      ) return;

      if (
        !await t.step(
          "a second job runs next to the first, and is followed although its dashboard is cut off",
          async () => {
            await using wire = cutWire(world.dashboardPort);
            const notes: string[] = [];
            let cuts = 0;
            const { outcome, run } = await launch(world, {
              name: "second",
              shape: { ...quick, env: { FAKE_PAUSE_S: "0.5" } },
              jobsUrl: wire.url,
              onNote: (text) => notes.push(text),
              onLine(line) {
                if (line.phase !== "rl" || cuts++ > 0) return;
                wire.cut();
                setTimeout(() => wire.restore(), 1_500);
              },
            });
            assert.equal(outcome, "completed");
            assert.ok(notes.some((note) => note.includes("cannot be reached")));
            assert.ok(notes.includes("Ray responds again"));
            const { lines, info } = await readSlimeRun(run.path);
            assert.equal(info.outcome, "completed");
            assert.deepEqual(whatOf(lines), [
              "0 eval",
              "1 rl",
              "2 rl",
              "2 eval",
              "3 rl",
            ]);
            for (const line of lines) {
              if (line.phase !== "rl") continue;
              assert.ok(line.reward! > 0.2 && line.reward! < 0.8);
              assert.equal(line.groups! - line.refilledGroups!, 8);
              assert.equal(line.gradNorm, 1.5);
            }
            assert.ok(episodes.asked.get("train")! >= 192);
            assert.ok(episodes.asked.get("dev")! > 0);
            // The copy equals the log: no line is repeated or lost.
            const copy = await readJobLog(join(run.logs, "second.log"));
            const whole = await world.jobs.logs("second");
            assert.deepEqual(copy, whole.split("\n").slice(0, -1));
            assert.equal((await world.jobs.job("first")).state, "RUNNING");
          },
        )
      ) return;

      if (
        !await t.step(
          "a failed job is explained from its log",
          async () => {
            const { outcome, failure } = await launch(world, {
              name: "third",
              shape: { ...quick, evalEvery: 0, env: { FAKE_FAIL_AT: "0" } },
            });
            assert.equal(outcome, "failed");
            assert.match(
              failure!.lastError,
              /RuntimeError.*CUDA out of memory/,
            );
            assert.match(failure!.symptom!.cause, /a GPU ran out of memory/);
            assert.match(failure!.symptom!.fix, /engine\.memory/);
          },
        )
      ) return;

      if (
        !await t.step(
          "only one job is stopped, and it resumes from its last checkpoint with each step once",
          async () => {
            const slow = {
              ...quick,
              steps: 6,
              env: { FAKE_PAUSE_S: "0.7" },
            };
            const stop = new AbortController();
            const left = await launch(world, {
              name: "fourth",
              shape: slow,
              signal: stop.signal,
              onLine: (line) => line.step === 3 && stop.abort(),
            });
            assert.equal(left.outcome, "detached");
            const { path } = left.run;
            const fleet = testFleet();
            await assert.rejects(prepareResume(path, { fleet }), /--attach/);
            const stopped = await stopRun(path, { fleet });
            assert.equal(stopped.state, "STOPPED");
            assert.equal((await world.jobs.job("first")).state, "RUNNING");
            const again = await stopRun(path, { fleet });
            assert.equal(again.stopped, false);

            const point = await prepareResume(path, { fleet });
            assert.ok(point.step >= 2 && point.step % 2 === 0);
            const kept = (await readSlimeRun(path)).lines;
            assert.ok(kept.every((line) => line.step <= point.step));
            const { outcome, run } = await launch(world, {
              name: "fourth",
              shape: slow,
              session: 2,
              fromStep: point.step,
            });
            assert.equal(outcome, "completed");
            const { lines } = await readSlimeRun(run.path);
            assert.deepEqual(
              lines.filter(({ phase }) => phase === "rl").map((one) =>
                one.step
              ),
              [1, 2, 3, 4, 5, 6],
            );
            const record = (await readLaunchRecord(run.path))!;
            assert.deepEqual(
              record.sessions.map(({ submissionId, fromStep, state }) => [
                submissionId,
                fromStep,
                state,
              ]),
              [["fourth", 0, "STOPPED"], ["fourth-2", point.step, "SUCCEEDED"]],
            );
            const again2 = await readJobLog(join(run.logs, "fourth-2.log"));
            assert.ok(
              again2.some((line) => line.includes(`perf ${point.step}:`)),
            );
          },
        )
      ) return;

      if (
        !await t.step(
          "a fully asynchronous job runs to its end, and its episodes are in the run dir",
          async () => {
            const { outcome, run } = await launch(world, {
              name: "full",
              shape: {
                ...served,
                async: "full",
                servePort: freePort(),
                steps: 3,
              },
            });
            assert.equal(outcome, "completed");
            const { lines } = await readSlimeRun(run.path);
            assert.deepEqual(whatOf(lines), ["1 rl", "2 rl", "3 rl"]);
            const ages = lines.map((line) => numberOf(line, "staleness")!);
            assert.ok(
              ages[0] === 0 && ages.every((age) => age <= 1),
              `${ages}`,
            );
            using store = new EpisodeStore(join(run.path, "episodes.db"));
            const { length } = store.list();
            assert.equal(length, 3 * 2 * 4);
          },
        )
      ) return;

      if (
        !await t.step(
          "a killed head of a second Ray ends following with its cause, and a one-step asynchronous run resumes on a new one",
          async () => {
            const beside = join(dir, "b");
            await Deno.mkdir(beside);
            const other = await launchWorld(beside);
            // The last step waits, so that the head is killed before it.
            const held = join(dir, "held");
            await Deno.writeTextFile(held, "3");
            const shape: RunShape = {
              ...quick,
              model: join(dir, "model"),
              async: "one-step",
              evalEvery: 0,
              steps: 4,
              env: { FAKE_HOLD: held },
            };
            const path = join(other.runs, "beheaded");
            const cut = launch(other, {
              name: "beheaded",
              shape,
              async onLine({ step }) {
                if (step === 3) await killHead(path);
              },
            });
            await assert.rejects(cut, (error: RayError) => {
              assert.equal(error.kind, "ended");
              assert.match(
                error.message,
                /Ray on this machine.*has ended, and the job "beheaded" with it/,
              );
              assert.match(error.hint!, /--resume \S*beheaded/);
              return true;
            });
            const attached = await runTrain(other.runs, ["--attach", path]);
            assert.equal(attached.code, 1, attached.stderr);
            assert.match(attached.stderr, /has ended.*--resume/s);

            const { ray } = (await readLaunchRecord(path))!;
            const point = await prepareResume(path, { fleet: testFleet() });
            assert.deepEqual(point, { step: 2, cut: 1 });
            assert.deepEqual(await marked(ray!.mark), []);
            await Deno.remove(held);
            const { outcome, run } = await launch(other, {
              name: "beheaded",
              shape,
              session: 2,
              fromStep: point.step,
            });
            assert.equal(outcome, "completed");
            const { lines } = await readSlimeRun(run.path);
            assert.deepEqual(
              whatOf(lines),
              ["1 rl", "2 rl", "3 rl", "4 rl"],
            );
            const again = await readJobLog(join(run.logs, "beheaded-2.log"));
            assert.ok(again.some((line) => line.includes("perf 2:")));
            assert.equal((await world.jobs.job("first")).state, "RUNNING");
          },
        )
      ) return;

      if (
        !await t.step(
          "a fully asynchronous job replays a group that is too old, and ends with the cause when all episodes fail",
          async () => {
            const release = episodes.holdNext();
            let stale = 0;
            const { outcome, failure, run } = await launch(world, {
              name: "stale",
              shape: {
                ...quick,
                async: "full",
                evalEvery: 0,
                steps: 40,
                env: { FAKE_PAUSE_S: "0.5", FAKE_ARGS: OUTAGE },
              },
              onLine(line) {
                // By step 6, the group of the episode that was held back is too old for the recipe.
                if (line.step === 6) release();
                stale += numberOf(line, "stale_groups") ?? 0;
                if (stale > 0) {
                  episodes.refuse({ status: 500, text: "no table" });
                }
              },
            });
            assert.equal(outcome, "failed");
            assert.ok(stale >= 1, `${stale}`);
            assert.match(
              failure!.lastError,
              /SetUpError: all episodes failed for 1 s, \d+ in total; the last error: .* answered 500: no table/,
            );
            const { info } = await readSlimeRun(run.path);
            assert.equal(info.outcome, "failed");
          },
        )
      ) return;

      if (
        !await t.step(
          "--attach continues where following ended, and repeats nothing",
          async () => {
            const before = (await readSlimeRun(first)).lines.length;
            await Deno.writeTextFile(hold, "7");
            const stop = new AbortController();
            const fresh: AnyMetrics[] = [];
            await using run = await SlimeRun.open(first);
            await using fleet = testFleet();
            const { outcome } = await attachRun({
              run,
              fleet,
              env: () => undefined,
              signal: stop.signal,
              pollMs: 300,
              onLine(line) {
                fresh.push(line);
                if (fresh.length > 3) stop.abort();
              },
            });
            assert.equal(outcome, "detached");
            const { lines } = await readSlimeRun(first);
            assert.equal(lines.length, before + fresh.length);
            const steps = lines.map(({ step }) => step);
            assert.deepEqual(steps, steps.map((_, at) => at + 1));
          },
        )
      ) return;

      if (
        !await t.step(
          "--stop stops the job, its servers and the Ray that was started for it, and nothing else",
          async () => {
            const { services, ray } = (await readLaunchRecord(first))!;
            const said = await runTrain(world.runs, ["--stop", first]);
            assert.equal(said.code, 0, said.stderr);
            assert.match(
              said.stdout,
              /stopped the job "first" \(STOPPED\), 1 episode server, Ray on this machine/,
            );
            await assert.rejects(fetch(`${services[0]!.url}/health`));
            await assert.rejects(world.jobs.version());
            assert.deepEqual(await marked(ray!.mark), []);
            const { info } = await readSlimeRun(first);
            assert.equal(info.outcome, "interrupted");
            bystander.kill("SIGTERM"); // throws if it has ended
          },
        )
      ) return;
    } finally {
      try {
        bystander.kill("SIGKILL");
      } catch {
        // It has already ended.
      }
      await bystander.status;
      await stopRun(first, { fleet: testFleet() }).catch(() => {});
      await policy[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    }
  },
});

function whatOf(lines: readonly AnyMetrics[]): string[] {
  return lines.map(({ step, phase }) => `${step} ${phase}`);
}

/**
 * Settings of the hooks: a short limit for outages, and a long limit for silence. The test prevents episodes from
 * ending, which would exceed a short limit for silence.
 */
const OUTAGE = JSON.stringify({ taulab_outage_s: 1, taulab_silence_s: 600 });

/** Returns a number that slime's hooks reported in a line of metrics; `undefined` if there is none. */
function numberOf(line: AnyMetrics, name: string): number | undefined {
  return "slime" in line
    ? line.slime[`taulab/${name}`] ?? undefined
    : undefined;
}

/** Returns the ids of the processes that have a marker in their environment. */
async function marked(mark: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `grep -lzF "=$0" /proc/[0-9]*/environ 2>/dev/null`, mark],
  }).output();
  const files = new TextDecoder().decode(stdout);
  return [...files.matchAll(/\d+/g)].map(([pid]) => Number(pid));
}

/** Kills the GCS server of a run's Ray cluster, as the kernel does when memory is short. */
async function killHead(path: string): Promise<void> {
  const { ray } = (await readLaunchRecord(path))!;
  const pids = (await marked(ray!.mark)).map(String);
  const script =
    'for pid; do grep -q "^gcs_server" "/proc/$pid/comm" && kill -9 "$pid"; done';
  await new Deno.Command("sh", { args: ["-c", script, "sh", ...pids] })
    .output();
}

/**
 * Runs `deno task train`. If `interruptAfter` is given, sends Ctrl-C once the run at that path has a line of metrics.
 */
async function runTrain(
  runs: string,
  args: readonly string[],
  { interruptAfter }: { interruptAfter?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = taskCommand("train", ["--runs", runs, ...args])
    .spawn();
  const out = new Response(child.stdout).text();
  const err = new Response(child.stderr).text();
  const ended = new AbortController();
  child.status.then(() => ended.abort());
  while (interruptAfter !== undefined && !ended.signal.aborted) {
    const text = await Deno.readTextFile(join(interruptAfter, "metrics.jsonl"))
      .catch(() => "");
    if (text.includes("\n")) {
      child.kill("SIGINT");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { code } = await child.status;
  return { code, stdout: await out, stderr: await err };
}
